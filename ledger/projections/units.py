"""Places with their units and groups; units that are renamed, merged, split, begin and end, and whose duties move."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import String, bindparam, delete, func, insert, update

from ledger.events import Event, canonical
from ledger.projections.registry import Payload, insert_todo, instant, on
from ledger.projections.rounds import ask_again, withdraw_reports
from ledger.schema import jurisdiction, round_, run, share, unit, unit_alias, unit_change, unit_group, unit_name
from ledger.writing import Writer

_insert_place = insert(jurisdiction)
_insert_unit = insert(unit)
_insert_alias = insert(unit_alias)
_forget_aliases = delete(unit_alias).where(unit_alias.c.unit == bindparam("b_unit"))
_insert_group = insert(unit_group)
_forget_group = delete(unit_group).where(
    unit_group.c.jurisdiction == bindparam("b_place"), unit_group.c.name == bindparam("b_name")
)


@on("jurisdiction.registered")
def _place_registered(w: Writer, e: Event, p: Payload) -> None:
    w.write(_insert_place, {"key": p["jurisdiction"], "name": p["name"]})


@on("unit.registered")
def _unit_registered(w: Writer, e: Event, p: Payload) -> None:
    w.write(_insert_unit, {k: p[k] for k in ("key", "jurisdiction", "name", "short", "kind", "host", "ord", "parent")})
    _call(w, p["key"], p.get("aliases", ()))


def _call(w: Writer, key: str, aliases: Iterable[str]) -> None:
    for name in aliases:
        w.write(_insert_alias, {"unit": key, "name": name})


_place_unit = (
    update(unit)
    .where(unit.c.key == bindparam("b_key"))
    .values(jurisdiction=bindparam("b_jurisdiction"), parent=bindparam("b_parent"))
)


@on("unit.placed")
def _unit_placed(w: Writer, e: Event, p: Payload) -> None:
    """Where a unit stands in the tree: the one above it has ended, or a directory of an early release did not say."""
    w.guard(_place_unit, {"b_key": p["key"], "b_jurisdiction": p["jurisdiction"], "b_parent": p["parent"]})


_describe_unit = (
    update(unit)
    .where(unit.c.key == bindparam("b_key"))
    .values({k: bindparam(f"b_{k}") for k in ("jurisdiction", "parent", "kind", "host")})
)


@on("unit.described")
def _unit_described(w: Writer, e: Event, p: Payload) -> None:
    """Everything about a unit but its name, which `unit.renamed` changes."""
    w.guard(_describe_unit, {f"b_{k}": p[k] for k in ("key", "jurisdiction", "parent", "kind", "host")})
    w.write(_forget_aliases, {"b_unit": p["key"]})
    _call(w, p["key"], p["aliases"])


@on("group.described")
def _group_described(w: Writer, e: Event, p: Payload) -> None:
    w.write(_forget_group, {"b_place": p["jurisdiction"], "b_name": p["name"]})
    facts = {"jurisdiction": p["jurisdiction"], "name": p["name"], "open": p["open"]}
    w.write(_insert_group, facts | {k: canonical(p[k]) for k in ("aliases", "members")})


@on("group.removed")
def _group_removed(w: Writer, e: Event, p: Payload) -> None:
    w.guard(_forget_group, {"b_place": p["jurisdiction"], "b_name": p["name"]})


_insert_change = insert(unit_change)
_settle = (
    update(unit_change)
    .where(unit_change.c.id == bindparam("b_id"), unit_change.c.state == "planned")
    .values(
        state=bindparam("b_state"),
        done_at=bindparam("b_at"),
        to_unit=func.coalesce(bindparam("b_to", type_=String), unit_change.c.to_unit),
    )
)


@on("unit.change_decided")
def _decided(w: Writer, e: Event, p: Payload) -> None:
    facts = {key: p[key] for key in ("kind", "unit", "to_unit", "name", "short")}
    row = {"id": p["change"], "at": instant(p["at"]), "shares": json.dumps(p["shares"]), "seq": e.seq}
    w.write(_insert_change, {**facts, **row, "state": "planned"})
    if p["kind"] == "begin":
        w.guard(_begin, {"b_unit": p["unit"], "b_begins": row["at"]})


_begin = update(unit).where(unit.c.key == bindparam("b_unit")).values(begins_at=bindparam("b_begins"))


@on("unit.begun")
def _begun(w: Writer, e: Event, p: Payload) -> None:
    """The day has come, or it is not waited for any more."""
    w.guard(_begin, {"b_unit": p["unit"], "b_begins": None})


@on("unit.change_cancelled")
def _cancelled(w: Writer, e: Event, p: Payload) -> None:
    w.guard(_settle, {"b_id": p["change"], "b_state": "cancelled", "b_at": None, "b_to": None})


@on("unit.changed")
def _changed(w: Writer, e: Event, p: Payload) -> None:
    """`to`: who has taken over, where the unit that was chosen had ended by then."""
    w.guard(_settle, {"b_id": p["change"], "b_state": "done", "b_at": e.at, "b_to": p.get("to")})


_keep_name = insert(unit_name)
_rename = (
    update(unit).where(unit.c.key == bindparam("b_unit")).values(name=bindparam("b_name"), short=bindparam("b_short"))
)


@on("unit.renamed")
def _renamed(w: Writer, e: Event, p: Payload) -> None:
    """What it was called until now stays known."""
    w.write(_keep_name, {"unit": p["unit"], "until": e.at, "name": p["old_name"], "short": p["old_short"]})
    w.guard(_rename, {"b_unit": p["unit"], "b_name": p["name"], "b_short": p["short"]})


_end = (
    update(unit)
    .where(unit.c.key == bindparam("b_unit"), unit.c.ended_at.is_(None))
    .values(ended_at=bindparam("b_at"), successor=bindparam("b_to"))
)
_succeed = update(unit).where(unit.c.successor == bindparam("b_unit")).values(successor=bindparam("b_to"))
_host = update(unit).where(unit.c.host == bindparam("b_unit")).values(host=bindparam("b_to"))


@on("unit.ended")
def _ended(w: Writer, e: Event, p: Payload) -> None:
    """Whom it had succeeded, and the bodies it hosted, go to its successor with it; one that was given up has none."""
    names = {"b_unit": p["unit"], "b_to": p["successor"]}
    w.guard(_end, {**names, "b_at": e.at})
    if p["successor"] is not None:
        w.write(_succeed, names)
        w.write(_host, names)


_office = update(run).where(run.c.id == bindparam("b_run")).values(office=bindparam("b_office"))


@on("run.office_changed")
def _office_changed(w: Writer, e: Event, p: Payload) -> None:
    w.guard(_office, {"b_run": p["run"], "b_office": p["office"]})


_insert_share = insert(share)
_count = update(round_).where(round_.c.id == bindparam("b_id")).values(n_total=round_.c.n_total + bindparam("b_n"))


@on("round.handed_on")
def _round_handed_on(w: Writer, e: Event, p: Payload) -> None:
    """A report that one unit owed is owed by another, or by one that owes its own anyway; or by both (`beside`)."""
    withdraw_reports(w, [(e, i) for i in p["owed"]])
    if p["share"] is None:
        w.write(_count, {"b_id": p["round"], "b_n": -1})
        return
    if p.get("beside"):
        w.write(_count, {"b_id": p["round"], "b_n": 1})
    if p.get("again"):
        ask_again(w, e, p["share"])
        return
    facts = {"id": p["share"], "round_id": p["round"], "run_id": p["run"], "unit": p["unit"]}
    w.write(_insert_share, {**facts, "assignment_id": p["assignment"], "state": "owed", "nothing_new": False})
    todo = {"owner_kind": "share", "owner_id": p["share"], "step": "report", "arm": 1, "run_id": p["run"]}
    todo |= {"item_id": p["item"], "unit": p["unit"], "role": "liaison"}
    w.write(insert_todo, {**todo, "due_at": instant(p["due_at"]), "opened_at": e.at})


@on("round.released")
def _round_released(w: Writer, e: Event, p: Payload) -> None:
    """A unit is not asked any more, for all that it would report about stands still."""
    withdraw_reports(w, [(e, i) for i in p["owed"]])
    w.write(_count, {"b_id": p["round"], "b_n": -len(p["owed"])})
