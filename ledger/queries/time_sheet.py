"""时限明细单: why a share is in time or late. The base, what moved the date, what was handed in and accepted, and how
it compares with the original date and with the one in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.calendar import WorkCalendar, last_day, local_day
from ledger.queries.items import ItemView
from ledger.queries.standing import Part
from ledger.queries.timeline import Records
from ledger.rules.texts import due_words, late_words
from ledger.rules.timeliness import Timeliness, left_behind, timeliness
from ledger.rules.verbs import State

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """What happened to the share's time; `due_at` is the date in force from then on."""

    at: datetime
    words: str
    due_at: datetime | None


@dataclass(frozen=True)
class TimeSheet:
    """`basis`: how the item's date came about; `judgements`: the share held against each date that counts."""

    part: Part
    basis: Sequence[tuple[str, str]]
    entries: Sequence[Entry]
    verdict: str
    judgements: Sequence[str]


def time_sheet(view: ItemView, known: Records, part: Part, calendar: WorkCalendar, now: datetime) -> TimeSheet:
    """The sheet of one share, from the records of its item."""
    entries = [
        Entry(r.at, words, _instant(_due_of(payload, part.id)))
        for r, payload in zip(known.events, known.payloads, strict=True)
        if _is_about(payload, part.id) and (words := _words(r.kind, payload))
    ]
    above = view.above(part)
    within = [("下达单位", f"{above.unit_name}分解下达，时限在它的时限以内")] if above else []
    why = [*view.why_due, *within]
    if _went_on(known, part):
        return TimeSheet(part, why, entries, *_left_behind(part, calendar))
    return TimeSheet(part, why, entries, _verdict(part, calendar, now), _judgements(part, calendar, now))


def _went_on(known: Records, part: Part) -> bool:
    """Whether another unit has taken the share over."""
    return part.closed_at is not None and any(
        r.kind == "assignment.terminated" and payload["assignment"] == part.id and payload["successor"] is not None
        for r, payload in zip(known.events, known.payloads, strict=True)
    )


def _left_behind(part: Part, calendar: WorkCalendar) -> tuple[str, list[str]]:
    """The verdict up to the moment of the hand-over; what comes after is the successor's."""
    assert part.closed_at is not None
    found = left_behind(part.due_at, part.submitted_at, part.closed_at)
    if part.due_at is None:
        return f"已移交（{found.value}）", []
    at, due = due_words(part.closed_at), due_words(part.due_at)
    said = f"对时限 {due}：{at} 移交，{_held(part.closed_at, part.due_at, calendar)}；移交以后另行计时。"
    return f"已移交，移交时{found.value}", [said]


def _is_about(payload: Payload, share: int) -> bool:
    if "parent" in payload:  # what is handed down leaves the time of the whole as it is
        return _given(payload, share) is not None
    return payload.get("assignment") == share or _given(payload, share) is not None


def _given(payload: Payload, share: int) -> Payload | None:
    """What an event says of a share that it hands out."""
    return next((a for a in payload.get("assignments", ()) if a["id"] == share), None)


def _due_of(payload: Payload, share: int) -> str | None:
    own = _given(payload, share) or {}
    found: str | None = own.get("due_at", payload.get("due_at"))
    return found


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _day(value: str) -> str:
    return due_words(datetime.fromisoformat(value))


def _words(kind: str, p: Payload) -> str:
    said = _WORDS.get(kind)
    return said if isinstance(said, str) else said(p) if said else ""


def _made(p: Payload) -> str:
    if p["petition_kind"] == "steps":
        return ""
    return (
        f"申请延期至 {_day(p['asked_due'])}，批准前原时限不变"
        if p["petition_kind"] == "extension"
        else "提出异议，时限照常计算"
    )


def _settled(p: Payload) -> str:
    if p["settles"]["petition_kind"] == "steps":
        return ""
    words = "延期申请" if p["settles"]["petition_kind"] == "extension" else "异议"
    return f"{words}未获同意" if p["settles"]["outcome"] == "declined" else f"撤回{words}"


# What bears on time, by the kind of its event.
_WORDS: Mapping[str, str | Callable[[Payload], str]] = {
    "item.opened": "交办",
    "item.unit_added": "交办",
    "assignment.split": "上级单位分解下达",
    "assignment.acknowledged": "签收",
    "petition.made": _made,
    "petition.passed": "同意，转下一岗位审批",
    "petition.settled": _settled,
    "assignment.extended": lambda p: f"批准延期，原时限 {_day(p['original_due'])}，延至 {_day(p['due_at'])}",
    "assignment.suspended": "暂停计时，期间不计",
    "assignment.resumed": lambda p: f"恢复计时，暂停 {p['days']} 个工作日不计，时限顺延",
    "assignment.submitted": lambda p: "报送，以此时为准" if p["leaves_unit"] else "提交本单位审签，尚未报送",
    "assignment.signed": "审签同意并报送，以此时为准",
    "assignment.sent_back": "本单位审签退回修改",
    "assignment.taken_back": "撤回，上一次报送不计",
    "assignment.returned": "退回补正，上一次报送不计",
    "assignment.accepted": "审核通过，审核用时不计",
    "assignment.terminated": "责任终止，不再计时",
    "assignment.revoked": "办结撤销，另立整改任务计时",
    "assignment.reopened": "办结撤销，重办另行计时",
}
_VERDICTS = {
    State.WITHDRAWN: "随任务办结，不再计时",
    State.TERMINATED: "责任已终止，不再计时",
    State.REVOKED: "办结已撤销，另行计时",
    State.SUSPENDED: "暂停计时",
}


def _verdict(part: Part, calendar: WorkCalendar, now: datetime) -> str:
    """One word: 按期办结, 延期内办结, 逾期 ..."""
    if words := _VERDICTS.get(State(part.shown)):
        return words
    closed = part.state == State.CLOSED
    found: Timeliness = timeliness(
        part.due_at, part.submitted_at, closed, now, calendar, original_due=part.original_due
    )
    return found.value


def _judgements(part: Part, calendar: WorkCalendar, now: datetime) -> list[str]:
    """The share held against the original date and, where that was moved, against the one in force."""
    if part.due_at is None or State(part.shown) in _VERDICTS:
        return []
    dates = (
        [("原时限", part.original_due), ("延期后的时限", part.due_at)] if part.original_due else [("时限", part.due_at)]
    )
    at = part.submitted_at or now
    said = f"{due_words(at)} 报送" if part.submitted_at else "尚未报送，截至现在"
    return [f"对{name} {due_words(due)}：{said}，{_held(at, due, calendar)}。" for name, due in dates if due]


def _held(at: datetime, due_at: datetime, calendar: WorkCalendar) -> str:
    if at <= due_at:
        return "没有逾期"
    return late_words(max(-calendar.days_left(local_day(at), last_day(due_at)), 0))
