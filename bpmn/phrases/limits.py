"""完成时限: what the words of a limit mean."""

from __future__ import annotations

from re import Match

from bpmn.phrases.setting import DAYS, N, Reading, Readings, Rule, Setting, within
from bpmn.phrases.spans import FESTIVAL, festival_day, span

_PERIODS = {"周": "week", "星期": "week", "月": "month", "季度": "quarter", "季": "quarter", "年": "year"}
_ANCHORS = {"签收": "acknowledge", "收到": "acknowledge", "接到": "acknowledge"}


def _spelled(found: Match[str], setting: Setting) -> Rule | None:
    """A day, or the last of a longer time. 前 is certain after a day and after the end of something only."""
    meant = span(found["span"], setting)
    if meant is None or (found["before"] and meant.kind not in ("day", "end")) or found["span"].endswith("初"):
        return None
    if meant.kind == "range":
        return {"kind": "during", "start": meant.first.isoformat(), "end": meant.last.isoformat()}
    return {"kind": "by", "date": meant.last.isoformat()}


def _before_festival(found: Match[str], setting: Setting) -> Rule | None:
    """The last working day before the days off begin."""
    day = festival_day(found, lambda feast: setting.calendar.before(feast, 1), setting)
    return None if day is None else {"kind": "by", "date": day.isoformat()}


def _within(found: Match[str], _setting: Setting) -> Rule | None:
    return within(found[2], found[3], _ANCHORS.get(found[1] or "", "run"))


def _within_item(found: Match[str], setting: Setting) -> Rule | None:
    element = setting.item(found[1])
    return None if element is None else within(found[2], found[3], f"item:{element}")


def _every(found: Match[str], _setting: Setting) -> Rule:
    return {"kind": "every", "period": _PERIODS[found[1]]}


def _every_end(found: Match[str], _setting: Setting) -> Rule:
    return {"kind": "every", "period": _PERIODS[found[1]], "monthday": "-1"}


def _every_day(period: str) -> Reading:
    def reading(found: Match[str], _setting: Setting) -> Rule | None:
        return {"kind": "every", "period": period, "monthday": found[1]} if 1 <= int(found[1]) <= 31 else None

    return reading


def _every_weekday(found: Match[str], _setting: Setting) -> Rule:
    day = "一二三四五六日天".index(found[1]) + 1
    return {"kind": "every", "period": "week", "monthday": str(min(day, 7))}


def _after_period(found: Match[str], _setting: Setting) -> Rule | None:
    counted = within(found[2], found[3], "")
    if counted is None:
        return None
    working = {"working": counted["working"]} if "working" in counted else {}
    return {"kind": "every", "period": _PERIODS[found[1]], "days": counted["days"], **working}


_BEFORE = "(?:之?前|以前)?(?:完成|办结|报送)?"
_INSIDE = f"{DAYS}(?:之?内)(?:完成|办结)?"
_SINCE = "(?:之日起|之后|以后|后|起)?"
_STEADY = "开展|推进|实施|坚持|进行|抓好|落实|办理"
LIMITS: Readings = (
    (rf"每个?(月|季度|季|年|周|星期)(?:底|末){_BEFORE}", _every_end),
    (r"每个?(月|季度|季|年|周|星期)(?:[一1]次|(?:开展|报送|调度|通报)[一1]?次?)?", _every),
    (rf"每个?月(\d{{1,2}})[日号]{_BEFORE}", _every_day("month")),
    (rf"每个?季度?末月(\d{{1,2}})[日号]{_BEFORE}", _every_day("quarter")),
    (rf"每年12月(\d{{1,2}})[日号]{_BEFORE}", _every_day("year")),
    (rf"每年12月底{_BEFORE}", lambda _f, _s: {"kind": "every", "period": "year", "monthday": "-1"}),
    (rf"每(?:周|星期)([一二三四五六日天]){_BEFORE}", _every_weekday),
    (rf"(?:每个?)?(月|季度|季|年)度?结束(?:之后|以后|后){N}{_INSIDE}", _after_period),
    (
        rf"(?:(方案印发|印发|方案启动|启动|签收|收到|接到)(?:任务|通知|方案)?{_SINCE})?{N}{_INSIDE}",
        _within,
    ),
    (rf"(?:任务|第)?(.{{1,20}}?)项?(?:任务)?(?:办结|完成){_SINCE}{N}{_INSIDE}", _within_item),
    (rf"{FESTIVAL}(?:之?前|以前)(?:完成|办结)?", _before_festival),
    (
        r"(?:于|在|到|截至|力争)?(?P<span>.+?)(?P<before>之?前|以前)?(?:期间)?(?:完成|办结)?",
        _spelled,
    ),
    (rf"(?:长期|常态化?|持续)(?:{_STEADY})*", lambda _f, _s: {"kind": "lasting"}),
    (r"未定(?:时限)?|待定|另行(?:通知|确定|安排)|时限另定|无(?:明确)?时限", lambda _f, _s: {"kind": "undated"}),
)
