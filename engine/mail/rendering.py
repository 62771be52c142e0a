"""Mails as subject, text and HTML, from a context of plain values (see `engine.mail.contexts`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from engine.mail.contexts import ACCOUNT_KINDS, KIND_NAMES
from ledger.calendar import SHANGHAI, weekday

SUBJECT_MARK = "【督办台账】"
TITLE_IN_SUBJECT = 28
INKS = {"red": "#9C1F1A", "yellow": "#6E4A00", "green": "#1C6238", "grey": "#4C565C", "blue": "#1E4A8C"}


@dataclass(frozen=True)
class Rendered:
    """A mail without its address. `kind` and `day` become headers, so that a mailbox can sort by them."""

    subject: str
    text: str
    html: str
    kind: str
    day: str


def render(kind: str, context: Mapping[str, Any]) -> Rendered:
    """The mail of a `contexts.Kind` from a `contexts.Context`, or of an `AccountKind` from an `AccountContext`.

    Raises ValueError when it is about nothing ("0 件").
    """
    is_account = kind in ACCOUNT_KINDS
    if not is_account and context["told"] < 1:
        raise ValueError(f"nothing to say in a mail of kind {kind} ({KIND_NAMES[kind]})")
    headline, opening = _OPENINGS[kind](context)
    lines = context["lines"] if not is_account and context["titles"] else []
    values = {
        "post": "",
        "place": "",
        **context,
        "headline": headline,
        "opening": opening,
        "lines": lines,
        "left_out": context["told"] - len(lines) if lines else 0,
        "url": lambda path: address_of(context["base_url"], path),
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
def _only_title(c: Mapping[str, Any]) -> str | None:
    """The title, when the mail is about one item and may name it."""
    if not (c["titles"] and c["told"] == 1 and c["lines"]):
        return None
    title = str(c["lines"][0]["title"])
    return title if len(title) <= TITLE_IN_SUBJECT else title[: TITLE_IN_SUBJECT - 1] + "…"


def _digest(c: Mapping[str, Any]) -> tuple[str, str]:
    if c["copied"]:
        return f"有 {c['told']} 件任务逾期较久，请您关注", "抄送您知悉，请关注并督促办理，情况请登录查看。"
    if not c["count"]:
        return f"您有 {c['told']} 件逾期事项", "请登录查看，并把情况并入下一次报送。"
    late = f"，其中 {c['overdue']} 件逾期" if c["overdue"] else ""
    return f"您有 {c['count']} 件待办{late}", f"今天提醒您 {c['told']} 件，请登录办理。"


def _handed(c: Mapping[str, Any]) -> tuple[str, str]:
    title = _only_title(c)
    headline = f"交办：{title}，请签收" if title else f"您有 {c['told']} 件新任务待签收"
    return headline, "新交办的任务请先签收，再按时限办理。"


def _request(c: Mapping[str, Any]) -> tuple[str, str]:
    if not (c["titles"] and c["round"]):
        return f"您有 {c['told']} 件报送待办", "请登录报送。"
    due = c["lines"][0]["due"] if c["lines"] else ""
    turn = f"第{c['round']['n']}期{c['round']['name']}"
    return f"{turn}，请于 {due} 前报送" if due else f"{turn}，请报送", f"请报送{turn}的进展。"


def _returned(c: Mapping[str, Any]) -> tuple[str, str]:
    title = _only_title(c)
    return f"退回补正：{title}" if title else f"您有 {c['told']} 件退回补正", "退回的原因请登录查看，补正后重新提交。"


def _urged(c: Mapping[str, Any]) -> tuple[str, str]:
    title = _only_title(c)
    headline = f"催办：{title}" if title else f"您有 {c['told']} 件任务被催办"
    return headline, "请抓紧办理；确有困难的，请登录填报存在的问题。"


def _applied(c: Mapping[str, Any]) -> tuple[str, str]:
    title = _only_title(c)
    headline = f"请审批：{title}" if title else f"您有 {c['told']} 份申请待审批"
    return headline, "承办单位的申请请在 3 个工作日内审批，理由和情况请登录查看。"


def _told(c: Mapping[str, Any]) -> tuple[str, str]:
    title = _only_title(c)
    headline = f"{c['act']}：{title}" if title else f"您有 {c['told']} 件任务有新的办理情况"
    return headline, "理由和今后的安排请登录查看。"


def _vacant(c: Mapping[str, Any]) -> tuple[str, str]:
    where = f"{c['told']} 个岗位空缺"
    waiting = f"，有 {c['count']} 件待办" if c["count"] else ""
    if c["copied"]:
        return f"{where}{waiting}，请确定人选", "下列岗位无人任职。请商有关单位确定人选，及时任职。"
    if c.get("asked"):
        return (
            f"{where}又无主要负责人{waiting}，请商定",
            "下列岗位无人任职，单位也没有登记主要负责人。请联系单位确定人选。",
        )
    return f"{where}{waiting}，由您接办", "下列岗位无人任职，待办由您接办；有人接任后自动转回。"


def _weekly(c: Mapping[str, Any]) -> tuple[str, str]:
    counts = {key: sum(plan[key] for plan in c["plans"]) for key in ("closed", "late", "waiting")}
    words = {"closed": "上周办结 {} 件", "late": "逾期 {} 件", "waiting": "待您审核 {} 件"}
    said = [words[key].format(n) for key, n in counts.items() if n]
    days = f"{date.fromisoformat(c['since']):%m-%d} 至 {date.fromisoformat(c['until']):%m-%d}"
    return "，".join(said) or "上周没有办结的任务，也没有逾期", f"{days} 的情况，逾期和待审核截至今天。"


def _reset(_: Mapping[str, Any]) -> tuple[str, str]:
    return "重设密码", "收到了为您的账号重设密码的申请。点下面的链接设置新密码，30 分钟内有效，只能用一次。"


def _locked(c: Mapping[str, Any]) -> tuple[str, str]:
    until = f"{datetime.fromisoformat(c['until']).astimezone(SHANGHAI):%m-%d %H:%M}"
    return "账号已锁定", f"您的账号连续输错密码，已锁定到 {until}，到时自动解除。"


def _changed(_: Mapping[str, Any]) -> tuple[str, str]:
    return "密码已变更", "您的账号刚刚换了密码，在别处的登录已全部结束。"


def _handed_over(c: Mapping[str, Any]) -> tuple[str, str]:
    closed = "；您没有其他岗位，账号已停用" if c.get("closed") else ""
    return "岗位已交接", f"您的一个岗位已交接，待办、草稿转给接任人，您在各处的登录已结束{closed}。办理记录不变。"


def _taken_over(c: Mapping[str, Any]) -> tuple[str, str]:
    if c.get("new"):
        return "请接收岗位", "已为您建立账号并交接一个岗位。请先用本邮箱重设密码，登录后查看交接说明，确认接收。"
    return "请接收岗位", "有一个岗位交接给您，待办、草稿已转入。请登录查看交接说明，确认接收。"


def _deputising(c: Mapping[str, Any]) -> tuple[str, str]:
    if c.get("ended"):
        return "岗位代理已结束", "委托人已提前结束代理，该岗位的待办和提醒不再发给您。"
    until = f"{date.fromisoformat(c['until'][:10]):%m-%d}"
    return f"请代理岗位，至 {until}", f"有一个岗位委托您代理，至 {until} 自动结束。期间该岗位的待办和提醒同时发给您。"


def _address(_: Mapping[str, Any]) -> tuple[str, str]:
    return (
        "确认新邮箱",
        "有账号申请把邮件改发到这个邮箱。点下面的链接，登录后确认，24 小时内有效；确认之前仍发到原来的邮箱。",
    )


def _corrected(_: Mapping[str, Any]) -> tuple[str, str]:
    return "账号资料已更正", "您的账号姓名或邮箱刚刚更正，今后的邮件发到更正后的邮箱。"


_OPENINGS: dict[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "digest": _digest,
    "handed": _handed,
    "request": _request,
    "returned": _returned,
    "urged": _urged,
    "applied": _applied,
    "told": _told,
    "vacant": _vacant,
    "weekly": _weekly,
    "reset": _reset,
    "locked": _locked,
    "changed": _changed,
    "handed_over": _handed_over,
    "taken_over": _taken_over,
    "deputising": _deputising,
    "address": _address,
    "corrected": _corrected,
}
