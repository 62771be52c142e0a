"""Mails as subject, text and HTML, from a context of plain values (see `engine.mail.contexts`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from engine.mail.contexts import KIND_NAMES, Context, Kind
from ledger.calendar import SHANGHAI, last_day, weekday

SUBJECT_MARK = "【督办台账】"
TITLE_IN_SUBJECT = 28

# Each light is a shape, a word and a colour: mail clients may show any two of them only.
SHAPES = {"red": "◆", "yellow": "▲", "green": "●", "grey": "○", "blue": "☑"}
INKS = {"red": "#9C1F1A", "yellow": "#6E4A00", "green": "#1C6238", "grey": "#4C565C", "blue": "#1E4A8C"}


@dataclass(frozen=True)
class Rendered:
    """A mail without its address. `kind` and `day` become headers, so that a mailbox can sort by them."""

    subject: str
    text: str
    html: str
    kind: Kind
    day: str


def render(kind: Kind, context: Context) -> Rendered:
    """The mail of this kind. Raises ValueError when there is nothing to say: "0 件" is never sent."""
    headline, opening = _opening(kind, context)
    values = {
        **context,
        "kind": kind,
        "headline": headline,
        "opening": opening,
        "url": lambda path: address_of(context["base_url"], path),
        "left_out": context["count"] - len(context["lines"]),
        "shapes": SHAPES,
        "inks": INKS,
        "weekday": weekday(date.fromisoformat(context["day"])),
    }
    parts = {form: _templates().get_template(f"{kind}.{form}").render(values) for form in ("txt", "html")}
    return Rendered(SUBJECT_MARK + headline, parts["txt"], parts["html"], kind, context["day"])


def address_of(base_url: str, path: str) -> str:
    """The whole address of a page of ours. Raises ValueError for what is not a path of this site."""
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError(f"not a path of this site: {path!r}")
    return base_url.rstrip("/") + path


def deadline(instant: datetime) -> str:
    """A due instant as mails print it: 07-18 周五 17:00; the end of a day is its 24:00."""
    day, local = last_day(instant), instant.astimezone(SHANGHAI)
    clock = f"{local:%H:%M}" if local.date() == day else "24:00"
    return f"{day:%m-%d} {weekday(day)} {clock}"


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("engine.mail", "templates"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


# ---------------------------------------------------------------- the headline and the first sentence of each kind
def _opening(kind: Kind, context: Context) -> tuple[str, str]:
    values = cast("Mapping[str, Any]", context)
    if values["count"] < 1 and not (kind == "digest" and values["copied"]):
        raise ValueError(f"nothing to say in a mail of kind {kind} ({KIND_NAMES[kind]})")
    return _OPENINGS[kind](values)


def _only_title(c: Mapping[str, Any]) -> str | None:
    """The title, when the mail is about one item and may name it."""
    if not (c["titles"] and c["count"] == 1 and c["lines"]):
        return None
    title = str(c["lines"][0]["title"])
    return title if len(title) <= TITLE_IN_SUBJECT else title[: TITLE_IN_SUBJECT - 1] + "…"


def _digest(c: Mapping[str, Any]) -> tuple[str, str]:
    if not c["count"]:
        return f"有 {c['copied']} 件任务逾期较久，请您关注", "这些任务已逾期 5 个工作日以上，抄送您知悉。"
    late = f"，其中 {c['overdue']} 件逾期" if c["overdue"] else ""
    return f"您有 {c['count']} 件待办{late}", "请登录办理。"


def _handed(c: Mapping[str, Any]) -> tuple[str, str]:
    title = _only_title(c)
    headline = f"交办：{title}，请签收" if title else f"您有 {c['count']} 件新任务待签收"
    return headline, "新交办的任务请先签收，再按时限办理。"


def _request(c: Mapping[str, Any]) -> tuple[str, str]:
    if not c["titles"]:
        return f"您有 {c['count']} 项进展待报送", "请登录报送。"
    return f"{c['round']}，请于 {c['due']} 前报送", f"本期需报 {c['count']} 项。"


def _returned(c: Mapping[str, Any]) -> tuple[str, str]:
    title = _only_title(c)
    return f"退回补正：{title}" if title else f"您有 {c['count']} 件退回补正", "退回的原因请登录查看，补正后重新提交。"


def _urged(c: Mapping[str, Any]) -> tuple[str, str]:
    title = _only_title(c)
    headline = f"催办：{title}" if title else f"您有 {c['count']} 件任务被催办"
    return headline, "请抓紧办理；确有困难的，请登录填报存在的问题。"


_OPENINGS: dict[Kind, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "digest": _digest, "handed": _handed, "request": _request, "returned": _returned, "urged": _urged,
}  # fmt: skip
