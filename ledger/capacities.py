"""What a person is to a share: the posts of an actor, seen from where the share stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ledger.people import Actor, Desk
from ledger.rules.verbs import Capacity


class Stand(Protocol):
    """Where a share stands: its unit and role and the jurisdiction (`place`) of the unit, its plan, the unit that
    handed it down (None: the office handed it out), the posts at which its step stands, the post that decides on what
    was applied for (unit and role, or None)."""

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
    def place(self) -> str: ...
    @property
    def parent_unit(self) -> str | None: ...
    @property
    def lead_unit(self) -> str | None: ...
    @property
    def holders(self) -> Sequence[tuple[str, str]]: ...
    @property
    def decider(self) -> tuple[str, str] | None: ...


def giver_of(office: str, parent_unit: str | None) -> tuple[str, str]:
    """The post (unit, role) that handed a share out, or down: what it decides and is told, nobody else is."""
    return (parent_unit, "liaison") if parent_unit else (office, "coordinator")


def capacities(actor: Actor, stand: Stand) -> dict[Capacity, Desk]:
    """The capacities in which the actor may meet this share, each with the post that gives it."""
    is_led = stand.role == "cooperating" and stand.parent_unit is None
    lead = (stand.lead_unit, "liaison") if stand.lead_unit and is_led else None
    places = (stand.jurisdiction, stand.place)
    posts = {
        Capacity.UNIT: (stand.unit, "liaison"),
        Capacity.HANDLER: (stand.unit, "handler"),
        Capacity.LEAD: lead,
        Capacity.OFFICE: None if stand.parent_unit else (stand.office, "coordinator"),
        Capacity.PARENT: (stand.parent_unit, "liaison") if stand.parent_unit else None,
    }
    found = {c: actor.desk(*post, stand.plan) for c, post in posts.items() if post}
    seats = (d for post in stand.holders if (d := actor.seat(post, stand.plan, stand.unit)))
    found[Capacity.HOLDER] = next(seats, None)
    found[Capacity.DECIDER] = actor.seat(stand.decider, stand.plan, stand.unit) if stand.decider else None
    found[Capacity.INSPECTOR] = next(
        (d for d in actor.desks if d.role == "inspector" and d.jurisdiction in places), None
    )
    if (handler := found[Capacity.HANDLER]) and handler.fallen:  # a unit may do without one
        found[Capacity.HANDLER] = None
    return {c: desk for c, desk in found.items() if desk}
