"""Units that are renamed, merged, split, and whose duties move."""

from __future__ import annotations

import json

from sqlalchemy import bindparam, insert, update

from ledger.events import Event
from ledger.projections.registry import Payload, insert_todo, instant, on
from ledger.projections.rounds import withdraw_reports
from ledger.schema import round_, run, share, unit, unit_change, unit_name
from ledger.writing import Writer

_insert_change = insert(unit_change)
_settle = (
    update(unit_change)
    .where(unit_change.c.id == bindparam("b_id"), unit_change.c.state == "planned")
    .values(state=bindparam("b_state"), done_at=bindparam("b_at"))
)


@on("unit.change_decided")
def _decided(w: Writer, e: Event, p: Payload) -> None:
    facts = {key: p[key] for key in ("kind", "unit", "to_unit", "name", "short")}
    row = {"id": p["change"], "at": instant(p["at"]), "shares": json.dumps(p["shares"]), "seq": e.seq}
    w.write(_insert_change, {**facts, **row, "state": "planned"})


@on("unit.change_cancelled")
def _cancelled(w: Writer, e: Event, p: Payload) -> None:
    w.guard(_settle, {"b_id": p["change"], "b_state": "cancelled", "b_at": None})


@on("unit.changed")
def _changed(w: Writer, e: Event, p: Payload) -> None:
    w.guard(_settle, {"b_id": p["change"], "b_state": "done", "b_at": e.at})


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
    """Whom it had succeeded, and the bodies it hosted, go to its successor with it."""
    names = {"b_unit": p["unit"], "b_to": p["successor"]}
    w.guard(_end, {**names, "b_at": e.at})
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
    """A report that one unit owed is owed by another, or by one that owes its own anyway."""
    withdraw_reports(w, [(e, i) for i in p["owed"]])
    if p["share"] is None:
        w.write(_count, {"b_id": p["round"], "b_n": -1})
        return
    facts = {"id": p["share"], "round_id": p["round"], "run_id": p["run"], "unit": p["unit"]}
    w.write(_insert_share, {**facts, "assignment_id": p["assignment"], "state": "owed", "nothing_new": False})
    todo = {"owner_kind": "share", "owner_id": p["share"], "step": "report", "arm": 1, "run_id": p["run"]}
    todo |= {"item_id": p["item"], "unit": p["unit"], "role": "liaison"}
    w.write(insert_todo, {**todo, "due_at": instant(p["due_at"]), "opened_at": e.at})
