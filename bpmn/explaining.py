"""A rule told back in words before it is used: when something would be due, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time

from lxml import etree

from bpmn import dialect
from bpmn.phrases import not_read
from bpmn.plan import Cadence
from bpmn.reading import cadence_of, due_rule
from bpmn.rhythm import rhythm_for
from bpmn.xml import DiagramError, tag
from ledger.calendar import WorkCalendar, moment
from ledger.rules.cadence import Turn
from ledger.rules.due import DueRule, resolve
from ledger.rules.texts import due_words, full_day

SHOWN_TURNS = 3
_OPEN = {
    "undated": "未定时限，由专班办以后核定；核定之前不催办、不亮灯",
    "lasting": "长期坚持，没有到期日，不催办、不亮红灯",
}


@dataclass(frozen=True)
class Explanation:
    """`says` in one sentence, `steps` as (label, words); `problem` where the rule cannot be read. `rhythm`: the
    attributes of the rhythm that would ask for a recurring limit."""

    says: str = ""
    steps: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    rhythm: Mapping[str, str] | None = None


def explain_limit(
    name: str, attributes: Mapping[str, str], text: str, period: tuple[date, date], calendar: WorkCalendar
) -> Explanation:
    """What a `due` or `opens` rule means in a plan of this period."""
    if not attributes.get("kind"):
        return Explanation(problem=not_read(name, dialect.ELEMENTS[name].label, text))
    try:
        rule = due_rule(_element(name, attributes, text))
        found = resolve(rule, calendar, anchor=moment(period[0], time(9)), period=period)
    except (DiagramError, ValueError) as problem:
        return Explanation(problem=str(getattr(problem, "message", problem)))
    if rule.kind in _OPEN:
        return Explanation(_OPEN[rule.kind])
    if found is None:
        return Explanation(problem="在方案的起止日期之内没有一期，请核对周期和日期。")
    if name == "opens":
        return Explanation(f"{_supposed(rule, period)}将于 {full_day(found.day)} 零时启动", found.steps[:1])
    return Explanation(
        f"{_supposed(rule, period)}将于 {full_day(found.day)} 24:00 到期",
        found.steps,
        rhythm=rhythm_for(rule, period[1]),
    )


def _supposed(rule: DueRule, period: tuple[date, date]) -> str:
    """What a count begins with is not known yet: it is told by an example."""
    if rule.kind != "within":
        return "最后一期" if rule.kind == "every" else ""
    start = f"{period[0]:%Y-%m-%d}（方案开始之日）"
    if rule.anchor == "run":
        return f"如方案在 {start}启动，"
    return f"如各单位在 {start}签收，" if rule.anchor == "acknowledge" else f"如前序任务在 {start}办结，"


def explain_cadence(attributes: Mapping[str, str], calendar: WorkCalendar) -> Explanation:
    """How many turns a rhythm has, and the first and last of them."""
    try:
        cadence: Cadence = cadence_of(_element("cadence", attributes))
        if (cadence.last - cadence.first).days > MAX_DAYS:
            return Explanation(problem="首期和末期相隔超过 10 年，请按方案的期限填写。")
        found = cadence.turns(calendar)
    except (DiagramError, ValueError) as problem:
        return Explanation(problem=str(getattr(problem, "message", problem)))
    if not found:
        return Explanation(problem="首期和末期之间没有一期，请核对规则和日期。")
    shown = [*found[:SHOWN_TURNS], *([found[-1]] if len(found) > SHOWN_TURNS else [])]
    return Explanation(f"共 {len(found)} 期", tuple((f"第{turn.n}期", _turn(turn)) for turn in shown))


MAX_DAYS = 3660


def _turn(turn: Turn) -> str:
    return f"{due_words(turn.opens_at)} 开放，{due_words(turn.due_at)} 截止"


def _element(name: str, attributes: Mapping[str, str], text: str = "") -> etree._Element:
    """The rule as it would stand in the diagram: read by the reader's own eyes."""
    known = {attribute.name for attribute in dialect.ELEMENTS[name].attributes}
    element = etree.Element(tag(f"duban:{name}"))
    for key, value in attributes.items():
        if key in known and value:
            element.set(key, value)
    element.text = text or None
    return element
