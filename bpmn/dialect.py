"""The dialect: what Duban adds to plain BPMN 2.0, defined once.

The reader, the linter, the writer, the properties panel and the documentation all take it from ELEMENTS.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from bpmn.xml import Element, brief, qualified
from ledger.rules.verbs import EXTENDS, Role

Body = Literal["none", "required"]
Kind = Literal["text", "key", "date", "time", "int", "decimal", "bool", "choice", "choices", "ints", "rhythm"]

MAX_TITLE = 200  # characters of a plan's and an item's title, in the field and as the name of the drawing or box
MAX_NAME = 120  # of any other name on the drawing
ROLES = ("lead", "responsible", "cooperating")
ROLE_WORDS = ("牵头", "责任", "配合")
SHIFTS = ("none", "previous", "next", "skip")
SHIFT_WORDS = ("照旧不变", "提前到前一工作日", "顺延到后一工作日", "本期不报")
STEP_VERBS = ("acknowledge", "submit", "sign", "accept", "review", "propose", "decide", "carry", "present")
TOGETHER = ("all", "any")  # how the posts of one step decide: 会签, 或签


@dataclass(frozen=True)
class Attribute:
    """One attribute: `label` is what the editor shows, `doc` says what it does.

    `longest` bounds its characters, `least` and `most` its whole numbers: what passes here fits the ledger's columns.
    `words` say in Chinese what each of `values` means, one for one.
    """

    name: str
    label: str
    doc: str
    kind: Kind = "text"
    required: bool = False
    values: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    default: str | None = None
    longest: int = MAX_TITLE
    least: int = -999
    most: int = 999


@dataclass(frozen=True)
class ElementType:
    """One extension element: where it may stand, how often, with which attributes, and whether it carries words.

    `longest` bounds the characters of its words.
    """

    name: str
    label: str
    doc: str
    allowed_in: tuple[str, ...]
    attributes: tuple[Attribute, ...] = ()
    body: Body = "none"
    many: bool = False
    longest: int = 2000

    def attribute(self, name: str) -> Attribute | None:
        return next((attribute for attribute in self.attributes if attribute.name == name), None)


_STEP_ROLES = (
    *(Role.HANDLER, Role.LIAISON, Role.SECTION_HEAD, Role.DEPUTY_HEAD, Role.HEAD, Role.COORDINATOR),
    *(Role.INSPECTOR, Role.LEADER),
)
_HOLDERS = ("unit", "lead", "office", "host", "parent", "jurisdiction")
_HOLDER_WORDS = ("本单位", "牵头单位", "专班办", "挂靠单位", "下达单位", "本级督查、领导")
_DECIDERS = (Role.SECTION_HEAD, Role.DEPUTY_HEAD, Role.HEAD, Role.COORDINATOR, Role.INSPECTOR, Role.LEADER)
_SPANS = ("by", "within", "every", "during", "undated", "lasting")
_SPAN_WORDS = ("到某一天", "若干天之内", "按周期", "一段时间", "未定时限", "长期坚持")
_PERIODS, _PERIOD_WORDS = ("week", "month", "quarter", "year"), ("每周", "每月", "每季度", "每年")
_OPENINGS, _OPENING_WORDS = ("by", "within"), ("到某一天", "若干天之后")
_STEPS, _STEPS_WORDS = ("required", "optional"), ("必须报", "可以报")
_PLACE = (  # who stands at a step
    Attribute(
        "holder",
        "经手单位",
        "the share's unit, the lead, the office, its host organ, the unit that handed the share down, or the "
        "inspectors and leaders of the plan's jurisdiction",
        "choice",
        True,
        _HOLDERS,
        _HOLDER_WORDS,
    ),
    Attribute(
        "role", "岗位", "who acts in that unit", "choice", True, _STEP_ROLES, tuple(r.label for r in _STEP_ROLES)
    ),
)
_DUE = (
    Attribute(
        "kind",
        "类型",
        "a date, a number of days, a rhythm, a span; nothing yet, to be settled later, or work without an end",
        "choice",
        True,
        _SPANS,
        _SPAN_WORDS,
    ),
    Attribute("date", "日期", "for `by`: the last day", "date"),
    Attribute("start", "起", "for `during`", "date"),
    Attribute("end", "止", "for `during`", "date"),
    Attribute("days", "天数", "for `within`, counted from the anchor", "int", least=1, most=999),
    Attribute("working", "按工作日", "count working days", "bool", default="false"),
    Attribute("anchor", "起算点", "`run`, `acknowledge` or `item:<id>`", longest=60),
    Attribute("period", "周期", "for `every`", "choice", values=_PERIODS, words=_PERIOD_WORDS),
    Attribute("monthday", "每月几日", "for `every`; -1 is the end of the month", "int", least=-1, most=31),
)
_OPENS = (
    Attribute("kind", "类型", "a date, or a number of days", "choice", True, _OPENINGS, _OPENING_WORDS),
    Attribute("date", "日期", "for `by`: the day the item opens", "date"),
    Attribute("days", "天数", "for `within`: it opens that many days after the anchor", "int", least=1, most=999),
    Attribute("working", "按工作日", "count working days", "bool", default="false"),
    Attribute("anchor", "起算点", "`run` or `item:<id>`, whose closing is waited for", longest=60),
)


ELEMENTS: dict[str, ElementType] = {
    element.name: element
    for element in (
        ElementType(
            "plan",
            "方案",
            "Facts of the document and how the plan is run.",
            ("bpmn:process",),
            (
                Attribute("title", "方案名称", "full title", required=True),
                Attribute("short", "简称", "short title for lists and mail", required=True, longest=60),
                Attribute("issuer", "发文单位", "who issued the document", required=True),
                Attribute("docNo", "文号", "number of the document, where it has one", longest=80),
                Attribute("issued", "印发日期", "date of issue", "date", True),
                Attribute("start", "开始日期", "first day of the plan's period", "date", True),
                Attribute(
                    "end", "结束日期", "last day of the plan's period; absent where the document sets no end", "date"
                ),
                Attribute(
                    "jurisdiction",
                    "行政区",
                    "key of the organisation whose units the names mean",
                    required=True,
                    longest=40,
                ),
                Attribute("office", "专班办", "the coordinating office, a unit's name", required=True),
                Attribute(
                    "sign",
                    "须审签的角色",
                    "roles whose 申请办结 is signed in the unit",
                    "choices",
                    values=ROLES,
                    words=ROLE_WORDS,
                ),
                Attribute(
                    "mendDays", "补正工作日", "working days to mend a return", "int", default="3", least=1, most=60
                ),
                Attribute(
                    "mail",
                    "邮件内容",
                    "a mail shows counts, titles too, or with dates and lateness (a mail system of the house)",
                    "choice",
                    values=("count", "titles", "full"),
                    words=("只写件数", "写件数和标题", "写标题、时限和逾期情况"),
                    default="count",
                ),
                Attribute(
                    "ladder",
                    "提醒档",
                    "working days before (-) and after (+) the due day",
                    "ints",
                    default="-3 0 1 5",
                    longest=40,
                    least=-60,
                    most=60,
                ),
                Attribute(
                    "extends",
                    "延期审批",
                    "posts that decide on 申请延期 in turn: of the unit, of the office, of the jurisdiction",
                    "choices",
                    values=_DECIDERS,
                    words=tuple(role.label for role in _DECIDERS),
                    default=" ".join(EXTENDS),
                ),
                Attribute(
                    "steps",
                    "节点计划",
                    "whether each lead or responsible share plans dated steps (明确时间表、路线图、责任人)",
                    "choice",
                    values=_STEPS,
                    words=_STEPS_WORDS,
                    default="optional",
                ),
                Attribute(
                    "intake",
                    "来件登记",
                    "of a register: the kind of case whose items it takes; its diagram draws none",
                    "key",
                ),
            ),
        ),
        ElementType(
            "cadence",
            "报送节奏",
            "A reporting rhythm: when each turn opens and when it is due.",
            ("duban:plan",),
            (
                Attribute("id", "编号", "referred to by an item's `cadence`", "key", True),
                Attribute("name", "名称", "name on screens and in mail", required=True, longest=40),
                Attribute(
                    "asks",
                    "向谁收",
                    "who reports",
                    "choice",
                    True,
                    ("open-shares", "item"),
                    ("所有有在办任务的单位", "选用它的任务的责任单位"),
                ),
                Attribute(
                    "opens",
                    "开启规则",
                    "RFC 5545 rule of the opening days; `BYDAY=MO,TU,WE,TH,FR;BYSETPOS=n` is the n-th working day",
                    "rhythm",
                    True,
                ),
                Attribute("opensAt", "开启时刻", "time of day", "time", True),
                Attribute(
                    "opensShift",
                    "开启遇休",
                    "when the day is a day off",
                    "choice",
                    True,
                    SHIFTS,
                    SHIFT_WORDS,
                ),
                Attribute("due", "截止规则", "RFC 5545 rule of the due days, read alike", "rhythm", True),
                Attribute("dueAt", "截止时刻", "time of day; 24:00 is the end of the day", "time", True),
                Attribute(
                    "dueShift",
                    "截止遇休",
                    "when the day is a day off",
                    "choice",
                    True,
                    SHIFTS,
                    SHIFT_WORDS,
                ),
                Attribute("first", "首期", "first opening day, before any shift", "date", True),
                Attribute("last", "末期", "last opening day, before any shift", "date", True),
                Attribute(
                    "ladder",
                    "提醒档",
                    "as on `plan`, for these turns",
                    "ints",
                    default="0 1",
                    longest=40,
                    least=-60,
                    most=60,
                ),
                Attribute("closes", "过期关闭", "an unanswered turn is closed as missed", "bool", default="false"),
            ),
            many=True,
        ),
        ElementType(
            "item",
            "任务",
            "A line of the ledger.",
            ("bpmn:userTask",),
            (
                Attribute("no", "序号", "number as printed, or the running one", required=True, longest=20),
                Attribute("title", "短标题", "what the box shows", required=True),
                Attribute(
                    "completion",
                    "办结规则",
                    "the lead closes it, or all shares do",
                    "choice",
                    True,
                    ("lead", "all"),
                    ("牵头单位申请，一次办结", "各责任单位分别办结，最后一家办结时办结"),
                ),
                Attribute(
                    "gated", "等齐反馈", "the lead applies after the feedback of all others", "bool", default="true"
                ),
                Attribute("lifecycle", "办理流程", "key of a lifecycle diagram", "key", default="standard"),
                Attribute("cadence", "报送节奏", "id of the cadence whose turns are this item's occurrences", "key"),
                Attribute(
                    "steps",
                    "节点计划",
                    "as on `plan`, for this item; absent: as the plan says",
                    "choice",
                    values=_STEPS,
                    words=_STEPS_WORDS,
                ),
            ),
        ),
        ElementType(
            "assignment",
            "责任分工",
            "A unit's share of an item, named as printed.",
            ("duban:item",),
            (
                Attribute("unit", "单位", "name as printed: a unit or a group of units", required=True, longest=80),
                Attribute(
                    "role", "角色", "牵头 lead, 责任 responsible, 配合 cooperating", "choice", True, ROLES, ROLE_WORDS
                ),
                Attribute("quota", "份额", "this unit's part of the figure", "decimal"),
                Attribute(
                    "presumed",
                    "待确认",
                    "the document names nobody: the unit by its function, until the coordinator confirms it",
                    "bool",
                    default="false",
                ),
            ),
            many=True,
        ),
        ElementType(
            "due",
            "完成时限",
            "When the item is due; the text is the document's own words.",
            ("duban:item",),
            _DUE,
            "required",
            longest=80,
        ),
        ElementType(
            "opens",
            "启动时间",
            "When the item opens, apart from when it is due. In a branch the timer before it says so.",
            ("duban:item",),
            _OPENS,
            "required",
            longest=80,
        ),
        ElementType(
            "indicator",
            "指标",
            "A figure to reach; the text is the words that print it.",
            ("duban:item",),
            (
                Attribute("key", "键", "stable key inside the plan", "key", True),
                Attribute("name", "名称", "what is counted", required=True, longest=120),
                Attribute(
                    "op",
                    "比较",
                    "不少于 ge, 不超过 le, 等于 eq, 区间 range",
                    "choice",
                    True,
                    ("ge", "le", "eq", "range"),
                    ("不少于", "不超过", "等于", "区间"),
                ),
                Attribute("value", "目标值", "the figure, with 万 multiplied out", "decimal", True),
                Attribute("max", "上限", "for `range`", "decimal"),
                Attribute("unit", "计量单位", "unit of measure", required=True, longest=20),
                Attribute(
                    "per",
                    "按",
                    "the span one figure covers",
                    "choice",
                    values=("year", "quarter", "month", "week", "total"),
                    words=("每年", "每季度", "每月", "每周", "累计"),
                ),
                Attribute("by", "达到日期", "last day to reach it, where it is not the item's own", "date"),
                Attribute("unitName", "适用单位", "for a norm each of these units meets by itself", longest=60),
                Attribute(
                    "sum",
                    "汇总",
                    "how readings become one figure",
                    "choice",
                    True,
                    ("sum", "max", "latest"),
                    ("各单位相加", "取最大", "取最近一次"),
                ),
                Attribute("definition", "口径", "what counts and what does not", longest=400),
                Attribute("source", "数据来源", "the register, system or survey it is taken from", longest=120),
                Attribute(
                    "reporter",
                    "填报单位",
                    "the one unit that fills it, once for every plan of the jurisdiction with this key and reporter",
                    longest=80,
                ),
                Attribute("asOf", "截至时点", "the moment a reading speaks of, such as 上月末", longest=60),
            ),
            "required",
            True,
        ),
        ElementType("clause", "原文", "The document's exact words.", ("duban:item",), body="required", longest=20_000),
        ElementType(
            "note", "工作要求", "A working note such as 每周走访; not a round.", ("duban:item",), (), "required", True
        ),
        ElementType(
            "step",
            "办理步骤",
            "On a user task of a lifecycle: who acts, and how.",
            ("bpmn:userTask",),
            (
                *_PLACE,
                Attribute(
                    "verb",
                    "动作",
                    "the ledger's verb",
                    "choice",
                    True,
                    STEP_VERBS,
                    ("签收", "申请办结", "审签", "牵头认可", "审核", "拟办", "审定", "承办", "呈报"),
                ),
                Attribute(
                    "decisions",
                    "决定",
                    "what may be decided here",
                    "choices",
                    values=("pass", "return", "file", "read", "shelve"),
                    words=("同意", "退回", "立项", "阅知", "存档"),
                ),
                Attribute(
                    "rule",
                    "几人怎样定",
                    "`all`: every post agrees, one return returns it (会签); `any`: the first post decides (或签)",
                    "choice",
                    values=("one", *TOGETHER),
                    words=("一个岗位决定", "会签：都同意才通过", "或签：先办的一个决定"),
                    default="one",
                ),
            ),
        ),
        ElementType(
            "signer",
            "会签（或签）岗位",
            "One more post that decides at this step, together with the step's own.",
            ("duban:step",),
            _PLACE,
            many=True,
        ),
    )
}


class DialectError(ValueError):
    """An attribute that cannot be read; the message is for people."""


_RHYTHM = re.compile(
    r"FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;(INTERVAL|BYDAY|BYMONTHDAY|BYMONTH|BYSETPOS)=[-+\dA-Z,]+)*", re.ASCII
)
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,39}")
_LINE = re.compile(r"[^\t\r\n]*")  # a title becomes the subject of a mail
_WHOLE = re.compile(r"[+-]?\d{1,3}", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,12}(\.\d{1,4})?", re.ASCII)  # what a figure's column holds, and neither NaN nor 1e9
_CENTURY = (dt.date(2000, 1, 1), dt.date(2099, 12, 31))


def _matched(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError
    return text


def _time(text: str) -> dt.time | None:
    return None if text == "24:00" else dt.time.fromisoformat(_matched(_CLOCK, text))


def read_date(text: str) -> dt.date:
    """A day of this century as 2025-08-31. Raises: ValueError."""
    day = dt.date.fromisoformat(_matched(_DAY, text))
    if not _CENTURY[0] <= day <= _CENTURY[1]:
        raise ValueError
    return day


def _whole(text: str) -> int:
    return int(_matched(_WHOLE, text))


_CLOCK = re.compile(r"\d\d:\d\d", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_READ: dict[Kind, tuple[Callable[[str], Any], str]] = {
    "text": (lambda text: _matched(_LINE, text), "一行文字"),
    "key": (lambda text: _matched(_KEY, text), "字母开头的字母、数字和连字符，不超过 40 个"),
    "date": (read_date, "日期，如 2025-08-31"),
    "time": (_time, "时刻，如 09:00"),
    "int": (_whole, "整数"),
    "decimal": (lambda text: Decimal(_matched(_DECIMAL, text)), "数，整数部分不超过 12 位，小数不超过 4 位"),
    "bool": ({"true": True, "false": False}.__getitem__, "true 或 false"),
    "ints": (lambda text: tuple(map(_whole, text.split())), "整数，用空格隔开，如 -3 0 1 5"),
    "rhythm": (lambda text: _matched(_RHYTHM, text), "RFC 5545 规则，如 FREQ=WEEKLY;BYDAY=MO"),
}


def read_value(attribute: Attribute, text: str) -> Any:
    """The typed value of an attribute. Raises: DialectError."""
    said = f"“{attribute.label}”（{attribute.name}）写成“{brief(text)}”"
    if len(text) > attribute.longest:
        raise DialectError(f"{said}，有 {len(text)} 个字符，不能超过 {attribute.longest} 个，请压缩")
    if attribute.kind in ("choice", "choices"):
        parts = text.split() if attribute.kind == "choices" else [text]
        if any(part not in attribute.values for part in parts) or len(set(parts)) < len(parts):
            raise DialectError(f"{said}，应为 {'、'.join(attribute.values)}")
        return tuple(parts) if attribute.kind == "choices" else text
    read, words = _READ[attribute.kind]
    try:
        found = read(text)
    except (ValueError, KeyError):
        raise DialectError(f"{said}，应为{words}") from None
    for number in found if attribute.kind == "ints" else (found,) if attribute.kind == "int" else ():
        if not attribute.least <= number <= attribute.most:
            raise DialectError(f"{said}，应在 {attribute.least} 到 {attribute.most} 之间")
    return found


def values(element: Element) -> dict[str, Any]:
    """All attributes of a dialect element by name, typed, with defaults; None where absent. Raises: DialectError."""
    kind = ELEMENTS[qualified(element).removeprefix("duban:")]
    found: dict[str, Any] = {}
    for attribute in kind.attributes:
        text = element.get(attribute.name, attribute.default)
        if text is None and attribute.required:
            raise DialectError(f"“{kind.label}”缺少“{attribute.label}”（{attribute.name}）")
        found[attribute.name] = None if text is None else read_value(attribute, text)
    return found


def table() -> str:
    """The dialect as Markdown: what ARCHITECTURE.md points at and a test compares."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# The dialect `urn:duban:bpmn:1` (prefix `duban`)"
    yield ""
    yield "Generated from `bpmn/dialect.py`; do not edit."
    for element in ELEMENTS.values():
        yield ""
        yield f"## `duban:{element.name}` {element.label}"
        yield ""
        words = f" Carries text, at most {element.longest}." if element.body == "required" else ""
        where = ", ".join(f"`{name}`" for name in element.allowed_in)
        yield f"{element.doc} In {where}{', any number' if element.many else ', once'}.{words}"
        if element.attributes:
            yield ""
            yield "| attribute | 名称 | type | required | meaning |"
            yield "|---|---|---|---|---|"
        for attribute in element.attributes:
            kind = " / ".join(attribute.values) or attribute.kind
            if attribute.kind == "text":
                kind = f"text, at most {attribute.longest}"
            elif attribute.kind in ("int", "ints"):
                kind += f", {attribute.least} to {attribute.most}"
            needed = "yes" if attribute.required else f"default {attribute.default}" if attribute.default else ""
            yield f"| `{attribute.name}` | {attribute.label} | {kind} | {needed} | {attribute.doc} |"
