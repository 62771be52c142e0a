"""A cadence in words, as an annotation or a page shows it."""

from __future__ import annotations

from datetime import time

from bpmn.plan import Cadence, Plan

_DAYS = {"MO": "一", "TU": "二", "WE": "三", "TH": "四", "FR": "五", "SA": "六", "SU": "日"}


def annotation(plan: Plan) -> str:
    """The rhythm of a plan in one sentence; empty when it has none."""
    return "调度节奏：" + "；".join(describe(cadence) for cadence in plan.cadences) if plan.cadences else ""


def describe(cadence: Cadence) -> str:
    """`周调度（每周一9时发起，周五17时截止）`, `年度报送（每年12月1日9时发起，12月31日截止）`."""
    opens = _day(cadence.opens)
    every = "每" if opens.startswith("周") else "每年" if "月" in opens else "每月" if opens.endswith("日") else ""
    return (
        f"{cadence.name}（{every}{opens}{_hour(cadence.opens_at)}发起，{_day(cadence.due)}{_hour(cadence.due_at)}截止）"
    )


def _day(rule: str) -> str:
    parts = dict(part.split("=") for part in rule.split(";"))
    if "BYMONTHDAY" in parts:
        month = f"{parts['BYMONTH']}月" if "BYMONTH" in parts else ""
        return f"{month or '月'}底" if parts["BYMONTHDAY"] == "-1" else f"{month}{parts['BYMONTHDAY']}日"
    if parts.get("BYDAY", "") in _DAYS:
        return f"周{_DAYS[parts['BYDAY']]}"
    return {"DAILY": "每日", "WEEKLY": "每周", "MONTHLY": "每月", "YEARLY": "每年"}[parts["FREQ"]]


def _hour(at: time | None) -> str:
    if at is None:
        return ""
    return f"{at.hour}时{at.minute}分" if at.minute else f"{at.hour}时"
