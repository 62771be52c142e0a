"""`python -m tests.bench`: a JSON line for each case, on SQLite and PostgreSQL, with few and many live items, and with
many closed ones behind."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from argon2 import PasswordHasher
from sqlalchemy import URL, make_url

from ledger.database import Database
from ledger.following import follow
from ledger.migrating import upgrade
from tests.bench.cases import Ground, crowd, http, service
from tests.bench.client import Client
from tests.bench.exporting import measure_export
from tests.bench.large import large
from tests.bench.measuring import WARM_UP, Bench, Floor
from tests.bench.multiply import multiply
from tests.bench.pages import measure_pages, measure_ticks
from tests.bench.server import serving

BEHIND = 200_000  # closed items of earlier years
SIZES = ((150, 0), (1000, 0), (5000, 0), (150, BEHIND))
PASSWORD = "duban-bench"
SERVER = URL.create("postgresql+psycopg", username="postgres", host="127.0.0.1", port=5432, database="postgres")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few repetitions: does it run, not how fast")
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="one database")
    parser.add_argument("--part", choices=("path", "pages"), help="the write path, or pages at 100,000 items")
    asked = parser.parse_args()
    items = 2 * WARM_UP + (6 if asked.quick else 100)
    places = {"sqlite": sqlite, "postgresql": postgresql}
    for name in [asked.only] if asked.only else places:
        for live, behind in SIZES if asked.part != "pages" else ():
            with places[name]() as url:
                if url is not None:
                    run(url, f"{name}.{live}" + (f"+{behind}" if behind else ""), live, behind, items)
        if asked.part != "path":
            with places[name]() as url:
                if url is not None:
                    run_large(url, name, items)


def run_large(url: str, suffix: str, repeated: int) -> None:
    """Pages, an export and ticks at 100,000 items."""
    upgrade(url)
    db = Database(url)
    try:
        world, people = large(db, PasswordHasher().hash(PASSWORD))
        port = free_port()
        with serving(url, port):
            print(*measure_pages(world, people, Client(port, PASSWORD), suffix, repeated), sep="\n", flush=True)
        print(measure_export(db, suffix, 3 if repeated > 100 else 1), flush=True)
    finally:
        db.close()
    print(*measure_ticks(url, suffix), sep="\n", flush=True)


def run(url: str, suffix: str, live: int, behind: int, items: int) -> None:
    """Every case at one size on one empty database: so many live items, so many closed ones behind them."""
    upgrade(url)
    db = Database(url)
    try:
        ground = Ground(db, live, PasswordHasher().hash(PASSWORD))
        if behind:
            multiply(db, ground.standing, behind // len(ground.world.items(ground.standing)), closed=True)
            follow(db)
        floor = Floor(db.writer)
        floor.prepare()
        bench = Bench(suffix, floor)
        service(ground, bench, items)
        show(bench)
        port = free_port()
        with serving(url, port):
            client = Client(port, PASSWORD)
            bench = Bench(suffix, client.floor)
            http(ground, client, bench, items)
            show(bench)
            clients = [Client(port, PASSWORD) for _ in range(4)]
            bench = Bench(suffix, client.floor)
            crowd(ground, clients, bench, max(1, items // 40))
        show(bench)
    finally:
        db.close()


def show(bench: Bench) -> None:
    print(*bench.lines(), sep="\n", flush=True)


@contextmanager
def sqlite() -> Iterator[str]:
    """An empty file on the disk that holds the project: a memory disk would make every fsync free."""
    place = Path("var")
    place.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="bench-", dir=place) as folder:
        yield f"sqlite:///{Path(folder).absolute() / 'bench.sqlite3'}"


@contextmanager
def postgresql() -> Iterator[str | None]:
    """An empty database of a server, dropped at the end; None, with the reason on stderr, where no server answers."""
    server = make_url(os.environ.get("DUBAN_TEST_POSTGRES_URL") or SERVER)
    libpq = server.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        admin = psycopg.connect(libpq, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as refused:
        print(f"PostgreSQL left out: {str(refused).strip()}", file=sys.stderr)
        yield None
        return
    name = f"duban_bench_{uuid.uuid4().hex[:12]}"
    with admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
