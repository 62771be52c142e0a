"""What a signer or reviewer has looked at: what was shown is read and not taken back any more (撤回), and a figure that
changed since the page was opened is looked at again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Integer, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from engine.desk import Case
from ledger.database import Tx
from ledger.errors import Conflict
from ledger.queries.navigation import MINE, desks_of
from ledger.rules.texts import number_words
from ledger.rules.verbs import State
from ledger.schema import AnyRow, Instant, assignment, event, figure, glance, indicator, person, post, todo, unit

Seen = Mapping[int, Decimal]  # the figures of a share by indicator, as they stood on the page

_before_me = (
    select(
        *(todo.c.owner_id, todo.c.step, todo.c.arm),
        *(bindparam("b_person", type_=Integer), bindparam("b_at", type_=Instant)),
    )
    .join(assignment, assignment.c.id == todo.c.owner_id)
    .where(
        MINE,
        todo.c.owner_kind == "assignment",
        todo.c.owner_id.in_(bindparam("b_ids", expanding=True)),
        assignment.c.state.in_((State.SIGNING, State.REVIEWING)),
    )
)
_KEPT = ("assignment_id", "step", "arm", "person_id", "at")
_LOOKED = {
    "sqlite": sqlite.insert(glance).from_select(_KEPT, _before_me).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(glance).from_select(_KEPT, _before_me).on_conflict_do_nothing(),
}


def look(tx: Tx, shares: Collection[int]) -> None:
    """The actor was shown what of these shares was handed in; of those that wait for a decision of theirs that is kept
    once. By the machine's clock: a page is shown also where business time is in doubt."""
    asked = {"b_ids": sorted(shares), "b_person": tx.actor.person_id, "b_at": tx.recorded_at, **desks_of(tx.actor)}
    tx.connection.execute(_LOOKED[tx.connection.dialect.name], asked)


_figures = (
    select(figure.c.assignment_id, figure.c.indicator_id, figure.c.value, indicator.c.name, indicator.c.measure)
    .join(indicator, indicator.c.id == figure.c.indicator_id)
    .where(figure.c.assignment_id.in_(bindparam("b_ids", expanding=True)))
    .order_by(figure.c.indicator_id)
)
_CHANGING = {
    "assignment.corrected": "更正",
    "assignment.checked": "审核",
    "assignment.settled": "核定",
    "assignment.reported": "填报",
    "assignment.submitted": "填报",
}
_last = (
    select(event.c.kind, event.c.at, event.c.actor, event.c.payload)
    .where(event.c.stream == bindparam("b_stream"), event.c.kind.in_(list(_CHANGING)))
    .order_by(event.c.seq.desc())
)
_who = (
    select(unit.c.short, person.c.name)
    .select_from(post.join(unit, unit.c.key == post.c.unit).join(person, person.c.id == post.c.person_id))
    .where(post.c.id == bindparam("b_id"))
)


def changed(tx: Tx, cases: Sequence[Case], seen: Mapping[int, Seen]) -> dict[int, Conflict]:
    """Of these shares those whose figures are no longer what was `seen`, with what has changed, when, by whom. What
    nobody says to have seen is not asked about."""
    looked = [case for case in cases if case.id in seen]
    if not looked:
        return {}
    now: dict[int, list[AnyRow]] = {case.id: [] for case in looked}
    for r in tx.read(_figures, {"b_ids": sorted(now)}):
        now[r.assignment_id].append(r)
    found = {}
    for case in looked:
        other = [r for r in now[case.id] if r.value != seen[case.id].get(r.indicator_id)]
        if other:
            found[case.id] = _conflict(tx, case, other, seen[case.id])
    return found


def _conflict(tx: Tx, case: Case, other: Sequence[AnyRow], seen: Seen) -> Conflict:
    said = "，".join(
        f"{r.name} {number_words(old) if (old := seen.get(r.indicator_id)) is not None else '未报'}"
        f" → {number_words(r.value)} {r.measure}"
        for r in other
    )
    wanted = {r.indicator_id for r in other}
    rows = tx.connection.execute(_last, {"b_stream": f"item:{case.item_id}"})
    last = next((r for r in rows if _touches(json.loads(r.payload), case.id, wanted)), None)
    if last is None:
        return Conflict("系统", None, f"变更了数字（{said}）")
    by = tx.connection.execute(_who, {"b_id": json.loads(last.actor).get("post")}).one_or_none()
    return Conflict(f"{by.short} {by.name}" if by else "系统", last.at, f"{_CHANGING[last.kind]}了数字（{said}）")


def _touches(payload: Mapping[str, Any], assignment_id: int, indicators: set[int]) -> bool:
    told = [i for i, *_ in (*payload.get("values", ()), *payload.get("figures", ()))]
    return payload["assignment"] == assignment_id and not indicators.isdisjoint(told)
