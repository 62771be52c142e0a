"""确认责任单位: the coordinator's word on a unit that stands in an item by its function, since nobody is named.

Where the share stands on its way does not matter for it, so the table of states has no column for this.
"""

from __future__ import annotations

from engine.desk import case_of
from ledger.database import Tx
from ledger.errors import NotAllowed, Refused


def confirm_unit(tx: Tx, assignment_id: int) -> int:
    """Confirm the unit of a share; returns the item's id.

    Raises: NotAllowed; Refused when the document names it or somebody has confirmed it; NotFound.
    """
    case = case_of(tx, assignment_id)
    tx.desk = tx.actor.desk(case.office, "coordinator")
    if tx.desk is None:
        raise NotAllowed("责任单位由专班办工作人员确认；如有不同意见，请与专班办联系。")
    if not case.presumed:
        raise Refused(f"{case.unit_name}的责任分工已经明确，不用再确认。")
    tx.record(f"item:{case.item_id}", "assignment.unit_confirmed", {"assignment": case.id, "item": case.item_id})
    return int(case.item_id)
