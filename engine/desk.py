"""The edge where a person's act becomes one transaction, and what every command looks up first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, and_, bindparam, select

from engine.advancing import advance_run
from ledger.database import Database, Tx
from ledger.errors import Conflict, NotAllowed, NotFound
from ledger.people import Actor, Desk
from ledger.projections import Stale
from ledger.schema import AnyRow, assignment, item, person, post, run, todo, unit

log = logging.getLogger(__name__)

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
    """One report: the unit's own cumulative values by indicator id, what was done, what stands in the way."""

    figures: Mapping[int, Decimal] = field(default_factory=dict)
    progress: str = ""
    problem: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.figures or self.progress or self.problem)


def perform(
    db: Database, actor: Actor, command: Callable[Concatenate[Tx, P], R], *args: P.args, **kwargs: P.kwargs
) -> R:
    """Run one command as one transaction. What it closed advances the plan once after the commit; the tick guarantees
    it.

    Raises: what the command raises (ledger.errors); Conflict when somebody was faster between reading and writing.
    """
    try:
        with db.write(actor) as tx:
            result = command(tx, *args, **kwargs)
            tx.flush()
            to_advance = sorted(tx.closed_runs)
    except Stale as error:
        raise Conflict("另一位经办人", None, "办理了这一步") from error
    for run_id in to_advance:
        try:
            advance_run(db, run_id)
        except Exception:  # the row stays; the tick tries again
            log.exception("advance of run %s is left to the tick", run_id)
    return result


_case = (
    select(
        assignment.c.id,
        assignment.c.item_id,
        assignment.c.run_id,
        assignment.c.unit,
        assignment.c.role,
        assignment.c.ord,
        assignment.c.state,
        assignment.c.step,
        assignment.c.arm,
        assignment.c.version,
        assignment.c.due_at,
        assignment.c.submitted_at,
        assignment.c.closed_at,
        item.c.title,
        item.c.no,
        item.c.completion,
        item.c.lifecycle,
        item.c.cadence,
        item.c.state.label("item_state"),
        run.c.office,
        run.c.sign_roles,
        run.c.mend_days,
        run.c.ladder,
        unit.c.name.label("unit_name"),
        unit.c.kind.label("unit_kind"),
        unit.c.host,
        todo.c.unit.label("todo_unit"),
        todo.c.role.label("todo_role"),
    )
    .select_from(
        assignment.join(item, item.c.id == assignment.c.item_id)
        .join(run, run.c.id == assignment.c.run_id)
        .join(unit, unit.c.key == assignment.c.unit)
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
    )
    .where(assignment.c.id == bindparam("b_id"))
    .with_for_update(of=assignment)
)

Case = AnyRow


def case_of(tx: Tx, assignment_id: int) -> Case:
    """A share with its item, run, unit and open todo, locked. Raises: NotFound."""
    found = tx.connection.execute(_case, {"b_id": assignment_id}).one_or_none()
    if found is None:
        raise NotFound("没有这项责任分工。")
    return found


def open_case(tx: Tx, ref: TodoRef) -> Case:
    """The share whose todo this is, if it still stands and the actor holds its post.

    Raises: NotFound; Conflict naming who was faster; NotAllowed.
    """
    case = case_of(tx, ref.assignment_id)
    if (case.step, case.arm) != (ref.step, ref.arm):
        raise _done_by_other(tx.connection, ref)
    tx.desk = seat(tx.actor, case.todo_unit, case.todo_role)
    return case


def seat(actor: Actor, unit_key: str, role: str) -> Desk:
    """The actor's post for this unit and role. Raises: NotAllowed."""
    desk = actor.desk(unit_key, role)
    if desk is None:
        raise NotAllowed("这件待办不在您的岗位上，您可以查看，不能办理。")
    return desk


def _done_by_other(connection: Connection, ref: TodoRef) -> Conflict:
    done = connection.execute(
        select(todo.c.closed_at, unit.c.short, person.c.name)
        .select_from(
            todo.outerjoin(post, post.c.id == todo.c.closed_post)
            .outerjoin(unit, unit.c.key == post.c.unit)
            .outerjoin(person, person.c.id == post.c.person_id)
        )
        .where(
            todo.c.owner_kind == "assignment",
            todo.c.owner_id == ref.assignment_id,
            todo.c.step == ref.step,
            todo.c.arm == ref.arm,
        )
    ).one_or_none()
    if done is None or done.closed_at is None:
        return Conflict("系统", None, "变更了这件待办")
    who = f"{done.short} {done.name}" if done.name else "系统"
    return Conflict(who, done.closed_at, "办理了这一步")
