"""Commands in any order by any role on both databases; the rules and invariants are those of `tests.hostile.machine`."""

from __future__ import annotations

import ast
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Set
from inspect import getsource, isfunction
from itertools import count
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import make_url

from engine import commands
from ledger.clock import StoredClock
from ledger.database import Database
from ledger.migrating import upgrade
from tests.conftest import libpq
from tests.hostile.machine import KINDS, SEEN, TOGETHER, UNDATED, Commands, found

EXAMPLES = int(os.environ.get("DUBAN_MACHINES", "20"))
STEPS = 40
ROUNDS = 8
REFUSALS = {"Conflict", "NotAllowed", "NotFound", "Refused", "Invalid"}
# Everything that a person can do, by the name under which the module exports it.
REGISTERED = {
    name: made for name in commands.__all__ if isfunction(made := getattr(commands, name)) and name != "perform"
}
COMMANDS = {made.__name__ for made in REGISTERED.values()} | {"deputise"}


def test_every_command_is_drawn_by_a_rule() -> None:
    """A new command without a rule is seen at once, not only when the machine has run for minutes."""
    drawn = set()
    for node in ast.walk(ast.parse(getsource(Commands))):
        if isinstance(node, ast.Name):
            drawn.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "commands":
            drawn.add(node.attr)
    assert set(REGISTERED) - drawn == set()


def machine(opener: Callable[[], Database]) -> type[Commands]:
    return type("Machine", (Commands,), {"open": staticmethod(opener)})


def play(opener: Callable[[], Database], examples: int, wanted: Set[str]) -> None:
    """`examples` machines; then more of them, should something wanted not have happened yet: what hypothesis draws
    depends on the modules that happen to be loaded."""
    chosen = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    SEEN.clear()
    for number in range(ROUNDS):
        run_state_machine_as_test(seed(number)(machine(opener)), settings=chosen)
        if wanted <= set(SEEN):
            return
    assert wanted - set(SEEN) == set(), SEEN


@pytest.fixture
def quick() -> Iterator[Path]:
    """A folder in memory, where there is one: these databases survive nothing."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if os.access(shared, os.W_OK) else None) as folder:
        yield Path(folder)


def test_any_order_on_sqlite(quick: Path) -> None:
    template, numbers = quick / "template.sqlite3", count()
    upgrade(f"sqlite:///{template}")
    db = Database(f"sqlite:///{template}", StoredClock())
    found(db, TOGETHER, UNDATED)
    db.close()

    def opener() -> Database:
        file = quick / f"{next(numbers)}.sqlite3"
        shutil.copy(template, file)
        return Database(f"sqlite:///{file}", StoredClock())

    play(opener, EXAMPLES, KINDS | REFUSALS | COMMANDS)


@pytest.mark.postgres
def test_any_order_on_postgresql(postgres_url: str) -> None:
    url = make_url(postgres_url)
    names = [f"{url.database}_machine"]
    admin = libpq(url.set(database="postgres"))
    with psycopg.connect(admin, autocommit=True) as session:
        session.execute(f"CREATE DATABASE {names[0]} TEMPLATE template0 ENCODING 'UTF8'")
        template = url.set(database=names[0]).render_as_string(hide_password=False)
        upgrade(template)
        db = Database(template, StoredClock())
        found(db, TOGETHER, UNDATED)
        db.close()

        def opener() -> Database:
            names.append(f"{names[0]}_{len(names)}")
            session.execute(f"CREATE DATABASE {names[-1]} TEMPLATE {names[0]}")
            return Database(url.set(database=names[-1]).render_as_string(hide_password=False), StoredClock())

        try:
            play(opener, max(3, EXAMPLES // 4), {"item.closed", "Conflict"})
        finally:
            for name in reversed(names):
                session.execute(f"DROP DATABASE {name} WITH (FORCE)")
