"""Units of an item where nobody would receive what is handed out, and whom to ask that somebody does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.people import administrators_of, unheld
from ledger.queries.items import ItemView
from ledger.rules.verbs import Role
from webapp import context


@dataclass(frozen=True)
class Unheld:
    """`nobody`: short names of units without a liaison and without a head, `heads`: those where the head answers for
    the empty post. `opens`: the person may open an account there, in the unit `first` for one; else `ask`: who can."""

    nobody: Sequence[str]
    heads: Sequence[str]
    opens: bool
    first: str
    ask: str


def unheld_of(view: ItemView) -> Unheld | None:
    """None where every unit with an open share has its liaison."""
    found, connection, actor = view.standing.item, context.reading(), context.actor()
    places = {(p.unit, Role.LIAISON.value, found.plan): p.unit_name for p in view.parts if p.is_open}
    empty = unheld(connection, places)
    if not empty:
        return None
    named = {place: words for place, words in places.items() if place in empty}
    nobody = [words for place, words in named.items() if not empty[place]]
    heads = [words for place, words in named.items() if empty[place]]
    first = next((place[0] for place in named if not empty[place]), next(iter(named))[0])
    opens = any(d.role == Role.ADMINISTRATOR and d.jurisdiction == found.jurisdiction for d in actor.desks)
    if opens:
        ask = ""
    elif actor.desk(found.office, Role.COORDINATOR) is None:
        ask = "专班办"
    else:
        names = administrators_of(connection, found.jurisdiction)
        ask = f"管理员{'、'.join(names)}" if names else "管理员"
    return Unheld(nobody, heads, opens, first, ask)
