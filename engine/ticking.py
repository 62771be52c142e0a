"""The tick: what time makes happen. Nothing in a diagram looks at a clock; every moment is a row of `due`.

Any number of schedulers may tick. Each transaction first moves the heartbeat row, which serialises them: the second
finds the work done. A row that fails is logged and stays due; the others go on.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time

from sqlalchemy import and_, bindparam, delete, exists, literal, null, or_, select, text, tuple_

from engine import deputies, reorganising
from engine.advancing import drain, release_timer
from engine.chasing import parse_ladder, wake
from engine.gathering import gather_digests, gather_immediate
from engine.moments import RANK_DIGEST, Moment, digest_moment, is_notice_time, next_day, week_day, weekly_moment
from engine.notices import Notice, tell
from engine.opening import open_item, reopen_state
from engine.rounds import close_round, open_round
from engine.vacancies import gather_vacancies
from engine.weekly import gather_weekly
from ledger.calendar import local_day, moment
from ledger.capacities import giver_of
from ledger.clock import ClockInDoubt, mark_refused
from ledger.database import Database, Tx
from ledger.directory import known_units
from ledger.rules.intakes import LADDER
from ledger.rules.ladder import highest_passed
from ledger.schema import (
    AnyRow,
    advance,
    assignment,
    due,
    heartbeat,
    intake,
    item,
    notice,
    petition,
    round_,
    run,
    share,
    step,
    todo,
)
from ledger.sealing import BATCH, is_complete, seal_events

log = logging.getLogger(__name__)

TIER_BATCH = 500
MOST_DAYS = 60  # of a ladder, before and after

_beat = text(
    "INSERT INTO heartbeat (name, beat_at) VALUES ('tick', :at)"
    " ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at"
).bindparams(bindparam("at", type_=heartbeat.c.beat_at.type))

DueRow = AnyRow


def tick(db: Database) -> int:
    """Do everything that is due at the business clock's present; returns how many due rows were done. Nothing is while
    the machine's clock is in doubt."""
    if not _is_sure(db):
        return 0
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


def start_ticking(tx: Tx, now: datetime) -> None:
    """Plant the daily digest and the coordinators' weekly mail. One that lies further ahead than its next hour was
    planted by a clock that has been set back since, or under another calendar: it would be missed until then."""
    system = due.c.owner_kind == "system"
    planted = {r.kind: r.at for r in tx.connection.execute(select(due.c.kind, due.c.at).where(system))}
    this_week = weekly_moment(week_day(now, tx.calendar))
    weekly = this_week if this_week.at > now else weekly_moment(week_day(now, tx.calendar, weeks=1))
    for regular in (digest_moment(next_day(now, tx.calendar)), weekly):
        if regular.kind not in planted or planted[regular.kind] > regular.at:
            tx.connection.execute(delete(due).where(system, due.c.kind == regular.kind))
            _plant(tx, regular)


def _is_sure(db: Database) -> bool:
    """Whether this machine shows a time that may be believed; either way a scheduler is alive, and says what it saw."""
    with _ticking(db) as tx:
        try:
            now = tx.now
        except ClockInDoubt as doubt:
            mark_refused(tx.connection, doubt.shown)
            log.error("nothing is done: the clock is in doubt; set it right, or run duban scheduler --clock-is-right")
            return False
        start_ticking(tx, db.clock.attest(tx.connection, now))
        return True


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
            cadence, _, turn = name.rpartition(":")
            plan, _ = reopen_state(tx, row.owner_id)
            open_round(tx, plan, row.owner_id, cadence, turn)
        case "close":
            close_round(tx, row.owner_id)
        case "open":
            _open_by_date(tx, row.owner_id)
        case "leave":
            deputies.end(tx, row.owner_id)
        case "reorganise":
            reorganising.carry_out(tx, row.owner_id)
        case "digest":
            _digest(tx)
        case "weekly":
            _weekly(tx)
        case _:
            raise LookupError(f"nobody fires due rows of kind {row.kind}")


def _open_by_date(tx: Tx, item_id: int) -> None:
    found = tx.connection.execute(select(item.c.run_id, item.c.element).where(item.c.id == item_id)).one()
    plan, _ = reopen_state(tx, found.run_id)
    known = known_units(tx.connection, plan.facts.jurisdiction)
    open_item(tx, found.run_id, plan, known, next(i for i in plan.items if i.id == found.element), item_id)


def _digest(tx: Tx) -> None:
    """Today's digest, once its hour has come on a working day; else it is only planted anew."""
    if is_notice_time(tx.now, tx.calendar):
        gather_digests(tx)
        gather_vacancies(tx)
    _plant(tx, digest_moment(next_day(tx.now, tx.calendar)))


def _weekly(tx: Tx) -> None:
    """The coordinators' mail of the week, on its first working day; after a downtime on the next one there is."""
    if is_notice_time(tx.now, tx.calendar):
        gather_weekly(tx)
        _plant(tx, weekly_moment(week_day(tx.now, tx.calendar, weeks=1)))
    else:
        _plant(tx, weekly_moment(next_day(tx.now, tx.calendar)))


def _plant(tx: Tx, regular: Moment) -> None:
    wake(tx, "system", [0], [regular])


# ---------------------------------------------------------------- tiers
def _fire_tiers(tx: Tx, rows: Sequence[DueRow]) -> None:
    """Of the tiers an owner has passed only the highest is told; lower ones are kept as superseded."""
    rungs: dict[tuple[str, int, int], list[tuple[int, datetime]]] = defaultdict(list)
    for row in rows:
        rungs[row.owner_kind, row.owner_id, row.arm].append((int(row.kind.removeprefix("tier:")), row.at))
    owners = _owners(tx, {(kind, owner) for kind, owner, _ in rungs})
    notices = []
    for (kind, owner_id, turn), passed in rungs.items():
        held = owners[kind, owner_id]
        decided = highest_passed(passed, tx.now)
        if kind == "step" and (("assignment", held[0].assignment_id) in owners or held[0].is_told):
            tiers = [(tier, "superseded") for tier, _ in passed]  # the share's own date speaks today, once is enough
            notices += [n for tier, state in tiers for n in _tier_notices(kind, held, turn, tier, state)]
            continue
        tiers = [(tier, "superseded") for tier in decided.superseded]
        for tier, state in [*tiers, (decided.send, "pending")]:
            if tier is not None:
                notices += _tier_notices(kind, held, turn, tier, state)
    tell(tx, notices)


def _tier_notices(kind: str, held: Sequence[AnyRow], turn: int, tier: int, state: str) -> list[Notice]:
    """Who holds a todo of the owner is told, several where they sign together; the plan's last tier is copied to the
    unit's deputy head and to who handed it out."""
    owner, told = held[0], [(r.unit, r.role or "liaison") for r in held]
    if kind == "petition":
        name = f"pressing:{owner.id}.{turn}.{tier}"
        return [
            Notice("assignment", owner.assignment_id, turn, name, *told[0], owner.run_id, owner.item_id, state=state)
        ]
    if kind == "intake":
        if tier == max(LADDER):  # whose desk it is on is told on, and to who may do it too
            told += [(owner.office, "deputy_head"), (owner.office, "coordinator")]
        name = f"chasing:{owner.step}.{tier}"
        return [
            Notice(kind, owner.id, turn, name, *place, owner.run_id, owner.item_id, state=state)
            for place in dict.fromkeys(told)
        ]
    if kind in ("step", "planning"):
        return [Notice(kind, owner.id, turn, str(tier), *told[0], owner.run_id, owner.item_id, state=state)]
    if tier > 0 and tier >= max(parse_ladder(owner.ladder)):
        told += [(owner.unit, "deputy_head"), giver_of(owner.office, owner.parent_unit)]
    return [
        Notice(kind, owner.id, turn, str(tier), unit, role, owner.run_id, owner.item_id, state=state)
        for unit, role in dict.fromkeys(told)
    ]


def _today(tx: Tx) -> dict[str, object]:
    """What a step's reminder is held against: every tier that a share's own date may have spoken with today."""
    tiers = [str(tier) for tier in range(-MOST_DAYS, MOST_DAYS + 1)]
    return {"b_now": tx.now, "b_today": moment(local_day(tx.now), time()), "b_tiers": tiers}


def _owners(tx: Tx, wanted: set[tuple[str, int]]) -> dict[tuple[str, int], list[AnyRow]]:
    """What the due rows are about: a row for each of its open todos, or one without."""
    found: dict[tuple[str, int], list[AnyRow]] = {}
    for kind, query in _OWNERS.items():
        ids = [owner for k, owner in wanted if k == kind]
        if ids:
            asked = query.where(query.selected_columns.id.in_(ids))
            for r in tx.connection.execute(asked, _today(tx) if kind == "step" else {}):
                found.setdefault((kind, r.id), []).append(r)
    return found


parent = assignment.alias("parent")
# Whether the ladder of a share's own date speaks on the same day as one of its steps.
_of_own_date = due.c.owner_kind == "assignment", due.c.owner_id == step.c.assignment_id, due.c.kind.like("tier:%")
_still_to_tell = exists().where(*_of_own_date, due.c.at <= bindparam("b_now", type_=due.c.at.type))
_told_today = exists().where(
    notice.c.owner_kind == "assignment",
    notice.c.owner_id == step.c.assignment_id,
    notice.c.tier.in_(bindparam("b_tiers", expanding=True)),
    notice.c.at >= bindparam("b_today", type_=notice.c.at.type),
)
_OWNERS = {
    "assignment": select(
        assignment.c.id,
        assignment.c.unit,
        assignment.c.run_id,
        assignment.c.item_id,
        run.c.office,
        parent.c.unit.label("parent_unit"),
        run.c.ladder,
        todo.c.role,
    )
    .join(run, run.c.id == assignment.c.run_id)
    .outerjoin(parent, parent.c.id == assignment.c.parent_id)
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
    "intake": select(intake.c.id, intake.c.step, todo.c.unit, todo.c.role, todo.c.run_id, todo.c.item_id, run.c.office)
    .join(todo, and_(todo.c.owner_kind == "intake", todo.c.owner_id == intake.c.id, todo.c.closed_at.is_(None)))
    .join(run, run.c.id == intake.c.run_id),
    "step": select(
        step.c.id,
        step.c.assignment_id,
        assignment.c.unit,
        assignment.c.run_id,
        assignment.c.item_id,
        literal("liaison").label("role"),
        or_(_still_to_tell, _told_today).label("is_told"),
    ).join(assignment, assignment.c.id == step.c.assignment_id),
    "planning": select(
        assignment.c.id,
        assignment.c.unit,
        assignment.c.run_id,
        assignment.c.item_id,
        literal("liaison").label("role"),
    ),
    "share": select(
        share.c.id,
        share.c.unit,
        share.c.run_id,
        round_.c.item_id,
        run.c.office,
        null().label("parent_unit"),
        run.c.ladder,
        literal("liaison").label("role"),
    )
    .join(round_, round_.c.id == share.c.round_id)
    .join(run, run.c.id == share.c.run_id),
}
