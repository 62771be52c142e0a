"""撤回: what was handed in and not read yet, or applied for and not decided yet, comes back to the unit."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from engine import published
from engine.desk import Case, case_of, permit
from engine.going_on import go_to_successor
from engine.moving import Next, rearm, record_move
from engine.petitions import take_back_petition
from engine.stopped import come_back
from ledger.database import Tx
from ledger.errors import Refused
from ledger.rules.verbs import State, Verb
from ledger.schema import glance, person, todo

_readers = (
    select(person.c.name)
    .join(glance, glance.c.person_id == person.c.id)
    .where(
        glance.c.assignment_id == bindparam("b_id"),
        glance.c.step == bindparam("b_step"),
        glance.c.arm == bindparam("b_arm"),
        glance.c.person_id != bindparam("b_self"),  # who holds several posts has not read it as another
    )
    .order_by(glance.c.at)
)

_signers = select(todo.c.closed_at).where(  # who has agreed already at a step where several sign
    todo.c.owner_kind == "assignment",
    todo.c.owner_id == bindparam("b_id"),
    todo.c.step == bindparam("b_step"),
    todo.c.arm == bindparam("b_arm"),
    todo.c.closed_at.is_not(None),
)


def take_back(tx: Tx, assignment_id: int) -> int:
    """撤回; returns the item's id. Raises: Refused when it was read, NotAllowed, NotFound."""
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.TAKE_BACK)
    if case.petition_id:
        take_back_petition(tx, case)
    else:
        _take_back_submission(tx, case)
    return int(case.item_id)


def _take_back_submission(tx: Tx, case: Case) -> None:
    asked = {"b_id": case.id, "b_step": case.step, "b_arm": case.arm}
    if reader := tx.connection.execute(_readers, {**asked, "b_self": tx.actor.person_id}).scalars().first():
        raise Refused(f"{reader} 已经打开查看，不能再撤回；如需修改，请联系对方退回。")
    if tx.connection.execute(_signers, asked).first():
        raise Refused("已有岗位签署同意，不能再撤回；如需修改，请联系对方退回。")
    work = next(s for s in published.lifecycle(case.lifecycle).steps if s.verb == "submit")
    to = Next(work, case.arm + 1, [(case.unit, work.role)], State.WORKING)
    still = come_back(tx, case)
    record_move(tx, case, "assignment.taken_back", to, still)
    if not still:
        rearm(tx, case, to.arm, case.due_at)
    go_to_successor(tx, case)
