"""What an act tells: the notices that an event of the log leaves, from the event alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import product
from typing import Any, NamedTuple

from ledger.queries.words import OUTCOME_WORDS
from ledger.schema import AnyRow

TOLD_BY_ACTS = ("returned", "urged", "applied", *OUTCOME_WORDS)
Payload = Mapping[str, Any]


class Told(NamedTuple):
    """A notice of a share; None: the event alone does not say it."""

    share: int
    tier: str
    arm: int | None = None
    unit: str | None = None
    role: str | None = "liaison"


def told_by(kind: str, at: datetime, p: Payload) -> list[Told]:
    return _TELLING[kind](p, at)


def answered_by(n: AnyRow) -> set[Told]:
    """Every way in which an event may name this notice."""
    return {Told(n.owner_id, n.tier, *rest) for rest in product((n.arm, None), (n.unit, None), (n.role, None))}


def _returned(p: Payload, _: datetime) -> list[Told]:
    return [Told(p["assignment"], "returned", p["to_arm"])]


def _urged(p: Payload, _: datetime) -> list[Told]:
    """A call has told it itself."""
    return [] if p.get("by") == "phone" else [Told(p["assignment"], f"urged:{p['urging']}", role=None)]


def _applied(p: Payload, _: datetime) -> list[Told]:
    return [Told(p["assignment"], f"applied:{p['petition']}.{p['turn']}", None, p["to_unit"], p["to_role"])]


def _declined(p: Payload, _: datetime) -> list[Told]:
    settled = p["settles"]
    return [Told(p["assignment"], f"declined:{settled['petition']}")] if settled["outcome"] == "declined" else []


def _granted(p: Payload, _: datetime) -> list[Told]:
    tier = f"granted:{p['settles']['petition']}"
    above, role = p.get("giver", (None, "coordinator"))  # who had handed it out, or down
    return [Told(p["assignment"], tier, p["arm"]), Told(p["assignment"], tier, p["arm"], above, role)]


def _entered(p: Payload, _: datetime) -> list[Told]:
    return [Told(p["assignment"], f"entered:{p['entry']}", 1)] if p.get("entry") else []


def _terminated(p: Payload, _: datetime) -> list[Told]:
    own = Told(p["assignment"], "moved" if p["successor"] else "terminated", p["arm"])
    return [own, *_parts_ended(p, _)]


def _parts_ended(p: Payload, _: datetime) -> list[Told]:
    """What was handed down ends with the whole."""
    parts = [left for left in p.get("withdrawn", ()) if left.get("part")]
    return [Told(left["id"], left.get("told", "ended"), left["arm"]) for left in parts]


def _judged(verb: str) -> Callable[[Payload, datetime], list[Told]]:
    """By its event; before 0.2.0 by the reading, so that of several acts on one the first told."""
    return lambda p, _: [Told(p["assignment"], p.get("tier") or f"{verb}:{max(seq for _, seq, _ in p['values'])}")]


def _corrected(p: Payload, _: datetime) -> list[Told]:
    """Who had the application before them just then."""
    tier = f"corrected:{p.get('correction')}"
    return [Told(p["assignment"], tier, p["arm"], *place) for place in p.get("told", ())]


def _redated(p: Payload, _: datetime) -> list[Told]:
    return [Told(p["assignment"], "due_changed", p["arm"], *place) for place in p["told"]]


def _handed_on(p: Payload, at: datetime) -> list[Told]:
    """With a post that is handed over the mail about that tells it."""
    return [] if p.get("by") else [Told(p["assignment"], f"handed_on:{p['to_post']}.{int(at.timestamp())}")]


def _taken_over(p: Payload, _: datetime) -> list[Told]:
    """Who has to say why what was handed down does not add up any more."""
    return [Told(p["assignment"], f"gap:{p['predecessor']}", *p["told"])] if p.get("told") else []


_TELLING: Mapping[str, Callable[[Payload, datetime], list[Told]]] = {
    "assignment.returned": _returned,
    "assignment.sent_back": _returned,
    "assignment.urged": _urged,
    "petition.made": _applied,
    "petition.passed": _applied,
    "petition.settled": _declined,
    "assignment.extended": _granted,
    "assignment.terminated": _terminated,
    "item.closed": _parts_ended,
    "assignment.steps_confirmed": lambda p, _: [Told(p["assignment"], f"steps_confirmed:{p['petition']}")],
    "item.lasting": lambda p, _: [Told(share, p["tier"], arm) for share, arm in p.get("told", ())],
    "assignment.dated": lambda p, _: [Told(p["assignment"], "dated", p["arm"])],
    "assignment.due_changed": _redated,
    "assignment.due_followed": _redated,
    "assignment.taken_over": _taken_over,
    "assignment.quota_changed": lambda p, _: [Told(p["assignment"], p["tier"], *told) for told in p["told"]],
    "item.text_corrected": lambda p, _: [Told(share, p["tier"], *told) for share, *told in p["told"]],
    "item.target_changed": lambda p, _: [Told(share, p["tier"], *told) for share, *told in p["told"]],
    "item.terminated": lambda p, _: [Told(left["id"], "terminated", left["arm"]) for left in p["withdrawn"]],
    "assignment.suspended": lambda p, _: [Told(p["assignment"], "suspended", p["arm"])],
    "assignment.resumed": lambda p, _: [Told(p["assignment"], "resumed", p["arm"])],
    "assignment.revoked": lambda p, _: [Told(p["assignment"], "revoked")],
    "assignment.reopened": lambda p, _: [Told(p["assignment"], "reopened")],
    "assignment.reported": _entered,
    "assignment.corrected": _corrected,
    "assignment.checked": _judged("check"),
    "assignment.settled": _judged("settle"),
    "assignment.copied": lambda p, _: [Told(p["assignment"], f"copied:{p['copy']}", 1, p["to_unit"], p["to_role"])],
    "assignment.handed_on": _handed_on,
}
ACTS = tuple(_TELLING)
