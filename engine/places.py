"""At which posts a step of a lifecycle stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bpmn.lifecycle import Holder, Step
from engine.desk import Case, giver
from ledger.database import Tx
from ledger.people import Sittings, overseers_of

Place = tuple[str, str]  # unit and role


def overseers(tx: Tx, jurisdiction: str) -> Mapping[str, str]:
    """The units at which the inspectors and leaders of a place sit, by role; asked once a transaction."""
    if jurisdiction not in tx.overseers:
        tx.overseers[jurisdiction] = overseers_of(tx.connection, jurisdiction)
    return tx.overseers[jurisdiction]


def places_of(tx: Tx, case: Case, step: Step) -> list[Place]:
    """The posts at which a share stands there, in the order of the diagram.

    Where several review together the share's own unit is passed over, by whatever name it sits there. Inspectors and
    leaders that a place does not have are passed over too; where nobody is left, whoever handed the share out decides.
    """
    units = [(_unit(tx, case, holder, role), role) for holder, role in step.posts]
    found: list[Place] = list(dict.fromkeys((u, role) for u, role in units if u is not None))
    if is_joint_review(step):
        found = of_others(tx, case, found)
    return found or [giver(case)]


def is_joint_review(step: Step) -> bool:
    """Whether several review there together, so that nobody reviews what her own unit has handed in."""
    return step.rule != "one" and step.verb != "sign"


def of_others(tx: Tx, case: Case, places: Sequence[Place]) -> list[Place]:
    """Those of the posts that are not answered for by whoever answers for the share's own unit."""
    sits_in = Sittings(tx.connection, {case.unit, *(unit_key for unit_key, _ in places)}).unit
    return [(unit_key, role) for unit_key, role in places if sits_in(unit_key, role) != sits_in(case.unit, role)]


def _unit(tx: Tx, case: Case, holder: Holder, role: str) -> str | None:
    """The unit that a step names; where an item has no lead, its office accepts the feedback."""
    match holder:
        case "office":
            return str(case.office)
        case "host":
            return str(case.host or case.office)
        case "lead":
            return str(case.lead_unit or case.office)
        case "parent":
            return str(case.parent_unit)
        case "jurisdiction":
            return overseers(tx, case.jurisdiction).get(role)
    return str(case.unit)
