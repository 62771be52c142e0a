"""What somebody has typed into forms for a post and put into them, passed on to who holds it next."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, delete, or_, select, update

from ledger.database import Tx
from ledger.rules.verbs import Role
from ledger.schema import AnyRow, assignment, draft, item, petition, run, share, todo, unit, upload

KEPT = "【交接前草稿】"  # stands between what two people have typed into one form
_NEVER = ("clear", "clearing", "handover", "unit_change")  # forms of a person, not of a post


def forms_of(connection: Connection, found: AnyRow, *, is_only: bool) -> frozenset[str]:
    """The forms in which the holder of a post has typed or put files for it: all, where it is her only one."""
    mine = {"b_person": found.person_id}
    forms = frozenset(connection.execute(_forms, mine).scalars())
    work = frozenset(form for form in forms if form.partition("-")[0] not in _NEVER)
    if is_only:
        return work
    places = _places(connection, work)
    return frozenset(form for form, place in places.items() if _is_of(found, *place))


_forms = (
    select(draft.c.form)
    .where(draft.c.person_id == bindparam("b_person"))
    .union(select(upload.c.form).where(upload.c.person_id == bindparam("b_person")))
)
_several: BindParameter[Any] = bindparam("ids", expanding=True)
_OF_SHARE = (
    select(assignment.c.id, assignment.c.unit, unit.c.host, run.c.office, run.c.plan)
    .join(run, run.c.id == assignment.c.run_id)
    .join(unit, unit.c.key == assignment.c.unit)
    .where(assignment.c.id.in_(_several))
)
_OF_ROUND = (
    select(share.c.id, share.c.unit, unit.c.host, run.c.office, run.c.plan)
    .join(run, run.c.id == share.c.run_id)
    .join(unit, unit.c.key == share.c.unit)
    .where(share.c.id.in_(_several))
)
_OF_ITEM = (
    select(item.c.id, run.c.office.label("unit"), unit.c.host, run.c.office, run.c.plan)
    .join(run, run.c.id == item.c.run_id)
    .join(unit, unit.c.key == run.c.office)
    .where(item.c.id.in_(_several))
)
_DECIDED = (  # the post before which something lies, whosever share it is
    select(assignment.c.id, todo.c.unit, unit.c.host, run.c.office, run.c.plan, todo.c.role)
    .select_from(todo)
    .outerjoin(petition, and_(todo.c.owner_kind == "petition", petition.c.id == todo.c.owner_id))
    .join(
        assignment,
        or_(
            and_(todo.c.owner_kind == "assignment", assignment.c.id == todo.c.owner_id),
            assignment.c.id == petition.c.assignment_id,
        ),
    )
    .join(run, run.c.id == todo.c.run_id)
    .join(unit, unit.c.key == todo.c.unit)
    .where(todo.c.closed_at.is_(None), assignment.c.id.in_(_several))
)
_KINDS = {"round": _OF_ROUND, "urge": _OF_ITEM, "decide": _DECIDED, "answer": _DECIDED}


def _places(connection: Connection, forms: Collection[str]) -> dict[str, tuple[AnyRow, str]]:
    """Each form with the row that says where it belongs, and its kind."""
    wanted: dict[str, dict[str, int]] = {}
    for form in forms:
        kind, _, rest = form.partition("-")
        if number := rest.partition("-")[0]:
            key = "urge" if kind.startswith("item_") else kind if kind in _KINDS else ""
            wanted.setdefault(key, {})[form] = int(number)
    found: dict[str, tuple[AnyRow, str]] = {}
    for kind, numbers in wanted.items():
        rows = connection.execute(_KINDS.get(kind, _OF_SHARE), {"ids": sorted(set(numbers.values()))})
        known = {r.id: r for r in rows}
        found |= {form: (known[n], kind) for form, n in numbers.items() if n in known}
    return found


def _is_of(found: AnyRow, r: AnyRow, kind: str) -> bool:
    """Whether a form belongs to what this post does."""
    if found.plan not in (None, r.plan):
        return False
    if kind in ("decide", "answer"):
        return bool(r.role == found.role and found.unit in (r.unit, r.host))
    if found.role == Role.COORDINATOR:
        return bool(r.office == found.unit)
    return kind != "urge" and bool(r.unit == found.unit)


_move_drafts = (
    update(draft)
    .where(draft.c.person_id == bindparam("b_from"), draft.c.form == bindparam("b_form"))
    .values(person_id=bindparam("b_to"))
)
_set_fields = (
    update(draft)
    .where(draft.c.person_id == bindparam("b_person"), draft.c.form == bindparam("b_form"))
    .values(fields=bindparam("b_fields"))
)
_drop = delete(draft).where(draft.c.person_id == bindparam("b_person"), draft.c.form == bindparam("b_form"))
_move_files = (
    update(upload)
    .where(upload.c.person_id == bindparam("b_from"), upload.c.form == bindparam("b_form"))
    .values(person_id=bindparam("b_to"))
)


def move_forms(tx: Tx, from_person: int, to_person: int, forms: Collection[str]) -> None:
    """Drafts and waiting files go to the successor. Where both have typed into one form, both texts stand there."""
    typed: dict[int, dict[str, str]] = {from_person: {}, to_person: {}}
    for r in tx.connection.execute(_typed, {"people": [from_person, to_person], "forms": sorted(forms)}):
        typed[r.person_id][r.form] = r.fields
    theirs, own = typed[from_person], typed[to_person]
    both = sorted(theirs.keys() & own.keys())
    rows = [{"b_person": to_person, "b_form": f, "b_fields": _merged(own[f], theirs[f])} for f in both]
    tx.writes.write(_set_fields, rows)
    tx.writes.write(_drop, [{"b_person": from_person, "b_form": f} for f in both])
    moving = sorted(theirs.keys() - own.keys())
    tx.writes.write(_move_drafts, [{"b_from": from_person, "b_to": to_person, "b_form": f} for f in moving])
    tx.writes.write(_move_files, [{"b_from": from_person, "b_to": to_person, "b_form": f} for f in sorted(forms)])


_typed = select(draft).where(
    draft.c.person_id.in_(bindparam("people", expanding=True)), draft.c.form.in_(bindparam("forms", expanding=True))
)


def _merged(own: str, theirs: str) -> str:
    fields: dict[str, str] = json.loads(theirs)
    mine: Mapping[str, str] = json.loads(own)
    for key, words in mine.items():
        before = fields.get(key, "")
        is_text = key.partition("-")[0] not in ("figure", "until", "to", "source", "role")
        differ = before and words and before != words and is_text
        fields[key] = f"{words}\n{KEPT}{before}" if differ else words or before
    return json.dumps(fields, ensure_ascii=False)
