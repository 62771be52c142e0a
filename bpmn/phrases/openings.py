"""启动时间: what the words of an opening mean. A stretch of time opens with its first day, not with its last."""

from __future__ import annotations

from re import Match

from bpmn.phrases.setting import DAYS, N, Readings, Rule, Setting, within
from bpmn.phrases.spans import FESTIVAL, festival_day, span

_ANCHORS = {"签收": "acknowledge", "收到": "acknowledge", "接到": "acknowledge"}


def _spelled(found: Match[str], setting: Setting) -> Rule | None:
    """The first day; of a time in which the plan begins, the plan's own."""
    meant = span(found["span"], setting)
    if meant is None:
        return None
    start = setting.period[0]
    return _on(start if meant.first < start <= meant.last and meant.kind == "stretch" else meant.first)


def _on(day: object) -> Rule:
    return {"kind": "by", "date": f"{day}"}


def _with_the_plan(_found: Match[str], setting: Setting) -> Rule:
    return _on(setting.period[0])


def _after_festival(found: Match[str], setting: Setting) -> Rule | None:
    """The first working day after the days off."""
    day = festival_day(found, lambda feast: setting.calendar.after(feast, 1), setting)
    return None if day is None else _on(day)


def _counted(found: Match[str], _setting: Setting) -> Rule | None:
    return within(found[2], found[3], _ANCHORS.get(found[1], "run"))


def _counted_from_item(found: Match[str], setting: Setting) -> Rule | None:
    element = setting.item(found["no"])
    if element is None:
        return None
    return within(found["days"] or "1", found["unit"] or "日", f"item:{element}")


_SINCE = "(?:之日起|之后|以后|后|起)?"
_BEGINS = "(?:启动|开始|起|起步|实施|开展)?"
_SPELLED_DAYS = f"(?P<days>{N[1:-1]})(?P<unit>{DAYS[1:-1]})(?:后|之后|以后)?"
OPENINGS: Readings = (
    (rf"(?:随方案启动|即日起|即时|(?:方案)?(?:启动|印发)(?:时|后|之日)?{_BEGINS})", _with_the_plan),
    (
        rf"(方案印发|印发|方案启动|启动|签收|收到|接到)(?:任务|通知|方案)?{_SINCE}{N}{DAYS}(?:后|之后|以后)?{_BEGINS}",
        _counted,
    ),
    (
        rf"(?:任务|第)?(?P<no>.{{1,20}}?)项?(?:任务)?(?:办结|完成)(?:之日起|之后|以后|后)(?:{_SPELLED_DAYS})?{_BEGINS}",
        _counted_from_item,
    ),
    (rf"{FESTIVAL}(?:之后|以后|后){_BEGINS}", _after_festival),
    (rf"(?:自|从|于|在)?(?P<span>.+?)(?:期间)?{_BEGINS}", _spelled),
)
