"""Open todos against where the shares stand, and the steps of their lifecycles."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, false, func, literal, not_, or_, select

from bpmn.lifecycle import Step
from engine import published
from engine.moving import STATE_FOR
from engine.verifying.common import is_open, of_assignment, of_share
from ledger.rules.intakes import STATE_AT
from ledger.rules.intakes import Verb as IntakeVerb
from ledger.rules.verbs import State
from ledger.schema import assignment, entry, intake, item, petition, share, todo
from ledger.verification.scene import Check, Found, Scene


def _todos(scene: Scene) -> Found:
    for rule, (sentence, statement) in _RULES.items():
        for r in scene.rows(statement):
            yield rule, sentence.format(*r), {"table": "todo", "row": f"{r.kind},{r.id}"}
    yield from _steps(scene)
    yield from _several(scene)
    yield from _intakes(scene)
    open_todos = select(func.count()).select_from(todo).where(is_open)
    scene.counts["todos"] = int(scene.connection.execute(open_todos).scalar_one())


def _row(kind: str, *columns: ColumnElement[Any]) -> Any:
    """id, what the sentence names, and the kind of the owner."""
    return select(*columns, literal(kind).label("kind"))


_at_turn = and_(petition.c.state == "open", petition.c.kind == todo.c.step, petition.c.turn == todo.c.arm)
_lying_over = case(
    (petition.c.kind == "extension", "extending"),
    (petition.c.kind == "objection", "disputed"),
    (petition.c.kind == "steps", "planning"),
)
_RULES = {
    "elsewhere": (
        "待办不符：责任分工第 {0} 号停在步骤“{1}”第 {2} 轮，待办却在“{3}”第 {4} 轮",
        _row(
            "assignment",
            todo.c.owner_id.label("id"),
            assignment.c.step,
            assignment.c.arm,
            todo.c.step.label("todo_step"),
            todo.c.arm.label("todo_arm"),
        )
        .select_from(todo.outerjoin(assignment, assignment.c.id == todo.c.owner_id))
        .where(
            todo.c.owner_kind == "assignment",
            is_open,
            or_(
                assignment.c.id.is_(None),
                assignment.c.closed_at.is_not(None),
                assignment.c.step != todo.c.step,
                assignment.c.arm != todo.c.arm,
            ),
        ),
    ),
    "none": (
        "责任分工第 {0} 号停在步骤“{1}”，却没有待办（待办被删除或关闭）",
        _row("assignment", assignment.c.id, assignment.c.step)
        .where(assignment.c.closed_at.is_(None), not_(exists().where(of_assignment, is_open)))
        .order_by(assignment.c.id),
    ),
    "petition-elsewhere": (
        "申请第 {0} 号的待办与申请不符（结果、种类或轮次被改动）",
        _row("petition", todo.c.owner_id.label("id"))
        .select_from(todo.outerjoin(petition, petition.c.id == todo.c.owner_id))
        .where(todo.c.owner_kind == "petition", is_open, not_(func.coalesce(_at_turn, false()))),
    ),
    "petition-without": (
        "申请第 {0} 号等待审批，却没有待办（待办被删除或关闭）",
        _row("petition", petition.c.id).where(
            petition.c.state == "open",
            not_(exists().where(todo.c.owner_kind == "petition", todo.c.owner_id == petition.c.id, is_open)),
        ),
    ),
    "entry": (
        "代录第 {0} 号的待办与它是否已确认不符",
        _row("entry", entry.c.id)
        .outerjoin(todo, and_(todo.c.owner_kind == "entry", todo.c.owner_id == entry.c.id, is_open))
        .where(entry.c.confirmed_at.is_(None) != todo.c.owner_id.is_not(None)),
    ),
    "overlay": (
        "责任分工第 {0} 号显示为“{1}”，与它的申请不符",
        _row("assignment", assignment.c.id, func.coalesce(assignment.c.overlay, "无").label("overlay"))
        .outerjoin(petition, and_(petition.c.assignment_id == assignment.c.id, petition.c.state == "open"))
        .where(_lying_over.is_distinct_from(assignment.c.overlay), assignment.c.overlay.is_distinct_from("suspended")),
    ),
    "share-done": (
        "期次报送第 {0} 号的状态为“{1}”，却还有待办",
        _row("share", todo.c.owner_id.label("id"), share.c.state)
        .select_from(todo.outerjoin(share, share.c.id == todo.c.owner_id))
        .where(todo.c.owner_kind == "share", is_open, or_(share.c.id.is_(None), share.c.state != "owed")),
    ),
    "share-none": (
        "期次报送第 {0} 号尚未报送，却没有待办（待办被删除或关闭）",
        _row("share", share.c.id).where(share.c.state == "owed", not_(exists().where(of_share, is_open))),
    ),
}


_at_step = and_(intake.c.step == todo.c.step, intake.c.arm == todo.c.arm)
_RULES |= {
    "intake-elsewhere": (
        "来件第 {0} 号的待办与它所在的步骤不符（步骤或轮次被改动）",
        _row("intake", todo.c.owner_id.label("id"))
        .select_from(todo.outerjoin(intake, intake.c.id == todo.c.owner_id))
        .where(todo.c.owner_kind == "intake", is_open, not_(func.coalesce(_at_step, false()))),
    ),
    "intake-without": (
        "来件第 {0} 号等待办理，却没有待办（待办被删除或关闭）",
        _row("intake", intake.c.id).where(
            intake.c.state.in_(("proposing", "deciding", "presenting")),
            not_(exists().where(todo.c.owner_kind == "intake", todo.c.owner_id == intake.c.id, is_open)),
        ),
    ),
    "intake-item": (
        "来件第 {0} 号显示为“{1}”，与它的任务不符",
        _row("intake", intake.c.id, intake.c.state)
        .join(item, item.c.id == intake.c.item_id)
        .where((intake.c.state == "carrying") != (item.c.state == "open"), intake.c.linked.is_(False)),
    ),
}


_lifecycle = func.coalesce(assignment.c.lifecycle, item.c.lifecycle)


def _steps(scene: Scene) -> Found:
    """Every step that somebody stands at: the lifecycle has it, for this role, in this state."""
    stands = (
        select(
            _lifecycle.label("lifecycle"),
            assignment.c.step,
            assignment.c.state,
            todo.c.role,
            func.min(assignment.c.id).label("id"),
            func.count().label("n"),
        )
        .select_from(todo.join(assignment, of_assignment).join(item, item.c.id == assignment.c.item_id))
        .where(is_open)
        .group_by(_lifecycle, assignment.c.step, assignment.c.state, todo.c.role)
    )
    for r in scene.rows(stands):
        where = {"table": "assignment", "row": str(r.id)}
        step = _step(r.lifecycle, r.step)
        who = f"责任分工第 {r.id} 号等 {r.n} 项"
        if step is None:
            yield "no-step", f"{who}停在步骤“{r.step}”，办理流程 {r.lifecycle} 里没有这一步", where
        elif r.role not in _roles(step) or r.state not in _states(step):
            yield "step", f"{who}在步骤“{r.step}”的岗位（{r.role}）或状态（{r.state}）与办理流程不符", where


def _intakes(scene: Scene) -> Found:
    """Where cases stand: their lifecycle has the step, in that state."""
    stands = select(intake.c.id, intake.c.kind, intake.c.step, intake.c.state).where(intake.c.step.is_not(None))
    for r in scene.rows(stands.order_by(intake.c.id)):
        try:
            wanted = STATE_AT[IntakeVerb(published.intake_cycle(r.kind).step(r.step).verb)]
        except KeyError:
            wanted = None
        if wanted != r.state:
            sentence = f"来件第 {r.id} 号停在步骤“{r.step}”，与办理流程 {r.kind} 或它的状态（{r.state}）不符"
            yield "intake-step", sentence, {"table": "intake", "row": str(r.id)}


def _step(lifecycle: str, step: str | None) -> Step | None:
    try:
        return published.lifecycle(lifecycle).step(step or "")
    except KeyError:
        return None


def _several(scene: Scene) -> Found:
    """Several posts stand where several sign together, nowhere else, and no more than the step names."""
    held = (
        select(assignment.c.id, _lifecycle.label("lifecycle"), assignment.c.step, func.count().label("n"))
        .select_from(todo.join(assignment, of_assignment).join(item, item.c.id == assignment.c.item_id))
        .where(is_open)
        .group_by(assignment.c.id, _lifecycle, assignment.c.step)
        .having(func.count() > 1)
    )
    for r in scene.rows(held):
        step = _step(r.lifecycle, r.step)
        most = len(step.posts) if step else 1
        if r.n > most:
            words = f"责任分工第 {r.id} 号有 {r.n} 件待办，" + ("只应有一件" if most == 1 else f"最多应有 {most} 件")
            yield "several", words, {"table": "todo", "row": f"assignment,{r.id}"}


def _roles(step: Step) -> set[str]:
    """Who may stand there; an inspector or leader that a place does not have, or others than the own unit,
    are made up for by who handed it out."""
    roles: set[str] = {role for _, role in step.posts}
    may_lack = step.rule != "one" or any(holder == "jurisdiction" for holder, _ in step.posts)
    return roles | {"coordinator", "liaison"} if may_lack else roles


def _states(step: Step) -> tuple[State, ...]:
    if step.verb == "submit":
        return (State.WORKING, State.RETURNED)
    return (STATE_FOR.get(step.verb, State.REVIEWING),)


TODOS = Check("todos", "待办与流程步骤", _todos, (*_RULES, "several", "no-step", "step", "intake-step"))
