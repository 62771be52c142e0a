"""What a person is to a share: the posts of an actor, seen from where the share stands."""

from __future__ import annotations

from typing import Protocol

from ledger.people import Actor, Desk
from ledger.rules.verbs import Capacity


class Stand(Protocol):
    """Where a share stands: its unit and role, its plan, the post that holds it, the post that decides on what was
    applied for (unit and role, or None)."""

    @property
    def plan(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def office(self) -> str: ...
    @property
    def jurisdiction(self) -> str: ...
    @property
    def lead_unit(self) -> str | None: ...
    @property
    def holder(self) -> tuple[str, str] | None: ...
    @property
    def decider(self) -> tuple[str, str] | None: ...


def capacities(actor: Actor, stand: Stand) -> dict[Capacity, Desk]:
    """The capacities in which the actor may meet this share, each with the post that gives it."""
    lead = (stand.lead_unit, "liaison") if stand.lead_unit and stand.role == "cooperating" else None
    posts = {
        Capacity.HOLDER: stand.holder,
        Capacity.DECIDER: stand.decider,
        Capacity.UNIT: (stand.unit, "liaison"),
        Capacity.HANDLER: (stand.unit, "handler"),
        Capacity.LEAD: lead,
        Capacity.OFFICE: (stand.office, "coordinator"),
    }
    found = {c: actor.desk(*post, stand.plan) for c, post in posts.items() if post}
    found[Capacity.INSPECTOR] = next(
        (d for d in actor.desks if d.role == "inspector" and d.jurisdiction == stand.jurisdiction), None
    )
    if (handler := found[Capacity.HANDLER]) and handler.fallen:  # a unit may do without one
        found[Capacity.HANDLER] = None
    return {c: desk for c, desk in found.items() if desk}
