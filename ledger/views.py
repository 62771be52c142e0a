"""Views of the ledger: questions that people keep under a name, for themselves or for all who hold a post in a unit.

State without events: a preference is no fact of a plan. A view holds filters, sort and columns, never rows; whoever
opens it is answered by what they may see themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from ledger import prepared
from ledger.database import Tx
from ledger.errors import Invalid, NotAllowed, NotFound, Refused
from ledger.people import Actor
from ledger.queries.ledger import Filters
from ledger.rules.personal import refusal_of
from ledger.schema import AnyRow, default_view, ledger_view, person, post, unit

MOST = 20  # views of one person
LONGEST = 20  # characters of a name


@dataclass(frozen=True)
class View:
    """A view as a person sees it. `unit`: with whom it is shared, none: it is the person's alone. `is_changed_by`:
    whether this person may rename and delete it."""

    id: int
    name: str
    asked: Mapping[str, Any]
    unit: str | None
    unit_name: str
    owner: str
    is_own: bool
    is_changed_by: bool
    is_default: bool


_still_there = (
    select(post.c.id)
    .where(post.c.person_id == ledger_view.c.person_id, post.c.unit == ledger_view.c.unit, post.c.until.is_(None))
    .correlate(ledger_view)
    .exists()
)
_seen = (
    select(
        ledger_view,
        unit.c.short.label("unit_name"),
        person.c.name.label("owner"),
        default_view.c.view_id.label("default_id"),
        _still_there.label("is_kept"),
    )
    .outerjoin(unit, unit.c.key == ledger_view.c.unit)
    .outerjoin(person, person.c.id == ledger_view.c.person_id)
    .outerjoin(default_view, default_view.c.person_id == bindparam("b_person"))
    .where(
        or_(
            ledger_view.c.person_id == bindparam("b_person"),
            ledger_view.c.unit.in_(bindparam("b_units", expanding=True)),
        )
    )
    .order_by(ledger_view.c.id)
)


def views_of(connection: Connection, actor: Actor) -> list[View]:
    """Those this person has kept or is shown by a unit of theirs, the own ones first; in one statement."""
    rows = prepared.rows(connection, _seen, {"b_person": actor.person_id, "b_units": sorted(actor.units)})
    return sorted((_made(r, actor) for r in rows), key=lambda v: not v.is_own)


def _made(row: AnyRow, actor: Actor) -> View:
    is_own = row.person_id == actor.person_id
    return View(
        row.id,
        row.name,
        json.loads(row.asked),
        row.unit,
        row.unit_name or "",
        row.owner or "",
        is_own,
        is_own or not row.is_kept,  # whom its maker has left it to may tidy it up
        row.id == row.default_id,
    )


def view_of(connection: Connection, actor: Actor, number: int) -> View:
    """One that this person sees. Raises: NotFound."""
    found = next((v for v in views_of(connection, actor) if v.id == number), None)
    if found is None:
        raise NotFound("没有这个视图，可能已经删除，或者不再与您的岗位共享。")
    return found


def keep(tx: Tx, name: str, asked: Filters, unit_key: str | None, *, as_default: bool) -> int:
    """Keep a question under a name; an own view of that name asks this from now on. Returns its number.

    Raises: Invalid (name), Refused.
    """
    own = [v for v in views_of(tx.connection, tx.actor) if v.is_own]
    name = _checked(name, unit_key, tx.actor)
    number = next((v.id for v in own if v.name == name), None)
    if number is None and len(own) >= MOST:
        raise Refused(f"已经存了 {MOST} 个视图，请先删除不用的，再存新的。")
    said = json.dumps(vars(asked.question), ensure_ascii=False)
    values = {"name": name, "unit": unit_key, "asked": said, "saved_at": tx.recorded_at}
    if number is None:
        (number,) = tx.allocate("ledger_view")
        tx.connection.execute(insert(ledger_view).values(id=number, person_id=tx.actor.person_id, **values))
    else:
        tx.connection.execute(update(ledger_view).where(ledger_view.c.id == number).values(**values))
    if as_default:
        _open_with(tx, number)
    return number


def rename(tx: Tx, number: int, name: str, unit_key: str | None) -> None:
    """Another name, shared with another unit or with nobody. Raises: Invalid (name), NotAllowed, NotFound."""
    found = _to_change(tx, number)
    if unit_key != found.unit and not found.is_own:
        raise NotAllowed("只有存这个视图的人可以改共享范围。")
    name = _checked(name, unit_key, tx.actor)
    if any(v.name == name and v.is_own and v.id != number for v in views_of(tx.connection, tx.actor)):
        raise Invalid({"name": f"您已经有一个视图叫“{name}”，请换个名称。"})
    tx.connection.execute(update(ledger_view).where(ledger_view.c.id == number).values(name=name, unit=unit_key))


def remove(tx: Tx, number: int) -> None:
    """Delete a view; who opened the ledger with it opens the whole of it again. Raises: NotAllowed, NotFound."""
    _to_change(tx, number)
    tx.connection.execute(delete(default_view).where(default_view.c.view_id == number))
    tx.connection.execute(delete(ledger_view).where(ledger_view.c.id == number))


def set_default(tx: Tx, number: int, *, on: bool) -> None:
    """Open the ledger with this view from now on, or with all of it again. Raises: NotFound."""
    found = view_of(tx.connection, tx.actor, number)
    if on:
        _open_with(tx, found.id)
    else:
        tx.connection.execute(delete(default_view).where(default_view.c.person_id == tx.actor.person_id))


def _open_with(tx: Tx, number: int) -> None:
    own = tx.actor.person_id
    tx.connection.execute(delete(default_view).where(default_view.c.person_id == own))
    tx.connection.execute(insert(default_view).values(person_id=own, view_id=number))


def _to_change(tx: Tx, number: int) -> View:
    found = view_of(tx.connection, tx.actor, number)
    if not found.is_changed_by:
        raise NotAllowed("这个视图由别人共享，只有存它的人可以改名、删除。")
    return found


def _checked(name: str, unit_key: str | None, actor: Actor) -> str:
    name = name.strip()
    if not name:
        raise Invalid({"name": "请给视图起个名称，例如“本月到期的红灯”。"})
    if len(name) > LONGEST:
        raise Invalid({"name": f"名称最多 {LONGEST} 个字。"})
    if said := refusal_of(name):
        raise Invalid({"name": said})
    if unit_key is not None and unit_key not in actor.units:
        raise Invalid({"unit": "只能与自己任职的单位共享。"})
    return name
