"""Many runs out of one: what commands have made of a run is copied in bulk with shifted identifiers.

A copy has everything its run has: items, shares, figures, rounds, todos, due rows, notices, events, the engine's state.
Only the hashes of its events are those of the run it was copied from, so a multiplied database does not verify.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, text

from ledger.database import Database
from ledger.schema import (
    assignment,
    content,
    due,
    event,
    figure,
    indicator,
    item,
    notice,
    reading,
    round_,
    run,
    run_state,
    share,
    stream,
    todo,
)

COUNTED = ("run", "item", "assignment", "indicator", "round", "share")  # whose identifiers come from counters


@dataclass(frozen=True)
class Copy:
    """Where a copy lives: a prefix to the keys of its units, and the keys of its office and its jurisdiction."""

    prefix: str = ""
    office: str | None = None
    jurisdiction: str | None = None


def multiply(db: Database, run_id: int, copies: int | Sequence[Copy], *, closed: bool = False) -> None:
    """Copy a run so many times, or once to each of these places, whose units the caller registers.

    `closed`: the copies are over. Everything in them is closed; nothing is due, and nobody is to be told of anything.
    """
    places = [Copy()] * copies if isinstance(copies, int) else copies
    with db.writer.begin() as connection:
        _number(connection, run_id, places)
        spans = _spans(connection)
        for table in (run, run_state, item, assignment, indicator, reading, figure, round_, share, todo):
            _copy(connection, table, run_id, spans, _CLOSED.get(table.name, {}) if closed else {})
        for table in (due, notice) if not closed else ():
            _copy(connection, table, run_id, spans, {})
        for table in (stream, event, content):
            for kind in ("run", "item"):
                _copy_streams(connection, table, run_id, kind, spans[kind])
        for name, span in spans.items():
            counted = {"name": name, "value": span * (len(places) + 1)}
            connection.execute(text("UPDATE counter SET value = :value WHERE name = :name"), counted)
        for name in ("copied", "copy"):
            connection.execute(text(f"DROP TABLE {name}"))
    analyse(db)


def analyse(db: Database) -> None:
    """What autovacuum does to a PostgreSQL database after a while. SQLite plans without statistics, as deployed."""
    if not db.is_sqlite:
        with db.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _number(connection: Connection, run_id: int, places: Sequence[Copy]) -> None:
    """The places as a table to join with: 1, 2 ..."""
    home = connection.execute(text("SELECT office, jurisdiction FROM run WHERE id = :id"), {"id": run_id}).one()
    columns = ("n", "prefix", "home", "office", "jurisdiction")
    rows = [
        (n, p.prefix, home.office, p.office or home.office, p.jurisdiction or home.jurisdiction)
        for n, p in enumerate(places, start=1)
    ]
    connection.execute(
        text("CREATE TEMPORARY TABLE copy (n INTEGER, prefix TEXT, home TEXT, office TEXT, jurisdiction TEXT)")
    )
    values = ", ".join(f":{name}" for name in columns)
    connection.execute(text(f"INSERT INTO copy VALUES ({values})"), [dict(zip(columns, r, strict=True)) for r in rows])


def _spans(connection: Connection) -> dict[str, int]:
    """How far the identifiers of a copy lie from those of the copy before it."""
    rows = connection.execute(text("SELECT name, value FROM counter")).all()
    return {r.name: r.value for r in rows if r.name in COUNTED}


# ---------------------------------------------------------------- a table's rows
_ITEMS = "(SELECT id FROM item WHERE run_id = :run)"
_OF_RUN = {  # the rows of a run, where they do not name it themselves
    "run": "id = :run",
    "indicator": f"item_id IN {_ITEMS}",
    "reading": f"item_id IN {_ITEMS}",
    "figure": "assignment_id IN (SELECT id FROM assignment WHERE run_id = :run)",
    "due": " OR ".join(
        f"owner_kind = '{kind}' AND owner_id IN"
        f" (SELECT id FROM {kind} WHERE {'id' if kind == 'run' else 'run_id'} = :run)"
        for kind in COUNTED
        if kind != "indicator"
    ),
}
_NUMBERED = ("due", "notice", "event")  # by the database
_UNIT = "CASE WHEN t.unit = c.home THEN c.office ELSE c.prefix || t.unit END"
_PLACED = {"unit": _UNIT, "office": "c.office", "jurisdiction": "c.jurisdiction"}

# What makes a copy one that is over.
_CLOSED = {
    "run": {"ended_at": "t.started_at"},
    "item": {
        "state": "'closed'",
        "opened_at": "(SELECT started_at FROM run WHERE id = t.run_id)",
        "closed_at": "(SELECT started_at FROM run WHERE id = t.run_id)",
        "n_done": "t.n_total",
    },
    "assignment": {
        "state": "'closed'",
        "step": "NULL",
        "submitted_at": "(SELECT started_at FROM run WHERE id = t.run_id)",
        "closed_at": "(SELECT started_at FROM run WHERE id = t.run_id)",
    },
    "round": {"closed_at": "t.due_at", "n_done": "t.n_total"},
    "share": {"state": "'reported'", "reported_at": "(SELECT started_at FROM run WHERE id = t.run_id)"},
    "todo": {"closed_at": "t.opened_at"},
}


def _copy(connection: Connection, table: Table, run_id: int, spans: dict[str, int], over: dict[str, str]) -> None:
    names = [c.name for c in table.columns if c.name != "id" or table.name not in _NUMBERED]
    values = [over.get(name) or _value(table, name, spans) for name in names]
    source = f'SELECT * FROM "{table.name}" WHERE {_OF_RUN.get(table.name, "run_id = :run")}'
    _insert(connection, table, run_id, source, names, values)


def _value(table: Table, name: str, spans: dict[str, int]) -> str:
    kind = {"id": table.name, "parent_id": "assignment"}.get(name, name.removesuffix("_id"))
    if kind in spans and name != kind:
        return f"t.{name} + c.n * {spans[kind]}"
    if name == "owner_id":
        cases = " ".join(f"WHEN '{kind}' THEN {span}" for kind, span in spans.items())
        return f"t.owner_id + c.n * CASE t.owner_kind {cases} END"
    return _PLACED.get(name, f't."{name}"')


def _copy_streams(connection: Connection, table: Table, run_id: int, kind: str, span: int) -> None:
    """The rows of the run's own stream or of its items' streams, under the names of the copies."""
    own = "name" if table is stream else "stream"
    source = (
        f"SELECT x.*, s.id AS source_id FROM {kind} s JOIN {table.name} x ON x.{own} = '{kind}:' || s.id"
        f" WHERE s.{'id' if kind == 'run' else 'run_id'} = :run"
    )
    names = [c.name for c in table.columns if c.name != "id"]
    values = [f"'{kind}:' || (t.source_id + c.n * {span})" if name == own else f't."{name}"' for name in names]
    _insert(connection, table, run_id, source, names, values)


def _insert(
    connection: Connection, table: Table, run_id: int, source: str, names: Iterable[str], values: Iterable[str]
) -> None:
    connection.execute(text("DROP TABLE IF EXISTS copied"))
    connection.execute(text(f"CREATE TEMPORARY TABLE copied AS {source}"), {"run": run_id})
    quoted = ", ".join(f'"{name}"' for name in names)
    connection.execute(
        text(f'INSERT INTO "{table.name}" ({quoted}) SELECT {", ".join(values)} FROM copy c CROSS JOIN copied t')
    )
