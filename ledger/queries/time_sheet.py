"""时限明细单: why a share is in time or late. The base, what moved the date, what was handed in and accepted, and how
it compares with the original date and with the one in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.calendar import WorkCalendar, last_day, local_day
from ledger.queries.items import ItemView
from ledger.queries.standing import Part
from ledger.queries.time_words import Origin, came_from, due_of, given, records_of, why_words, words_of
from ledger.queries.timeline import Records
from ledger.rules.texts import due_words, late_words
from ledger.rules.timeliness import Timeliness, left_behind, timeliness
from ledger.rules.verbs import State

REMINDED = "提醒"  # a line of the basis that goes by the item's own date


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
    came = came_from(known, part.id)
    entries = [*_before(known, part.id, came), *_entries(known, part.id)]
    why = _basis(view, known, part, came)
    if _went_on(known, part):
        return TimeSheet(part, why, entries, *_left_behind(part, calendar))
    if view.standing.item.lasting and part.is_open:
        return TimeSheet(part, why, entries, "长期坚持，不以时限计", [])
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
    at, due = part.submitted_at or part.closed_at, due_words(part.due_at)
    how = f"{due_words(at)} {'报送' if part.submitted_at else '移交'}"
    said = f"对时限 {due}：{how}，{_held(at, part.due_at, calendar)}；移交以后另行计时。"
    return f"已移交，移交时{found.value}", [said]


def _entries(known: Records, share: int) -> list[Entry]:
    return [
        Entry(at, words, due_of(kind, payload, share))
        for kind, at, payload in records_of(known, share)
        if (words := words_of(kind, payload))
    ]


def _before(known: Records, share: int, came: Origin | None) -> list[Entry]:
    """What moved the date before another unit took the share over, as far as that date goes on."""
    if came is None or came.is_redone or came.due_at != _given_due(known, share):
        return []
    found, due_at = _before(known, came.share, came_from(known, came.share)), None
    for kind, at, payload in records_of(known, came.share):
        then = due_of(kind, payload, came.share)
        words = words_of(kind, payload)
        if words and then and then != due_at and not given(payload, came.share):
            found.append(Entry(at, f"承接以前：{words}", then))
        due_at = then or due_at
    return found


def _basis(view: ItemView, known: Records, part: Part, came: Origin | None) -> list[tuple[str, str]]:
    """How the date came about that the share began with: by the document's rule, by whom it was taken over from, within
    what it was handed down."""
    is_own_date = part.original_due is None and part.due_at == view.standing.item.due_at
    lines = [line for line in view.why_due if is_own_date or line[0] != REMINDED]
    lines += [line for line in _counted_from(known, part.id, came) if line[0] != REMINDED]
    if above := view.above(part):
        lines.append(("下达单位", f"{above.unit_name}分解下达，时限在它的时限以内"))
    return lines + _given_lines(view, known, part, came)


def _counted_from(known: Records, share: int, came: Origin | None) -> list[tuple[str, str]]:
    """The rule where the date counts from 签收, of this share or of the one whose date it goes by."""
    own = [p["why"] for kind, _, p in records_of(known, share) if kind == "assignment.acknowledged" and p.get("why")]
    if own or came is None or came.is_redone:
        return [(label, words) for why in own for label, words in why]
    return _counted_from(known, came.share, came_from(known, came.share))


def _given_due(known: Records, share: int) -> datetime | None:
    """The date with which a share was handed out."""
    kind, _, payload = next(records_of(known, share))
    return due_of(kind, payload, share)


def _given_lines(view: ItemView, known: Records, part: Part, came: Origin | None) -> list[tuple[str, str]]:
    """What the share was handed out with where that is not simply the item's date."""
    _, _, payload = next(records_of(known, part.id))
    due_at, why = _given_due(known, part.id), (given(payload, part.id) or {}).get("why", ())
    anew = "，另给办理时间" + (f"：{why_words(why)}" if why else "")
    if came is None:
        return [("交办", f"交办时任务的时限已过{anew}")] if why else []
    if came.is_redone:
        return [("重办", f"办结撤销，重办期限 {due_words(due_at)}，由撤销时核定")] if due_at else []
    who = f"承接{_name(view, came.share)}的责任"
    if due_at is None or came.due_at is None:
        return [("承接", f"{who}，时限另行计算")]
    if due_at == came.due_at:
        return [("承接", f"{who}，其时限 {due_words(due_at)} 照旧")]
    return [("承接", f"{who}，其时限 {due_words(came.due_at)} 承接时已过{anew}")]


def _name(view: ItemView, share: int) -> str:
    """The unit of a share as far as the reader knows of it."""
    return next((p.unit_name for p in view.parts if p.id == share), "另一单位")


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
    dates = [("原时限", part.original_due), ("现时限", part.due_at)] if part.original_due else [("时限", part.due_at)]
    at = part.submitted_at or now
    said = f"{due_words(at)} 报送" if part.submitted_at else "尚未报送，截至现在"
    return [f"对{name} {due_words(due)}：{said}，{_held(at, due, calendar)}。" for name, due in dates if due]


def _held(at: datetime, due_at: datetime, calendar: WorkCalendar) -> str:
    if at <= due_at:
        return "没有逾期"
    return late_words(max(-calendar.days_left(local_day(at), last_day(due_at)), 0))
