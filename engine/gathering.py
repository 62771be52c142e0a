"""Gathering notices into messages, one mail a person: at once for what cannot wait, else the day's digest.

What no longer holds (the share was reported, the todo done) is dropped as moot; a person with nothing left gets no
mail. The facts a mail shows are frozen here; it is rendered when it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, and_, bindparam, case, exists, func, literal, literal_column, select

from engine.moments import is_notice_time
from engine.notices import Notice, rung_of, settle, tell
from engine.outbox import Outgoing, put
from engine.wording import line_of, link_of, title_of
from ledger.calendar import local_day
from ledger.database import Tx
from ledger.directory import place_name
from ledger.people import UNIT_OF_TODO, Holder, asked_in, batched, units_answered_for, written_to
from ledger.queries.words import OUTCOME_WORDS
from ledger.rules.verbs import Role, State
from ledger.schema import AnyRow, assignment, intake, item, notice, petition, post, round_, run, share, step, todo, unit

recipient = unit.alias("recipient")
keeping = post.alias("keeping")

_IN_HAND = ("acknowledging", "working", "returned", "signing")
_AT_WORK = ("working", "returned")  # where steps are planned and reported
_WAITING = ("signing", "reviewing")
_BY_THE_CLOCK = ("handed", "request")
_COPIED = ("deputy_head", "coordinator")  # who gets the last tier of a unit's share for information


@dataclass
class _Mail:
    key: str
    kind: str
    holder: Holder
    lines: list[AnyRow] = field(default_factory=list)


def gather_immediate(tx: Tx) -> None:
    """Mails for what goes at once: 退回补正 and 催办; 交办 and 期次报送 too, but only in the hours of a working day."""
    waiting = notice.c.state == "pending", notice.c.immediate
    quiet = [] if is_notice_time(tx.now, tx.calendar) else [notice.c.tier.not_in(_BY_THE_CLOCK)]
    _mail(tx, _current(tx, _notices().where(*waiting, *quiet)), _act_of)


def _act_of(n: AnyRow) -> tuple[str, str]:
    """(kind, group): notices of one act share a mail, as the hand-out of a run, a round, one return, one urging do."""
    kind = n.tier.partition(":")[0]
    if kind == "moved":  # a whole unit's work may move at once
        return "told", f"{n.tier} {n.run_id} {n.at}"
    if kind in OUTCOME_WORDS:
        return "told", f"{n.owner_id} {n.arm} {n.tier}"
    match kind:
        case "handed":
            return kind, f"run {n.run_id}"
        case "request":
            return kind, f"round {n.round_id}"
    return kind, f"{n.owner_kind} {n.owner_id} {n.arm} {n.tier}"


def gather_digests(tx: Tx) -> None:
    """The day's mail of each person who has something to be told."""
    _tell_waiting(tx)
    day = local_day(tx.now)
    pending = _current(tx, _notices().where(notice.c.state == "pending", ~notice.c.immediate))
    _mail(tx, _highest(tx, pending), lambda _: ("digest", f"{day}"))


def _highest(tx: Tx, rows: Sequence[AnyRow]) -> list[AnyRow]:
    """Of an owner's ladder only the highest tier is told; a decision about days may bring two into one digest."""
    rungs = {n.id: (n.owner_kind, n.owner_id, n.arm, n.unit, n.role, *rung) for n in rows if (rung := rung_of(n.tier))}
    highest: dict[tuple[Any, ...], int] = {}
    for *ladder, tier in rungs.values():
        highest[tuple(ladder)] = max(tier, highest.get(tuple(ladder), tier))
    lower = {i for i, (*ladder, tier) in rungs.items() if tier < highest[tuple(ladder)]}
    settle(tx, lower, "superseded")
    return [n for n in rows if n.id not in lower]


def _tell_waiting(tx: Tx) -> None:
    """What waits for a signer or reviewer is told once, in the next digest."""
    rows = tx.connection.execute(_untold).all()
    waiting = [
        Notice("assignment", t.owner_id, t.arm, f"waiting:{t.step}", t.unit, t.role, t.run_id, t.item_id) for t in rows
    ]
    tell(tx, waiting)
    tx.flush()


_untold = (
    select(todo)
    .join(assignment, and_(todo.c.owner_kind == "assignment", todo.c.owner_id == assignment.c.id))
    .where(
        todo.c.closed_at.is_(None),
        assignment.c.state.in_(_WAITING),
        assignment.c.overlay.is_distinct_from(State.SUSPENDED.value),
        ~select(notice.c.id)
        .where(
            notice.c.owner_kind == "assignment",
            notice.c.owner_id == todo.c.owner_id,
            notice.c.arm == todo.c.arm,
            notice.c.tier == literal("waiting:").concat(todo.c.step),
            notice.c.unit == todo.c.unit,
            notice.c.role == todo.c.role,
        )
        .exists(),
    )
)


SHARE_OF = case(  # the share that a notice is about
    (notice.c.owner_kind.in_(("assignment", "planning")), notice.c.owner_id),
    (notice.c.owner_kind == "step", step.c.assignment_id),
)


_OFFICE = case((notice.c.owner_kind == "intake", notice.c.unit))  # of a case, whoever it waits for


_asked = exists().where(  # whether a post has not done yet what waits for it, where others may have
    todo.c.owner_kind == notice.c.owner_kind,
    todo.c.owner_id == notice.c.owner_id,
    todo.c.step == func.coalesce(assignment.c.step, intake.c.step),
    todo.c.arm == notice.c.arm,
    todo.c.unit == notice.c.unit,
    todo.c.role == notice.c.role,
    todo.c.closed_at.is_(None),
)


def _notices() -> Select[Any]:
    """Notices with what decides whether they still hold and what their line says."""
    owner_step = and_(notice.c.owner_kind == "step", step.c.id == notice.c.owner_id)
    owner_share = and_(notice.c.owner_kind == "share", share.c.id == notice.c.owner_id)
    return (
        select(
            notice,
            assignment.c.state.label("assignment_state"),
            assignment.c.overlay,
            item.c.lasting,
            assignment.c.unit.label("assignment_unit"),
            keeping.c.person_id.label("keeper"),
            assignment.c.step,
            assignment.c.arm.label("assignment_arm"),
            _asked.label("is_asked"),
            petition.c.id.label("petition_id"),
            petition.c.turn,
            share.c.state.label("share_state"),
            intake.c.step.label("intake_step"),
            intake.c.arm.label("intake_arm"),
            round_.c.id.label("round_id"),
            round_.c.name.label("round_name"),
            round_.c.n,
            assignment.c.steps_in_force,
            step.c.petition_id.label("step_of"),
            step.c.done_at.label("step_done_at"),
            func.coalesce(step.c.due_at, assignment.c.due_at, round_.c.due_at, intake.c.due_at).label("due_at"),
            item.c.title,
            item.c.no,
            item.c.cadence,
            run.c.short.label("plan"),
            run.c.plan.label("plan_key"),
            run.c.mail,
            unit.c.short.label("owner_unit"),
            recipient.c.short.label("to_unit"),
            run.c.jurisdiction,
        )
        .select_from(
            notice.outerjoin(step, owner_step)
            .outerjoin(assignment, assignment.c.id == SHARE_OF)
            .outerjoin(keeping, and_(keeping.c.id == assignment.c.keeper, keeping.c.until.is_(None)))
            .outerjoin(petition, and_(petition.c.assignment_id == assignment.c.id, petition.c.state == "open"))
            .outerjoin(share, owner_share)
            .outerjoin(round_, round_.c.id == share.c.round_id)
            .outerjoin(intake, and_(notice.c.owner_kind == "intake", intake.c.id == notice.c.owner_id))
            .outerjoin(item, item.c.id == notice.c.item_id)
            .join(run, run.c.id == notice.c.run_id)
            .join(unit, unit.c.key == func.coalesce(assignment.c.unit, share.c.unit, _OFFICE))  # a week's mail has none
            .join(recipient, recipient.c.key == notice.c.unit)
        )
        .order_by(notice.c.id)
    )


def _current(tx: Tx, query: Select[Any]) -> list[AnyRow]:
    """The notices that still hold; the others become moot."""
    rows = tx.connection.execute(query).all()
    current = [n for n in rows if holds(n)]
    settle(tx, {n.id for n in rows} - {n.id for n in current}, "moot")
    return current


def holds(n: AnyRow) -> bool:
    """Whether a notice still says what is so. A report that was missed is still told to be late, not asked for."""
    kind = n.tier.partition(":")[0]
    if n.owner_kind == "share":
        return bool(n.share_state == "owed" or (n.share_state == "missed" and kind != "request"))
    if n.owner_kind in ("step", "planning"):
        waits = n.assignment_state in _AT_WORK and n.overlay != State.SUSPENDED
        return waits and (_is_to_do(n) if n.owner_kind == "step" else _owes_steps(n))
    if n.owner_kind == "intake":
        is_there = n.tier == f"waiting:{n.intake_step}" or n.tier.startswith(f"chasing:{n.intake_step}.")
        return bool(is_there and n.intake_arm == n.arm)
    match kind:
        case "waiting":
            is_there = f"waiting:{n.step}" == n.tier and n.assignment_arm == n.arm and n.is_asked
            return bool(is_there and n.overlay != State.SUSPENDED)
        case "handed":
            return bool(n.assignment_state == "acknowledging")
        case "returned":
            return bool(n.assignment_state in ("working", "returned") and n.assignment_arm == n.arm)
        case "applied" | "pressing":
            return f"{n.tier}.".startswith(f"{kind}:{n.petition_id}.{n.turn}.")
    return kind in OUTCOME_WORDS or _is_chased(n)


def _is_chased(n: AnyRow) -> bool:
    """Whether a unit has it in hand and its time runs; 长期坚持 is chased by no date."""
    goes_on = n.assignment_state in _IN_HAND and n.overlay != State.SUSPENDED
    return bool(goes_on and not (n.lasting and rung_of(n.tier) is not None))


def _is_to_do(n: AnyRow) -> bool:
    """A step of the plan in force that is not done."""
    return bool(n.step_of == n.steps_in_force and n.step_done_at is None)


def _owes_steps(n: AnyRow) -> bool:
    return n.steps_in_force is None and n.overlay != State.PLANNING


def _is_copy(n: AnyRow) -> bool:
    """The last tier of a unit's share, told for information to its deputy head and to who handed it out, or down; of a
    step of a case, to all but who stands there."""
    if n.tier.startswith("chasing:"):
        return not n.is_asked
    is_own = (
        n.tier.startswith(("waiting:", "pressing:", "applied:"))
        or n.tier.partition(":")[0] in OUTCOME_WORDS
        or (n.assignment_state == "signing" and n.role == "deputy_head")
    )
    is_below = n.role == "liaison" and n.assignment_unit not in (None, n.unit)
    return (n.role in _COPIED or is_below) and not is_own


def _mail(tx: Tx, rows: Sequence[AnyRow], act_of: Callable[[AnyRow], tuple[str, str]]) -> None:
    """One message a person and act. A post that nobody holds keeps its notices until somebody does."""
    posts = asked_in(tx.connection, {((n.unit, n.role, n.plan_key), n.assignment_unit) for n in rows})
    mails: dict[tuple[str, str, int], _Mail] = {}
    for n in rows:
        kind, group = act_of(n)
        for h in _readers(n, posts[(n.unit, n.role, n.plan_key), n.assignment_unit]):
            # By what it tells first, which is told once: a day that a clock shows again may have its digest again.
            key = f"{kind}:{n.id}:{h.person_id}"
            mails.setdefault((kind, group, h.person_id), _Mail(key, kind, h)).lines.append(n)
    if mails:
        _store(tx, list(mails.values()))


def _readers(n: AnyRow, people: Sequence[Holder]) -> Sequence[Holder]:
    """Who of a post's holders is written to: of what was handed on inside the unit, the one who does it now; else the
    plan's own, and A 角. Each with who deputises for them (委托代理)."""
    is_kept = n.keeper is not None and (n.unit, n.role) == (n.assignment_unit, "liaison")
    return [h for h in people if is_kept and n.keeper in (h.person_id, h.deputy_of)] or written_to(people)


def _store(tx: Tx, mails: Sequence[_Mail]) -> None:
    counts = _open_todos(tx, mails)
    put(
        tx,
        [
            Outgoing(m.key, m.kind, m.holder, _context(tx, m, *counts[m.holder.person_id]), {n.id for n in m.lines})
            for m in mails
        ],
    )


def _open_todos(tx: Tx, mails: Sequence[_Mail]) -> dict[int, tuple[int, int]]:
    """(open todos, overdue ones) of each person who gets a mail."""
    persons = sorted({m.holder.person_id for m in mails})
    units = units_answered_for(tx.connection, persons)
    rows = [r for part in batched(units) for r in tx.connection.execute(_counts, {"units": part, "now": tx.now})]
    posts = asked_in(tx.connection, {((r.unit, r.role, r.plan), r.of_unit) for r in rows})
    counts = dict.fromkeys(persons, (0, 0))
    for r in rows:
        for h in posts[(r.unit, r.role, r.plan), r.of_unit]:
            if h.person_id in counts:
                n, late = counts[h.person_id]
                counts[h.person_id] = (n + r.n, late + r.late)
    return counts


_counts = (
    select(
        todo.c.unit,
        todo.c.role,
        run.c.plan,
        UNIT_OF_TODO.label("of_unit"),
        func.count().label("n"),
        func.count().filter(todo.c.due_at < bindparam("now", type_=todo.c.due_at.type)).label("late"),
    )
    .join(run, run.c.id == todo.c.run_id)
    .where(todo.c.closed_at.is_(None), todo.c.unit.in_(bindparam("units", expanding=True)))
    .group_by(todo.c.unit, todo.c.role, run.c.plan, literal_column("of_unit"))
)


def _context(tx: Tx, mail: _Mail, count: int, overdue: int) -> dict[str, Any]:
    """What a mail may say: counts, and titles where the plan allows them."""
    titles = [n for n in mail.lines if n.mail != "count"]
    first = mail.lines[0]
    return {
        "post": f"{first.to_unit} {Role(first.role).label}",
        "place": place_name(tx.connection, first.jurisdiction),
        "day": local_day(tx.now).isoformat(),
        "count": count,
        "overdue": overdue,
        "told": len(mail.lines),
        "copied": all(_is_copy(n) for n in mail.lines),
        "titles": len(titles) == len(mail.lines),
        "lines": [line_of(n, tx.now, tx.calendar) if n.mail == "full" else title_of(n) for n in titles],
        "plans": sorted({n.plan for n in mail.lines}),
        "act": OUTCOME_WORDS.get(first.tier.partition(":")[0], ""),
        "round": {"name": first.round_name, "n": first.n} if first.round_id else None,
        "link": link_of(first) if mail.kind != "digest" else "/inbox",
    }
