"""催办: a coordinator urges any unit, a lead its cooperating units; the mail goes at once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from engine.desk import Case, cases_of
from engine.notices import Notice, tell
from ledger.database import Tx
from ledger.errors import Invalid, NotAllowed, Refused
from ledger.people import Desk
from ledger.rules.verbs import Role, State, Verb, refusal
from ledger.schema import assignment


def urge(tx: Tx, assignment_ids: Sequence[int], *, words: str) -> None:
    """Urge the units that hold these shares.

    Raises: Invalid (nothing chosen, no words), Refused when a share is no longer in its unit's hands, NotAllowed,
    NotFound.
    """
    if not assignment_ids:
        raise Invalid({"assignments": "请先勾选要催办的单位。"})
    if not words.strip():
        raise Invalid({"words": "请写明催办事项和时间要求，对方会在邮件和办理记录里看到。"})
    cases = cases_of(tx, assignment_ids).values()
    told = []
    for case, urging in zip(cases, tx.allocate("urging", len(cases)), strict=True):
        tx.desk = _urging_desk(tx, case)
        if refused := refusal(State(case.state), Verb.URGE, holds=False, role=Role.COORDINATOR):
            raise Refused(f"{case.unit_name}：{refused}")
        payload = {"assignment": case.id, "item": case.item_id, "urging": urging}
        tx.record(f"item:{case.item_id}", "assignment.urged", payload, {"words": words})
        told.append(
            Notice(
                "assignment",
                case.id,
                case.arm,
                f"urged:{urging}",
                case.unit,
                "liaison",
                case.run_id,
                case.item_id,
                immediate=True,
            )
        )
    tell(tx.connection, told, tx.now)


def _urging_desk(tx: Tx, case: Case) -> Desk:
    """The post that may urge this share: the office's coordinator, or the liaison of the item's lead."""
    if desk := tx.actor.desk(case.office, "coordinator"):
        return desk
    leads = select(assignment.c.unit).where(assignment.c.item_id == case.item_id, assignment.c.role == "lead")
    for lead in tx.connection.execute(leads).scalars():
        if case.role == "cooperating" and (desk := tx.actor.desk(lead, "liaison")):
            return desk
    raise NotAllowed("只有专班办工作人员可以催办；牵头单位可以催办本任务的配合单位。")
