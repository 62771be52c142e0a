"""The tick: what time makes happen. Nothing in a diagram looks at a clock; every moment is a row of `due`.

Any number of schedulers may tick. Each transaction first moves the heartbeat row, which serialises them: the second
finds the work done. A row that fails is logged and stays due; the others go on.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from sqlalchemy import and_, bindparam, delete, literal, select, text, tuple_

from engine import deputies
from engine.advancing import drain, release_timer
from engine.chasing import RANK_DIGEST, RANK_WEEKLY, parse_ladder, wake
from engine.gathering import gather_digests, gather_immediate
from engine.notices import Notice, tell
from engine.opening import open_item, reopen_state
from engine.rounds import close_round, open_round
from engine.weekly import gather_weekly, monday_of
from ledger.calendar import local_day, moment
from ledger.database import Database, Tx
from ledger.rules.ladder import NOTICE_TIME, highest_passed
from ledger.schema import AnyRow, advance, assignment, due, heartbeat, item, petition, round_, run, share, todo
from ledger.sealing import BATCH, is_complete, seal_events

log = logging.getLogger(__name__)

TIER_BATCH = 500

_beat = text(
    "INSERT INTO heartbeat (name, beat_at) VALUES ('tick', :at)"
    " ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at"
).bindparams(bindparam("at", type_=heartbeat.c.beat_at.type))

DueRow = AnyRow


def tick(db: Database) -> int:
    """Do everything that is due at the business clock's present; returns how many due rows were done."""
    _advance_runs(db)
    done, failed, batch = 0, set[int](), TIER_BATCH
    while True:
        count, failure = _fire_next(db, failed, batch)
        if not count and not failure:
            break
        done += count
        if len(failure) > 1 and batch > 1:
            batch = 1  # one bad row must not hold up the tiers of the others: take them owner by owner
        else:
            failed |= failure
    try:
        with _ticking(db) as tx:
            gather_immediate(tx)
    except Exception:  # the notices stay pending
        log.exception("notices could not be gathered")
    _seal(db)
    if done or failed:
        log.info("tick", extra={"fired": done, "failed": len(failed)})
    return done


def start_ticking(tx: Tx) -> None:
    """Plant the daily digest and the coordinators' weekly mail; harmless when they stand already."""
    planted = set(tx.connection.execute(select(due.c.kind).where(due.c.owner_kind == "system")).scalars())
    if "digest" not in planted:
        _plant_digest(tx)
    if "weekly" not in planted:
        today = local_day(tx.now)
        first = tx.calendar.on_or_after(monday_of(today))
        ahead = tx.now < moment(first, NOTICE_TIME)
        _plant(tx, "weekly", first if ahead else _next_week(tx), RANK_WEEKLY)


def _seal(db: Database) -> None:
    """Seal what has been committed, in short transactions of its own."""
    try:
        with db.read() as connection:
            if is_complete(connection):
                return
        sealed = BATCH
        while sealed == BATCH:
            with _ticking(db) as tx:
                sealed = seal_events(tx)
    except Exception:  # what has no seal yet gets one with the next tick
        log.exception("events could not be sealed")


@contextmanager
def _ticking(db: Database) -> Iterator[Tx]:
    """A transaction of the tick: the heartbeat's row lock makes ticking single-file."""
    with db.write() as tx:
        tx.connection.execute(_beat, {"at": tx.recorded_at})
        yield tx


def _advance_runs(db: Database) -> None:
    with db.read() as connection:
        waiting = connection.execute(select(advance.c.run_id).distinct()).scalars().all()
    for run_id in waiting:
        try:
            with _ticking(db) as tx:
                drain(tx, run_id)
        except Exception:  # one broken run must not stop the others; its rows stay
            log.exception("run %s could not advance", run_id)


def _fire_next(db: Database, failed: set[int], batch: int) -> tuple[int, set[int]]:
    """Fire the first due row, or all passed tiers when it is a tier: (rows done, rows that failed)."""
    ids: list[int] = []
    try:
        with _ticking(db) as tx:
            rows = _claim(tx, failed, batch)
            ids = [r.id for r in rows]
            if not rows:
                return 0, set()
            tx.connection.execute(delete(due).where(due.c.id.in_(ids)))
            _fire_tiers(tx, rows) if _is_tier(rows[0]) else _fire(tx, rows[0])
            tx.flush()
        return len(ids), set()
    except Exception:  # the sweep goes on; the rows stay due
        log.exception("due rows %s failed", ids)
        return 0, set(ids)


def _is_tier(row: DueRow) -> bool:
    return bool(row.kind.startswith("tier:"))


def _claim(tx: Tx, failed: set[int], batch: int) -> Sequence[DueRow]:
    # After a downtime the digests wait for everything else that has passed, else they would go out without it.
    order = (due.c.rank >= RANK_DIGEST, due.c.at, due.c.rank, due.c.id)
    passed = select(due).where(due.c.at <= tx.now, due.c.id.not_in(failed)).order_by(*order)
    rows = tx.connection.execute(passed.limit(1)).all()
    if not rows or not _is_tier(rows[0]):
        return rows
    first = tx.connection.execute(passed.where(due.c.kind.like("tier:%")).limit(batch)).all()
    owners = {
        (r.owner_kind, r.owner_id) for r in first
    }  # an owner's passed tiers go together: only the highest is sent
    same = passed.where(due.c.kind.like("tier:%"), tuple_(due.c.owner_kind, due.c.owner_id).in_(owners))
    return tx.connection.execute(same).all()


def _fire(tx: Tx, row: DueRow) -> None:
    verb, _, name = row.kind.partition(":")
    match verb:
        case "timer":
            release_timer(tx, row.owner_id, name)
        case "round":
            cadence, _, n = name.rpartition(":")
            plan, _ = reopen_state(tx, row.owner_id)
            open_round(tx, plan, row.owner_id, cadence, int(n))
        case "close":
            close_round(tx, row.owner_id)
        case "open":
            _open_by_date(tx, row.owner_id)
        case "leave":
            deputies.end(tx, row.owner_id)
        case "digest":
            _digest(tx)
        case "weekly":
            _weekly(tx)
        case _:
            raise LookupError(f"nobody fires due rows of kind {row.kind}")


def _open_by_date(tx: Tx, item_id: int) -> None:
    found = tx.connection.execute(select(item.c.run_id, item.c.element).where(item.c.id == item_id)).one()
    plan, _ = reopen_state(tx, found.run_id)
    open_item(tx, found.run_id, plan, next(i for i in plan.items if i.id == found.element), item_id)


def _digest(tx: Tx) -> None:
    """Today's digest, once its hour has come on a working day; else it is only planted anew."""
    if _is_notice_time(tx):
        gather_digests(tx)
        _plant(tx, "digest", tx.calendar.after(local_day(tx.now), 1), RANK_DIGEST)
    else:
        _plant_digest(tx)


def _weekly(tx: Tx) -> None:
    """The coordinators' mail of the week, on its first working day; after a downtime on the next one there is."""
    if _is_notice_time(tx):
        gather_weekly(tx)
        _plant(tx, "weekly", _next_week(tx), RANK_WEEKLY)
    else:
        _plant(tx, "weekly", _next_day(tx), RANK_WEEKLY)


def _next_week(tx: Tx) -> date:
    """The first working day of the next week."""
    return tx.calendar.on_or_after(monday_of(local_day(tx.now)) + timedelta(days=7))


def _is_notice_time(tx: Tx) -> bool:
    today = local_day(tx.now)
    return tx.calendar.is_working_day(today) and tx.now >= moment(today, NOTICE_TIME)


def _next_day(tx: Tx) -> date:
    """The next day with a nine o'clock to come: today, if it is a working day."""
    today = local_day(tx.now)
    ahead = tx.calendar.is_working_day(today) and tx.now < moment(today, NOTICE_TIME)
    return today if ahead else tx.calendar.after(today, 1)


def _plant_digest(tx: Tx) -> None:
    _plant(tx, "digest", _next_day(tx), RANK_DIGEST)


def _plant(tx: Tx, kind: str, day: date, rank: int) -> None:
    wake(tx, [("system", 0, kind, 1, moment(day, NOTICE_TIME), rank)])


# ---------------------------------------------------------------- tiers
def _fire_tiers(tx: Tx, rows: Sequence[DueRow]) -> None:
    """Of the tiers an owner has passed only the highest is told; lower ones are kept as superseded."""
    rungs: dict[tuple[str, int, int], list[tuple[int, datetime]]] = defaultdict(list)
    for row in rows:
        rungs[row.owner_kind, row.owner_id, row.arm].append((int(row.kind.removeprefix("tier:")), row.at))
    owners = _owners(tx, {(kind, owner) for kind, owner, _ in rungs})
    notices = []
    for (kind, owner_id, turn), passed in rungs.items():
        owner = owners[kind, owner_id]
        decided = highest_passed(passed, tx.now)
        tiers = [(tier, "superseded") for tier in decided.superseded]
        for tier, state in [*tiers, (decided.send, "pending")]:
            if tier is not None:
                notices += _tier_notices(kind, owner, turn, tier, state)
    tell(tx, notices)


def _tier_notices(kind: str, owner: AnyRow, turn: int, tier: int, state: str) -> list[Notice]:
    """Who holds the todo is told; the plan's last tier is copied to the unit's deputy head and the coordinator."""
    told = [(owner.unit, owner.role or "liaison")]
    if kind == "petition":
        name = f"pressing:{owner.id}.{turn}.{tier}"
        return [
            Notice("assignment", owner.assignment_id, turn, name, *told[0], owner.run_id, owner.item_id, state=state)
        ]
    if tier > 0 and tier >= max(parse_ladder(owner.ladder)):
        told += [(owner.unit, "deputy_head"), (owner.office, "coordinator")]
    return [
        Notice(kind, owner.id, turn, str(tier), unit, role, owner.run_id, owner.item_id, state=state)
        for unit, role in told
    ]


def _owners(tx: Tx, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], AnyRow]:
    found: dict[tuple[str, int], AnyRow] = {}
    for kind, query in _OWNERS.items():
        ids = [owner for k, owner in wanted if k == kind]
        if ids:
            found |= {(kind, r.id): r for r in tx.connection.execute(query.where(query.selected_columns.id.in_(ids)))}
    return found


_OWNERS = {
    "assignment": select(
        assignment.c.id,
        assignment.c.unit,
        assignment.c.run_id,
        assignment.c.item_id,
        run.c.office,
        run.c.ladder,
        todo.c.role,
    )
    .join(run, run.c.id == assignment.c.run_id)
    .outerjoin(
        todo,
        and_(
            todo.c.owner_kind == "assignment",
            todo.c.owner_id == assignment.c.id,
            todo.c.unit == assignment.c.unit,
            todo.c.closed_at.is_(None),
        ),
    ),
    "petition": select(
        petition.c.id, petition.c.assignment_id, todo.c.unit, todo.c.role, todo.c.run_id, todo.c.item_id
    ).join(todo, and_(todo.c.owner_kind == "petition", todo.c.owner_id == petition.c.id, todo.c.closed_at.is_(None))),
    "share": select(
        share.c.id,
        share.c.unit,
        share.c.run_id,
        round_.c.item_id,
        run.c.office,
        run.c.ladder,
        literal("liaison").label("role"),
    )
    .join(round_, round_.c.id == share.c.round_id)
    .join(run, run.c.id == share.c.run_id),
}
