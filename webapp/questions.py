"""A question about the ledger: how an address says it, and how people read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from ledger.queries import columns
from ledger.queries.ledger import SIZES, SORTS, SPAN, TIMELINESS, Filters, days_of
from ledger.queries.overview import RunFacts
from ledger.queries.words import SHARE_WORDS, STATE_WORDS
from ledger.rules.texts import full_day
from ledger.rules.verbs import State
from webapp.guard import whole

LIGHT_WORDS = {
    "red": "逾期或严重滞后",
    "yellow": "滞后或临期",
    "green": "按序时推进",
    "grey": "未启动、未定时限",
    "blue": "已办结",
}
LIGHT_NAMES = {"red": "红", "yellow": "黄", "green": "绿", "grey": "灰", "blue": "蓝"}  # where there is little room
LIGHT_CHOICES = {"warn": "红灯和黄灯"} | LIGHT_WORDS
STATES = tuple(state.value for state in State if state is not State.WITHDRAWN)
DUE_CHOICES = {
    "late": "已过时限",
    "soon": "3 个工作日内到期",
    "week": "本周到期",
    "month": "本月到期",
    "next_month": "下月到期",
    "none": "未定时限",
}
TIMELINESS_CHOICES = {key: words.value for key, words in TIMELINESS.items()}
SORT_WORDS = {
    **{"light": "灯、时限", "-light": "灯，已办结的在前", "no": "方案、序号", "-no": "方案、序号，从后往前"},
    **{"due": "时限，先到期的在前", "-due": "时限，后到期的在前", "unit": "单位名录", "-unit": "单位名录，从后往前"},
    **{"state": "办理状态", "-state": "办理状态，办结的在前", "done": "反馈，少的在前", "-done": "反馈，多的在前"},
    **{"touched": "最近进展，久未更新的在前", "-touched": "最近进展，新的在前"},
}
DUE_FIELDS = ("due_from", "due_to")
LONGEST = 60

# What the parts of a question are called, and the words of those that are chosen from a list.
PARTS = {
    "run": "方案",
    "plan": "方案",
    "place": "地区",
    "heading": "板块",
    "unit": "单位",
    "role": "分工",
    "light": "灯",
    "state": "状态",
    "timeliness": "时效",
    "due": "时限",
    "words": "词语",
    "sort": "排序",
    "columns": "列",
}
_CHOICES: Mapping[str, Mapping[str, str]] = {
    "role": SHARE_WORDS,
    "light": LIGHT_CHOICES,
    "state": STATE_WORDS,
    "timeliness": TIMELINESS_CHOICES,
    "due": DUE_CHOICES,
    "sort": SORT_WORDS,
}


def asked_for(args: MultiDict[str, str]) -> Filters:
    """The filters of an address; what is not understood is left out rather than refused."""
    size = whole(args.get("size"))
    # ticked in the list of columns in the order they have there, or named by the address
    wanted = columns.SEPARATOR.join(args.getlist("column")) or args.get("columns", "")
    return Filters(
        run=(whole(args.get("run")) or None) if args.get("plan", "-") else None,  # the field was emptied
        plan=_text(args, "plan"),
        place=_text(args, "place"),
        heading=_text(args, "heading"),
        unit=_text(args, "unit"),
        role=_one_of(args, "role", SHARE_WORDS),
        light=_one_of(args, "light", LIGHT_CHOICES),
        state=_one_of(args, "state", STATES),
        timeliness=_one_of(args, "timeliness", TIMELINESS),
        due=_due(args),
        words=_text(args, "words"),
        sort=_one_of(args, "sort", SORTS) or "light",
        page=max(1, whole(args.get("page"))),
        after=_text(args, "after"),
        before=_text(args, "before"),
        size=size if size in SIZES else SIZES[0],
        columns=columns.named(columns.chosen(wanted)),
    )


def question_of(kept: Mapping[str, Any]) -> Filters:
    """What a view asks, as far as it is still understood."""
    return asked_for(MultiDict({k: str(v) for k, v in kept.items() if v is not None})).question


def filters_of(kept: Mapping[str, Any]) -> Filters:
    """Filters that were kept as they were asked."""
    return Filters(**{name: kept[name] for name in vars(Filters()) if name in kept})


def address(asked: Filters) -> str:
    """The address of the ledger with these filters; what says nothing is left out. To ask for nothing at all would
    open the default view, so everything is its first page."""
    return f"/ledger?{urlencode(said(asked) or {'page': 1})}"


def said(asked: Filters) -> dict[str, Any]:
    """What these filters say; what says nothing is left out."""
    return {k: v for k, v in vars(asked).items() if v != _NOTHING_ASKED[k]}


_NOTHING_ASKED = vars(Filters())


def _text(args: Mapping[str, str], name: str) -> str:
    return args.get(name, "").strip()[:LONGEST]


def _one_of(args: Mapping[str, str], name: str, known: Any) -> str:
    value = args.get(name, "")
    return value if value in known else ""


def _due(args: Mapping[str, str]) -> str:
    """One of the choices, or days: those of the two fields, else those that the address names. A choice goes before
    days that still stand in the fields; what the fields say goes before the days they were filled with."""
    named = args.get("due", "")
    if named in DUE_CHOICES:
        return named
    first, last = (_day(args.get(name, "")) for name in DUE_FIELDS) if _has_fields(args) else days_of(named)
    if first and last and last < first:
        first, last = last, first
    return f"{first or ''}{SPAN}{last or ''}" if first or last else ""


def _has_fields(args: Mapping[str, str]) -> bool:
    return any(name in args for name in DUE_FIELDS)


def _day(words: str) -> date | None:
    try:
        return date.fromisoformat(words)
    except ValueError:
        return None


def in_words(asked: Filters, runs: Mapping[int, RunFacts], places: Mapping[str, str]) -> list[str]:
    """What is asked, part by part; `runs`: those that the person sees; `places`: the names of jurisdictions."""
    said = []
    for part, label in PARTS.items():
        value = getattr(asked, part)
        if not value or value == _NOTHING_ASKED[part]:
            continue
        if part == "run":
            value = runs[value].short if value in runs else "看不到的方案"
        elif part == "columns":
            value = "、".join(column.words for column in columns.chosen(value))
        elif part == "due":
            value = due_words(value)
        elif part == "place":
            value = places.get(value, "看不到的地区")
        said.append(f"{label}：{_CHOICES.get(part, {}).get(value, value)}")
    return said


def due_words(due: str) -> str:
    """本月到期, 2025-06-01 周日 至 2025-06-30 周一."""
    if due in DUE_CHOICES:
        return DUE_CHOICES[due]
    first, last = days_of(due)
    if first and last:
        return f"{full_day(first)} 至 {full_day(last)}" if first != last else full_day(first)
    return f"{full_day(first)} 起" if first else f"{full_day(last)} 止" if last else ""
