"""Timing an act beside its floor, and the line that says what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from sqlalchemy import Column, Engine, Integer, MetaData, Table, bindparam, insert, update

from ledger.clock import wall_now
from ledger.schema import Instant, Serial
from ledger.schema import event as real_event

Floors = Sequence[Callable[[], object]]
WARM_UP = 5  # samples of each case that are thrown away: statements compile, connections open
FLOOR_ROWS = 3000

_metadata = MetaData()
_row = Table(
    "floor_row", _metadata, Column("id", Integer, primary_key=True), Column("closed_at", Instant), Column("n", Integer)
)
_event = Table(  # as wide as the real one
    "floor_event",
    _metadata,
    Column("id", Serial, primary_key=True),
    *(Column(c.name, c.type) for c in real_event.columns if c.name != "id"),
)
_update = update(_row).where(_row.c.id == bindparam("b_id")).values(closed_at=bindparam("b_at"), n=_row.c.n + 1)
_insert = insert(_event)


class Floor:
    """The bare transaction: UPDATE one row, INSERT one event, commit. Nothing that keeps its promises is cheaper."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.n = 0

    def prepare(self) -> None:
        _metadata.create_all(self.engine)
        with self.engine.begin() as connection:
            connection.execute(insert(_row), [{"id": i, "n": 0} for i in range(FLOOR_ROWS)])

    def __call__(self) -> None:
        self.n += 1
        now = wall_now()
        values = {
            "stream": "item:1",
            "seq": self.n,
            "kind": "floor",
            "schema": 1,
            "at": now,
            "recorded_at": now,
            "actor": '{"person":1,"post":1,"role":"liaison","unit":"renshe"}',
            "payload": "x" * 400,
            "prev": "0" * 64,
            "hash": "0" * 64,
        }
        with self.engine.begin() as connection:
            connection.execute(_update, {"b_id": self.n % FLOOR_ROWS, "b_at": now})
            connection.execute(_insert, values)


@dataclass
class Case:
    """The samples of one case, each with the floor's a moment before."""

    taken: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    seconds: float = 0.0  # of several clients at once: how long they took together


class Bench:
    """Cases by name; every act is measured right after its floor, so that both see the same machine."""

    def __init__(self, suffix: str, floor: Callable[[], object]) -> None:
        self.suffix, self.floor = suffix, floor
        self.cases: dict[str, Case] = {}

    def measure(self, name: str, act: Callable[[], object]) -> None:
        case = self.cases.setdefault(name, Case())
        case.floor.append(seconds_of(self.floor))
        case.taken.append(seconds_of(act))

    def measure_at_once(self, name: str, acts: Sequence[Sequence[Callable[[], object]]], floors: Floors) -> None:
        """Several clients at the same time, each giving its own acts one after another; their floors do so before."""
        case = self.cases.setdefault(name, Case())
        case.floor += _at_once([[floor] * len(own) for floor, own in zip(floors, acts, strict=True)])
        start = perf_counter()
        case.taken += _at_once(acts)
        case.seconds += perf_counter() - start

    def lines(self) -> list[str]:
        return [_line(f"{name}.{self.suffix}", case) for name, case in self.cases.items()]


def _at_once(clients: Sequence[Sequence[Callable[[], object]]]) -> list[float]:
    with ThreadPoolExecutor(len(clients)) as pool:
        return [s for own in pool.map(lambda acts: [seconds_of(act) for act in acts], clients) for s in own]


def seconds_of(act: Callable[[], object]) -> float:
    start = perf_counter()
    act()
    return perf_counter() - start


def _line(name: str, case: Case) -> str:
    taken, floor = case.taken[WARM_UP:], case.floor[WARM_UP:]
    p50, floor_p50 = percentile(taken, 50), percentile(floor, 50)
    said: dict[str, Any] = {
        "bench": name,
        "n": len(taken),
        "p50_ms": round(p50, 2),
        "p95_ms": round(percentile(taken, 95), 2),
        "floor_p50_ms": round(floor_p50, 2),
        "ratio": round(p50 / floor_p50, 2),
    }
    if case.seconds:
        said["per_second"] = round(len(case.taken) / case.seconds)
    return json.dumps(said)


def percentile(seconds: list[float], percent: int) -> float:
    """In milliseconds."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000
