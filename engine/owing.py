"""Who owes the reports of open rounds, when a share moves to another unit or begins to stand still.

Whoever answers for a share when a round is due owes its report; what was late by then stays with whoever was to give
it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, String, bindparam, cast, func, literal, or_, select

from engine import published
from engine.chasing import arm, disarm
from engine.desk import Case
from engine.notices import Notice, tell
from engine.rounds import GOES_ON, OPEN_SHARES
from ledger.database import Tx, head_columns
from ledger.places import ANSWERED_FOR
from ledger.schema import AnyRow, assignment, event, item, round_, share, stream, unit

_report = select(
    *(share.c.id, share.c.round_id, share.c.run_id, share.c.unit, share.c.assignment_id),
    *(round_.c.item_id, round_.c.cadence, round_.c.due_at),
).join(round_, round_.c.id == share.c.round_id)
_owed = _report.where(share.c.state == "owed", share.c.unit == bindparam("b_unit")).order_by(share.c.id)
_answering = (
    select(func.coalesce(unit.c.successor, unit.c.key)).where(unit.c.key == bindparam("b_unit")).scalar_subquery()
)
_owed_in_run = (  # with the stream locked in which rounds of the whole plan say who is asked
    _report.add_columns(*head_columns)
    .join(stream, stream.c.name == literal("run:").concat(cast(round_.c.run_id, String)))
    .where(
        share.c.state == "owed",
        or_(share.c.unit == bindparam("b_unit"), share.c.unit == _answering),
        round_.c.run_id == bindparam("b_run"),
        round_.c.closed_at.is_(None),
    )
    .order_by(share.c.id)
    .with_for_update(of=stream)
)
_asked_already = select(share.c.round_id, share.c.id, share.c.state, share.c.run_id).where(
    share.c.unit == bindparam("b_unit"), share.c.round_id.in_(bindparam("rounds", expanding=True))
)
_withdrawn = (  # what took reports away again
    select(event.c.kind, event.c.payload)
    .where(event.c.stream == bindparam("b_stream"), event.c.kind.in_(("round.released", "round.handed_on")))
    .order_by(event.c.seq)
)
_others = (
    select(assignment.c.id)
    .join(item, item.c.id == assignment.c.item_id)
    .where(
        assignment.c.run_id == bindparam("b_run"),
        assignment.c.unit.in_(ANSWERED_FOR),
        assignment.c.id.not_in(bindparam("but", expanding=True)),
        assignment.c.role.in_(OPEN_SHARES),
        GOES_ON,
    )
    .limit(1)
)


def reports_owed(connection: Connection, unit_key: str) -> Sequence[AnyRow]:
    """What a unit has been asked for and has not reported."""
    return connection.execute(_owed, {"b_unit": unit_key}).all()


def reports_of(tx: Tx, case: Case) -> Sequence[AnyRow]:
    """What the unit of a share, or whoever answers for it, has been asked for because of it and has not reported: its
    own occurrences, and the rounds of its run that ask about all that is worked on."""
    if case.parent_id or case.suspended_at:
        return ()
    asked = tx.read_locked(_owed_in_run, {"b_unit": case.unit, "b_run": case.run_id})
    mine = (case.id, None) if case.role in OPEN_SHARES else (case.id,)
    return [r for r in asked if r.assignment_id in mine]


def is_late(tx: Tx, report: AnyRow) -> bool:
    """Whether a report that is owed was due before now: it stays with whoever was to give it."""
    return bool(report.due_at <= tx.now)


def works_on(tx: Tx, run_id: int, unit_key: str, but: Collection[int]) -> bool:
    """Whether rounds of a run ask a unit because of other shares than these."""
    names = {"b_run": run_id, "b_unit": unit_key, "but": sorted(but)}
    return tx.connection.execute(_others, names).first() is not None


@dataclass(frozen=True)
class Passed:
    """A report that a unit owes and another is to give. `share`: the other's, where the round is an occurrence of its
    item; `beside`: the unit goes on owing its own, about what is left to it."""

    report: AnyRow
    share: int | None = None
    beside: bool = False


def pass_on(tx: Tx, going: Sequence[Passed], to: str) -> None:
    """Reports that this unit owes from now on, one for each round at most. One that it was let off it owes again, for
    now there is something to report about."""
    rounds = sorted({p.report.round_id for p in going})
    known = tx.connection.execute(_asked_already, {"b_unit": to, "rounds": rounds}).all() if going else ()
    again = {r.round_id: r.id for r in known if r.state == "withdrawn" and _is_let_off(tx, r)}
    asked = {r.round_id for r in known} - again.keys()
    new = [p for p in going if not (p.beside and p.report.round_id in asked)]
    ids = iter(tx.allocate("share", len(new)) if new else ())
    for p in new:
        r, own = p.report, None if p.report.round_id in asked else again.get(p.report.round_id) or next(ids)
        is_left = p.beside or r.assignment_id is not None  # that of an occurrence was withdrawn with its share
        payload = {
            **{"round": r.round_id, "run": r.run_id, "item": r.item_id, "unit": to, "share": own},
            **{"assignment": p.share, "owed": [] if is_left else [r.id], "due_at": r.due_at},
            **({"beside": True} if p.beside else {}),
            **({"again": True} if own is not None and own == again.get(r.round_id) else {}),
        }
        tx.record(f"item:{r.item_id}" if r.item_id else f"run:{r.run_id}", "round.handed_on", payload)
        if not p.beside:
            disarm(tx, [("share", r.id)])
        if own is not None:
            _ask(tx, r, own, to)


def _is_let_off(tx: Tx, report: AnyRow) -> bool:
    """Whether a report was taken away because time stood still, and not because it went to another unit."""
    acts = tx.connection.execute(_withdrawn, {"b_stream": f"run:{report.run_id}"})
    return [e.kind for e in acts if report.id in json.loads(e.payload)["owed"]][-1:] == ["round.released"]


def _ask(tx: Tx, r: AnyRow, new: int, to: str) -> None:
    cadences = published.of_run(tx.connection, r.run_id).plan.cadences
    ladder = next(c.ladder for c in cadences if c.id == r.cadence)
    arm(tx, "share", [new], r.due_at, ladder, only_ahead=True)
    tell(tx, [Notice("share", new, 1, "request", to, "liaison", r.run_id, r.item_id, immediate=True)])


def release(tx: Tx, case: Case) -> None:
    """A share begins to stand still, or ends without a result: where nothing else is left to its unit, it is not asked
    in its run any more. What it is late with it still owes."""
    if case.parent_id is None and case.suspended_at is None and case.role in OPEN_SHARES:
        release_unit(tx, case.run_id, case.unit, [case.id])


def release_unit(tx: Tx, run_id: int, unit_key: str, but: Collection[int]) -> None:
    """The same, of a unit whose shares these are, or of whoever answers for it."""
    asked = tx.read_locked(_owed_in_run, {"b_unit": unit_key, "b_run": run_id})
    reports = [r for r in asked if r.assignment_id is None and not is_late(tx, r)]
    if not reports or works_on(tx, run_id, reports[0].unit, but):
        return
    for r in reports:
        tx.record(f"run:{r.run_id}", "round.released", {"round": r.round_id, "run": r.run_id, "owed": [r.id]})
    disarm(tx, [("share", r.id) for r in reports])
