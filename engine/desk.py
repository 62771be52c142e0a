"""The edge where a person's act becomes one transaction, and what every command looks up first."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import (
    ColumnElement,
    Label,
    ScalarSelect,
    String,
    and_,
    bindparam,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy import case as sql_case
from sqlalchemy.exc import DBAPIError

from engine import published
from engine.advancing import advance_run
from ledger.capacities import capacities, giver_of
from ledger.database import Database, Tx, head_columns
from ledger.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from ledger.people import Actor, Desk
from ledger.rules.verbs import LEFT_OUT, Role, State, Verb, cell_of, refusal
from ledger.schema import AnyRow, assignment, intake, item, person, petition, post, run, stream, todo, unit
from ledger.writing import Stale

log = logging.getLogger(__name__)

RETRIED = ("40001", "40P01")  # serialization failure, deadlock
MAX_TEXT = 2000  # characters
_DONE = {"acknowledge": "签收了这项任务", "submit": "提交了这份申请", "sign": "办完了审签"}  # by the step's verb

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class TodoRef:
    """What a todo is called: never by a task id of the engine."""

    assignment_id: int
    step: str
    arm: int


@dataclass(frozen=True)
class Entry:
    """One report: the unit's own cumulative values by indicator id, what was done, what stands in the way, and the
    uploads that go with it."""

    figures: Mapping[int, Decimal] = field(default_factory=dict)
    progress: str = ""
    problem: str = ""
    files: Sequence[int] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.figures or self.progress or self.problem or self.files)


def perform(
    db: Database, actor: Actor, command: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """Run one command as one transaction. What it closed advances the plan once after the commit; the tick guarantees
    it.

    Raises: what the command raises (ledger.errors); Conflict when somebody was faster between reading and writing.
    """
    for is_last in (False, False, True):
        try:
            with db.write(actor) as tx:
                result = command(tx, *args, **kwargs)
                tx.flush()
                closed = sorted(tx.closed_runs)
            break
        except Stale as error:
            raise Conflict("另一位经办人", None, "办理了这一步") from error
        except DBAPIError as error:  # PostgreSQL chose this transaction as the victim; nothing was written
            if is_last or getattr(error.orig, "sqlstate", None) not in RETRIED:
                raise
    for run_id in closed:
        try:
            advance_run(db, run_id)
        except Exception:  # the row stays; the tick tries again
            log.exception("advance of run %s is left to the tick", run_id)
    return result


_peer = assignment.alias("peer")
_parent, _parent_unit, post_unit = assignment.alias("parent"), unit.alias("parent_unit"), unit.alias("post_unit")
_first_lead = (
    select(_peer.c.unit)
    .where(_peer.c.item_id == assignment.c.item_id, _peer.c.role == "lead", _peer.c.state.not_in(LEFT_OUT))
    .order_by(_peer.c.ord)
    .limit(1)
    .scalar_subquery()
)


def _parts(*where: ColumnElement[bool]) -> ScalarSelect[Any]:
    """How many parts of a share there are for which this holds."""
    counted = select(func.count()).where(_peer.c.parent_id == assignment.c.id, *where)
    return counted.correlate(assignment).scalar_subquery()


def carried_by(item_id: ColumnElement[int]) -> Label[Any]:
    """`n_intakes`: how many cases (来件) wait for an item to be over."""
    waiting = select(func.count()).where(intake.c.item_id == item_id, intake.c.state == "carrying")
    return waiting.scalar_subquery().label("n_intakes")


_cases = (
    select(
        assignment.c.id,
        assignment.c.item_id,
        assignment.c.run_id,
        assignment.c.unit,
        assignment.c.role,
        assignment.c.state,
        assignment.c.step,
        assignment.c.arm,
        assignment.c.version,
        assignment.c.due_at,
        assignment.c.presumed,
        assignment.c.submitted_at,
        assignment.c.ord,
        assignment.c.quota,
        assignment.c.overlay,
        assignment.c.original_due,
        assignment.c.suspended_at,
        assignment.c.acknowledged_at,
        assignment.c.steps_in_force,
        item.c.needs_steps,
        item.c.state.label("item_state"),
        item.c.element,
        item.c.due_text,
        carried_by(item.c.id),
        item.c.completion,
        item.c.gated,
        func.coalesce(assignment.c.lifecycle, item.c.lifecycle).label("lifecycle"),
        # Occurrences are asked of the shares that the office handed out.
        sql_case((assignment.c.parent_id.is_(None), item.c.cadence)).label("cadence"),
        assignment.c.parent_id,
        _parent.c.unit.label("parent_unit"),
        _parent.c.due_at.label("parent_due"),
        _parent.c.suspended_at.label("parent_suspended"),
        _parent.c.state.label("parent_state"),
        _parent.c.quota.label("parent_quota"),
        _parent_unit.c.short.label("parent_name"),
        _parts(_peer.c.state.not_in(LEFT_OUT)).label("n_parts"),
        _parts(_peer.c.closed_at.is_(None)).label("n_parts_open"),
        run.c.plan,
        run.c.office,
        run.c.jurisdiction,
        run.c.extends,
        run.c.sign_roles,
        run.c.mend_days,
        run.c.ladder,
        unit.c.name.label("unit_name"),
        unit.c.kind.label("unit_kind"),
        unit.c.host,
        unit.c.successor,
        unit.c.jurisdiction.label("place"),
        todo.c.unit.label("open_unit"),
        todo.c.role.label("open_role"),
        petition.c.id.label("petition_id"),
        petition.c.kind.label("petition_kind"),
        petition.c.chain,
        petition.c.turn,
        petition.c.asked_due,
        petition.c.asked_unit,
        _first_lead.label("lead_unit"),
        *head_columns,
    )
    .select_from(
        assignment.join(item, item.c.id == assignment.c.item_id)
        .join(stream, stream.c.name == literal("item:").concat(cast(item.c.id, String)))
        .join(run, run.c.id == assignment.c.run_id)
        .join(unit, unit.c.key == assignment.c.unit)
        .outerjoin(_parent, _parent.c.id == assignment.c.parent_id)
        .outerjoin(_parent_unit, _parent_unit.c.key == _parent.c.unit)
        .outerjoin(
            todo,
            and_(
                todo.c.owner_kind == "assignment",
                todo.c.owner_id == assignment.c.id,
                todo.c.step == assignment.c.step,
                todo.c.arm == assignment.c.arm,
                todo.c.closed_at.is_(None),
            ),
        )
        .outerjoin(petition, and_(petition.c.assignment_id == assignment.c.id, petition.c.state == "open"))
    )
    .where(assignment.c.id.in_(bindparam("b_ids", expanding=True)))
    .order_by(stream.c.name)
    .with_for_update(of=stream)
)
items_of = select(literal("item:").concat(cast(assignment.c.item_id, String))).where(
    assignment.c.id.in_(bindparam("b_ids", expanding=True))
)


@dataclass(frozen=True)
class Case:
    """A share as `_cases` reads it. `seats` are the posts (unit, role) at which its step stands: one, or several where
    they sign together; `todo_unit` and `todo_role` are the actor's own among them, or else the first."""

    row: AnyRow
    seats: Sequence[tuple[str, str]]
    todo_unit: str | None
    todo_role: str | None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.row, name)


@dataclass(frozen=True)
class _Stand:
    """A case as `ledger.capacities` sees it."""

    case: Case
    holders: Sequence[tuple[str, str]]
    decider: tuple[str, str] | None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.case, name)


def decider_of(case: Case) -> tuple[str, str] | None:
    """The post (unit, role) before which what was applied for lies."""
    return chain_of(case)[case.turn - 1] if case.petition_id else None


def giver(case: Case) -> tuple[str, str]:
    """The post (unit, role) that handed this share out, or down."""
    return giver_of(case.office, case.parent_unit)


def chain_of(case: Case) -> list[tuple[str, str]]:
    """The posts (unit, role) that decide on a petition in turn."""
    return [(unit_key, role) for unit_key, role in json.loads(case.chain)]


def cases_of(tx: Tx, assignment_ids: Iterable[int]) -> dict[int, Case]:
    """Shares with their items, runs, units and open todos, by id in its order; their items' streams are locked.

    Raises: NotFound.
    """
    ids = sorted(set(assignment_ids))
    found: dict[int, list[AnyRow]] = {}
    for r in tx.read_locked(_cases, {"b_ids": ids}):
        found.setdefault(r.id, []).append(r)
    if len(found) != len(ids):
        raise NotFound("没有这项责任分工。")
    return {i: _case(tx.actor, found[i]) for i in ids}


def _case(actor: Actor, rows: Sequence[AnyRow]) -> Case:
    """A share of its rows, one for each post at which it stands (or one without)."""
    seats = sorted((r.open_unit, r.open_role) for r in rows if r.open_role)
    own = next((s for s in seats if actor.seat(s, rows[0].plan, rows[0].unit)), seats[0] if seats else (None, None))
    return Case(rows[0], seats, *own)


def case_of(tx: Tx, assignment_id: int) -> Case:
    """One of `cases_of`."""
    return cases_of(tx, [assignment_id])[assignment_id]


def open_case(tx: Tx, ref: TodoRef) -> Case:
    """The share whose todo this is, if it still stands and the actor holds its post.

    Raises: NotFound; Conflict naming who was faster; NotAllowed.
    """
    return take(tx, ref, case_of(tx, ref.assignment_id))


def take(tx: Tx, ref: TodoRef, case: Case) -> Case:
    """Sit down at a todo of a share that `cases_of` has read. Raises: Conflict, NotAllowed."""
    if (case.step, case.arm) != (ref.step, ref.arm):
        raise _done_before(tx, ref, case)
    try:
        tx.desk = seat(tx.actor, case.todo_unit or "", case.todo_role or "", case.plan, case.unit)
    except NotAllowed:
        if len(case.seats) and _own_done(tx, ref, case.plan):
            raise _done_before(tx, ref, case) from None
        raise
    return case


def permit(tx: Tx, case: Case, verb: Verb) -> None:
    """Sit down at the post from which the actor may do this. Raises, in the words of the table: Refused when the verb
    is not for this state, NotAllowed when it is for others."""
    overlay = State(case.overlay) if case.overlay else None
    mine = capacities(tx.actor, _Stand(case, case.seats, decider_of(case)))
    words = refusal(
        State(case.state),
        verb,
        mine,
        overlay=overlay,
        holder="、".join(_named(case, s) for s in case.seats),
        decider=_named(case, decider_of(case)),
        giver=case.parent_name or "",
        feedback=case.role == "cooperating",
    )
    who = cell_of(State(case.state), verb, overlay).who
    if words:
        raise (NotAllowed if who else Refused)(words)
    tx.desk = next(mine[capacity] for capacity in who if capacity in mine)


def _named(case: Case, post: tuple[str, str] | None) -> str:
    """A post in words; of another unit than the share's, or the one that handed it down, its role alone."""
    if post is None:
        return ""
    names = {case.parent_unit: case.parent_name, case.unit: case.unit_name}
    return f"{names.get(post[0], '')}{Role(post[1]).label}"


def limit_texts(**texts: str) -> None:
    """Raises Invalid for a text, by its field's name, that is longer than a record can hold."""
    too_long = {name: len(words) for name, words in texts.items() if len(words) > MAX_TEXT}
    if too_long:
        raise Invalid({name: f"文字过长（{n} 字），请压缩到 {MAX_TEXT} 字以内。" for name, n in too_long.items()})


def seat(actor: Actor, unit_key: str, role: str, plan: str, of: str) -> Desk:
    """The post from which the actor acts on a unit's (`of`) todo at this unit and role. Raises: NotAllowed."""
    desk = actor.seat((unit_key, role), plan, of)
    if desk is None:
        raise NotAllowed("这件待办不在您的岗位上，您可以查看，不能办理。")
    return desk


_done = (
    select(todo.c.unit, todo.c.role, todo.c.closed_at, post_unit.c.short, person.c.name)
    .select_from(
        todo.outerjoin(post, post.c.id == todo.c.closed_post)
        .outerjoin(post_unit, post_unit.c.key == post.c.unit)
        .outerjoin(person, person.c.id == post.c.person_id)
    )
    .where(
        todo.c.owner_kind == "assignment",
        todo.c.owner_id == bindparam("b_id"),
        todo.c.step == bindparam("b_step"),
        todo.c.arm == bindparam("b_arm"),
        todo.c.closed_at.is_not(None),
    )
    .order_by(todo.c.closed_at.desc())
)


def done_of(tx: Tx, ref: TodoRef) -> Sequence[AnyRow]:
    """The todos of a step that are done, the last one first."""
    return tx.connection.execute(_done, {"b_id": ref.assignment_id, "b_step": ref.step, "b_arm": ref.arm}).all()


def _own_done(tx: Tx, ref: TodoRef, plan: str) -> list[AnyRow]:
    """Of a step where several sign what the actor's own posts have done already."""
    return [r for r in done_of(tx, ref) if tx.actor.desk(r.unit, r.role, plan)]


def _done_before(tx: Tx, ref: TodoRef, case: Case) -> Conflict:
    """Who was faster, and when: the actor's own post, or whoever has ended the step."""
    done = [*_own_done(tx, ref, case.plan), *done_of(tx, ref)]
    if not done:
        return Conflict("系统", None, "变更了这件待办")
    who = f"{done[0].short} {done[0].name}" if done[0].name else "系统"
    return Conflict(who, done[0].closed_at, _done_words(case.lifecycle, ref.step))


def _done_words(lifecycle: str, step: str) -> str:
    try:
        return _DONE.get(published.lifecycle(lifecycle).step(step).verb, "审核了这份申请")
    except KeyError:
        return "审核了这份申请"
