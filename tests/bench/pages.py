"""Pages at 100,000 live items, each beside the bare page, and a tick with 1,000 due among them.

The bare page, which no page can go below: a bare Flask request behind the same gunicorn that, in one read transaction,
selects as many items as the page has lines, by primary key and with one statement, and renders ten of their columns
with a plain Jinja table of as many lines. It asks nobody who they are, filters, counts and sorts nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from html import unescape
from random import Random

from flask import Flask
from sqlalchemy import Connection, bindparam, delete, select, update

from engine.chasing import wake
from engine.moments import RANK_TIER, Moment
from engine.ticking import start_ticking, tick
from ledger.calendar import WorkCalendar, local_day, moment
from ledger.clock import StoredClock, wall_now
from ledger.database import Database
from ledger.following import follow
from ledger.schema import assignment, due, item, run
from tests.bench.client import Client
from tests.bench.large import People
from tests.bench.measuring import WARM_UP, Bench, Floor
from tests.bench.world import JURISDICTION, World

_TABLE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>bare</title></head><body><table><tbody>
{% for row in rows %}<tr>{% for value in row %}<td>{{ value }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></body></html>
"""
_COLUMNS = ("no", "title", "heading_name", "state", "due_at", "due_text", "n_done", "n_total", "opened_at", "closed_at")
_rows = select(*(item.c[name] for name in _COLUMNS)).where(item.c.id.in_(bindparam("ids", expanding=True)))


def add_bare_page(app: Flask, db: Database) -> None:
    """`/rows/N`: the bare page of N lines."""
    table = app.jinja_env.from_string(_TABLE)
    with db.read() as connection:
        ids = list(connection.execute(select(item.c.id)).scalars())
    random = Random(1)

    @app.get("/rows/<int:n>")
    def rows(n: int) -> str:
        with db.read() as connection:
            found = connection.execute(_rows, {"ids": random.sample(ids, n)}).all()
            return table.render(rows=found)


@dataclass(frozen=True)
class Page:
    """Who opens what, and what a line of it looks like in its HTML."""

    name: str
    login: str
    path: str
    line: str


DEEP = 1500
LIGHT = 120 * 1024  # bytes of script and style, as they are sent, that a page for a phone may load
_ROW, _SLIP = r'<th scope="row" class="tt">', r'<article class="slip'
_FIGURE = r'<li class="sheet pad fig is-'
_LI, _BAR, _FIG, _TURN, _RUN = (
    r'<li class="is-',
    r'<div class="g-row is-',
    r'<div class="fig ',
    r'<th scope="row" class="nw">',
    r'<li class="sheet pad run">',
)


def pages_of(world: World, people: People) -> list[Page]:
    plan, lines = f"/plans/{world.runs[0]}", "|".join((_LI, _BAR, _FIG, _TURN))
    home = "coordinator"  # of the run that was copied
    return [
        Page("ledger.coordinator", people.coordinator, "/ledger", _ROW),
        Page("ledger.inspector", people.inspector, "/ledger", _ROW),
        Page("ledger.liaison", people.liaison, "/ledger", _ROW),
        Page("home.inspector", people.inspector, "/home", _LI),
        Page("figures.inspector", people.inspector, "/figures", _FIGURE),
        Page("inbox.liaison", people.liaison, "/inbox", _SLIP),
        Page("plan.coordinator", home, plan, lines),
        Page("plan.liaison", "renshe", plan, lines),
        Page("plans.coordinator", people.coordinator, "/plans", _RUN),
        Page("plans.liaison", people.liaison, "/plans", _RUN),
    ]


def deep(people: People, client: Client) -> Page:
    """A page far down the inspector's ledger, as one comes to it: from the page before."""
    client.be(people.inspector)
    before = client.page(f"/ledger?page={DEEP}")
    found = re.search(r'rel="next" href="([^"]+)"', before)
    if found is None:
        raise LookupError(f"the ledger ends before page {DEEP}")
    return Page("ledger.inspector.deep", people.inspector, unescape(found[1]), _ROW)


def measure_pages(world: World, people: People, client: Client, suffix: str, n: int) -> list[str]:
    """The line of each page."""
    lines = []
    for page in [*pages_of(world, people), deep(people, client)]:
        client.be(page.login)
        html = client.page(page.path)
        lines.append(json.dumps({"bench": f"weight.{page.name}", "bytes": client.weight(html), "limit": LIGHT}))
        count = len(re.findall(page.line, html))
        bench = Bench(suffix, _opening(client, f"/floor/rows/{count}"))
        for _ in range(n):
            bench.measure(f"page.{page.name}.{count}", _opening(client, page.path))
        lines += bench.lines()
    return lines


def _opening(client: Client, path: str) -> Callable[[], object]:
    return lambda: client.page(path)


# ---------------------------------------------------------------- the tick
DUE, DAYS = 1000, 4


@dataclass
class _Set(StoredClock):
    """A clock that stands where it is set."""

    at: datetime

    def now(self, connection: Connection) -> datetime:
        return self.at


def measure_ticks(url: str, suffix: str) -> list[str]:
    """Some mornings, each with 1,000 tiers due and their digest, and the day's change of lights taken in.

    What else would have been due until then is taken away. The floor is the bare transaction.
    """
    clock = _Set(wall_now())
    db = Database(url, clock)
    try:
        calendar = WorkCalendar()
        mornings = [moment(calendar.after(local_day(clock.at), n), time(9, 30)) for n in range(1, WARM_UP + DAYS + 1)]
        owners = _emptied(db, mornings[-1])
        floor = Floor(db.writer)
        floor.prepare()
        bench = Bench(suffix, floor)
        with db.write() as tx:
            start_ticking(tx, tx.now)
        for n, clock.at in enumerate(mornings):
            _fall_due(db, owners[n * DUE : (n + 1) * DUE], clock.at)
            bench.measure(f"tick.{DUE}_due", lambda: tick(db))
            bench.measure("tick.follow_a_day", lambda: follow(db))
        return bench.lines()
    finally:
        db.close()


def _emptied(db: Database, until: datetime) -> list[int]:
    """Take away what is due until then; returns assignments in hand of the largest jurisdiction, well mixed."""
    in_hand = assignment.c.state.in_(("acknowledging", "working", "returned"))
    with db.write() as tx:
        tx.connection.execute(delete(due).where(due.c.at <= until))
        tx.connection.execute(delete(due).where(due.c.kind == _TIER, due.c.owner_kind == "assignment"))
        chosen = select(assignment.c.id).join(run, run.c.id == assignment.c.run_id)
        ids = list(tx.connection.execute(chosen.where(in_hand, run.c.jurisdiction == JURISDICTION)).scalars())
    Random(1).shuffle(ids)
    return ids


_TIER = "tier:0"


def _fall_due(db: Database, owners: Sequence[int], at: datetime) -> None:
    with db.write() as tx:
        wake(tx, "assignment", owners, [Moment(_TIER, 1, at, RANK_TIER)])
        tx.connection.execute(update(due).where(due.c.kind == "digest").values(at=at))
        tx.connection.execute(delete(due).where(due.c.kind == "weekly"))  # the towns have no names to print
