"""催办: a coordinator urges any unit, a lead its cooperating units; the mail goes at once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from engine.desk import Case, cases_of, limit_texts, refuse
from engine.notices import Notice, tell
from ledger.database import Tx
from ledger.errors import Invalid, NotAllowed, Refused
from ledger.people import Actor, Desk
from ledger.rules.verbs import Role, Verb
from ledger.schema import unit


def urge(tx: Tx, assignment_ids: Sequence[int], *, words: str) -> None:
    """Urge the units that hold these shares.

    Raises: Invalid (nothing chosen, no words), Refused when a share is no longer in its unit's hands, NotAllowed,
    NotFound.
    """
    if not assignment_ids:
        raise Invalid({"assignments": "请先勾选要催办的单位。"})
    if not words.strip():
        raise Invalid({"words": "请写明催办事项和时间要求；对方会收到邮件提醒，内容在办理记录里看到。"})
    limit_texts(words=words)
    cases = cases_of(tx, assignment_ids).values()
    told = []
    for case, urging in zip(cases, tx.allocate("urging", len(cases)), strict=True):
        tx.desk = urging_desk(tx.actor, case.office, case.lead_unit, case.role)
        if tx.desk is None or not _is_of_here(tx, tx.desk, case.office):
            raise NotAllowed("催办由专班办工作人员或督查人员发起；首位牵头单位可以催办本任务的配合单位。")
        try:
            refuse(case, Verb.URGE, holds=False, role=Role.COORDINATOR)
        except Refused as error:
            raise Refused(f"{case.unit_name}：{error}") from None
        payload = {"assignment": case.id, "item": case.item_id, "urging": urging}
        tx.record(f"item:{case.item_id}", "assignment.urged", payload, {"words": words})
        told.append(_notice(case, f"urged:{urging}"))
    tell(tx, told)


def _is_of_here(tx: Tx, desk: Desk, office: str) -> bool:
    """An inspector looks over one jurisdiction; in another, taking part in an item gives no word over it."""
    if desk.role != Role.INSPECTOR or desk.unit == office:
        return True
    places = select(unit.c.jurisdiction).where(unit.c.key.in_([desk.unit, office])).distinct()
    return len(tx.connection.execute(places).all()) == 1


def _notice(case: Case, tier: str) -> Notice:
    """To whoever holds the share's todo: the liaison, or the deputy head who has to sign."""
    holder = case.todo_role or "liaison"
    return Notice("assignment", case.id, case.arm, tier, case.unit, holder, case.run_id, case.item_id, immediate=True)


def urging_desk(actor: Actor, office: str, lead_unit: str | None, role: str) -> Desk | None:
    """The post that may urge a share: the office's coordinator, an inspector; of a cooperating one the first lead."""
    if desk := actor.desk(office, "coordinator") or actor.first("inspector"):
        return desk
    return actor.desk(lead_unit, "liaison") if lead_unit and role == "cooperating" else None
