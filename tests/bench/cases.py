"""The cases: one item after another goes from 签收 to 办结, a round is reported, the plan advances."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from unittest.mock import patch

from engine.advancing import advance_run
from engine.commands import TodoRef, acknowledge_many
from ledger.database import Database
from tests.bench.client import Client
from tests.bench.measuring import Bench
from tests.bench.world import UNITS, World, found, generated, today

LARGEST = 800  # items of a run
REPORTERS = UNITS[:15]
FIGURES = 3  # items a unit reports on in a round


class Ground:
    """A world kept at so many live items: one run stands and reports its rounds, the others are worked off."""

    def __init__(self, db: Database, live: int, password_hash: str) -> None:
        self.live = live
        runs = max(3, -(-live // LARGEST))
        plan = generated(live // runs, today(db), units=REPORTERS)
        self.world: World = found(db, plan, runs, password_hash)
        self.standing = self.world.runs[0]
        self.waiting: deque[tuple[int, int]] = deque()
        for run_id in self.world.runs[1:]:
            self._queue(run_id)
        self.turns = iter(range(1, 1000))
        self.owed: dict[str, int] = {}
        for unit in REPORTERS:
            shares = self.world.shares_of_unit(self.standing, unit.key)[:FIGURES]
            refs = [TodoRef(s, "acknowledge", 1) for s in shares]
            self.world.act(self.world.actors[unit.key, "liaison"], acknowledge_many, refs)()

    def _queue(self, run_id: int) -> None:
        self.waiting += [(run_id, item_id) for item_id in self.world.items(run_id)]

    def items(self, n: int) -> Iterator[tuple[int, int]]:
        """(run, item) one after another; whenever too few items are live, another run is started."""
        for _ in range(n):
            if not self.waiting or self.world.live_items() < self.live:
                self._queue(self.world.start_run())
            yield self.waiting.popleft()

    def next_report(self) -> tuple[str, int, list[int]]:
        """(unit, its share of the open round, the items' shares it reports on)."""
        if not self.owed:
            self.world.open_round(self.standing, next(self.turns))
            self.owed = self.world.owed(self.standing)
        unit, owed = self.owed.popitem()
        return unit, owed, self.world.shares_of_unit(self.standing, unit)[:FIGURES]


def service(ground: Ground, bench: Bench, n: int) -> None:
    """Commands as a page gives them, without HTTP; the plan's advance is counted apart."""
    w = ground.world
    with patch("engine.desk.advance_run"):
        for value, (run_id, item_id) in enumerate(ground.items(n)):
            first, last = w.shares(item_id)
            for share in (first, last):
                bench.measure("service.acknowledge", w.acknowledge(share))
                bench.measure("service.submit", w.submit(share))
                bench.measure("service.sign", w.decide(share))
            bench.measure("service.accept", w.decide(first))
            bench.measure("service.close", w.decide(last))
            bench.measure("service.advance", partial(advance_run, w.db, run_id))
            unit, owed, shares = ground.next_report()
            filled = dict.fromkeys(shares[: 1 if value % 2 else FIGURES], value)
            name = "service.report_round" if len(filled) == 1 else f"service.report_round_of_{FIGURES}"
            bench.measure(name, w.report_round(owed, unit, filled))


def crowd(ground: Ground, clients: Sequence[Client], bench: Bench, runs: int) -> None:
    """As many people as there are clients sign for the shares of their units in one run, all at the same time."""
    w = ground.world
    for _ in range(runs):
        run_id = w.start_run()
        units = iter([u.key for u in REPORTERS])
        for own in zip(*[units] * len(clients), strict=False):
            acts = []
            for client, unit in zip(clients, own, strict=True):
                client.be(unit)
                paths = [f"/assignments/{share}/acknowledge" for share in w.shares_of_unit(run_id, unit)]
                acts.append([client.form(path, {"arm": "1"}) for path in paths])
            bench.measure_at_once(f"http.acknowledge_by_{len(clients)}", acts, [client.floor for client in clients])


def http(ground: Ground, client: Client, bench: Bench, n: int) -> None:
    """The forms of an item's page, posted over one connection that is kept alive."""
    w = ground.world
    for _, item_id in ground.items(n):
        (indicator_id,) = w.figure(item_id, 0)
        for share in w.shares(item_id):
            client.be(w.unit_of(share))
            bench.measure("http.acknowledge", client.form(f"/assignments/{share}/acknowledge", {"arm": "1"}))
            fields = {"arm": "1", "summary": "已完成", f"figure-{indicator_id}": "10", "confirmed": "1"}
            bench.measure("http.submit", client.form(f"/assignments/{share}/submit", fields))
