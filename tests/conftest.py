"""Databases for the tests, and the promise of CI: with DUBAN_REQUIRE_ALL=1 no browser or PostgreSQL test is skipped."""

import os
import shutil
import sys
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from argon2 import PasswordHasher
from sqlalchemy import URL, Engine, event, make_url

from ledger import database
from webapp import hashing

# The processes that tests start keep what they have compiled: reading sources anew is half of their start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

hypothesis.settings.register_profile("duban", deadline=None)  # machines are noisy: no test fails for being slow
hypothesis.settings.load_profile("duban")

REQUIRE_ALL = os.environ.get("DUBAN_REQUIRE_ALL") == "1"
LOCAL_SERVERS = [
    URL.create("postgresql+psycopg", username=user, host="127.0.0.1", port=5432, database="postgres")
    for user in ("postgres", "root")
]


# -- nothing is skipped in CI


def refusal(nodeid: str, report: pytest.TestReport | pytest.CollectReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    return f"DUBAN_REQUIRE_ALL=1, but {nodeid} was skipped: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    required = item.get_closest_marker("e2e") or item.get_closest_marker("postgres")
    if REQUIRE_ALL and required and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = refusal(item.nodeid, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips itself whole hides its marks, so under DUBAN_REQUIRE_ALL none may."""
    report = yield
    if REQUIRE_ALL and report.skipped:
        report.outcome = "failed"
        report.longrepr = refusal(collector.nodeid, report)
    return report


# -- what is costly by intent, or made anew for every test


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[PasswordHasher]:
    """Log-ins of tests are no secret: a hash costs a hundredth. Gives what is in use outside the tests."""
    real = hashing.HASHER
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        patch.setattr(hashing, "_NOBODY", hashing.hashed("nobody"))
        yield real


@pytest.fixture(scope="session", autouse=True)
def quick_databases() -> Iterator[None]:
    """Every test opens databases of its own; those of one kind share a dialect with all that was compiled for it, and
    SQLite's wait for no disk, since no test pulls the plug on them. What runs in a process of its own is as ever."""
    known: dict[str, Engine] = {}
    made = database._engine

    def engine(*args: Any) -> Engine:
        new = made(*args)
        if new.name == "sqlite":
            event.listen(new, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        first = known.get(new.name)
        if first is None or first.dialect.server_version_info is None:  # never connected: knows no server yet
            known[new.name] = new
            return new
        new.dialect = new.pool._dialect = first.dialect
        new._compiled_cache = first._compiled_cache
        return new

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_engine", engine)
        yield


# -- PostgreSQL


def libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def reachable_server() -> URL:
    """The server of DUBAN_TEST_POSTGRES_URL, which must answer, or else a local one, if any answers."""
    named = os.environ.get("DUBAN_TEST_POSTGRES_URL")
    if named:
        return make_url(named)
    refusals = []
    for url in LOCAL_SERVERS:
        try:
            psycopg.connect(libpq(url), connect_timeout=3).close()
        except psycopg.OperationalError as refusal:
            refusals.append(f"{url.username}: {str(refusal).strip()}")
        else:
            return url
    pytest.skip(f"no PostgreSQL; set DUBAN_TEST_POSTGRES_URL ({'; '.join(refusals)})")


def create(url: URL, template: str = "template0") -> None:
    """A database in the place of whatever was there; it waits for no disk, since no test pulls the plug on it."""
    drop(url)
    _execute(
        url,
        f"CREATE DATABASE {url.database} TEMPLATE {template} ENCODING 'UTF8'",
        f"ALTER DATABASE {url.database} SET synchronous_commit TO off",
    )


def drop(url: URL) -> None:
    _execute(url, f"DROP DATABASE IF EXISTS {url.database} WITH (FORCE)")


def _execute(url: URL, *statements: str) -> None:
    with psycopg.connect(libpq(url.set(database="postgres")), autocommit=True) as session:
        for statement in statements:
            session.execute(statement)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A database of this session's (this xdist worker's) own, dropped at its end."""
    url = reachable_server().set(database=f"duban_test_{uuid.uuid4().hex[:12]}")
    create(url)
    try:
        yield url.render_as_string(hide_password=False)
    finally:
        drop(url)


def empty(url: str) -> None:
    """Ends what an earlier test left open there, since its locks would hold up the DROP, and starts the schema anew."""
    with psycopg.connect(libpq(make_url(url)), autocommit=True) as session:
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        session.execute("DROP SCHEMA public CASCADE")
        session.execute("CREATE SCHEMA public")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: the test runs once on a SQLite file and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'duban.sqlite3'}"
    url: str = request.getfixturevalue("postgres_url")
    empty(url)
    return url


# -- databases to copy


class Moulds:
    """Databases to copy, by the function that made them, which takes ten times as long; what it returned goes with each
    copy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[str, Callable[[str], int]], tuple[URL, int]] = {}

    def pour(self, make: Callable[[str], int], into: str) -> int:
        """Put a copy in the place of the database at a URL."""
        target = make_url(into)
        mould, result = self._mould(make, target)
        if target.get_backend_name() == "sqlite":
            shutil.copy(str(mould.database), str(target.database))
        else:
            create(target, str(mould.database))
        return result

    def _mould(self, make: Callable[[str], int], target: URL) -> tuple[URL, int]:
        key = (target.get_backend_name(), make)
        if key not in self._made:
            url = target.set(database=str(self._folder / f"{len(self._made)}.sqlite3"))
            if key[0] == "postgresql":
                url = target.set(database=f"{target.database}_{len(self._made)}")
                create(url)
            self._made[key] = url, make(url.render_as_string(hide_password=False))
        return self._made[key]

    def close(self) -> None:
        for url, _ in self._made.values():
            if url.get_backend_name() == "postgresql":
                drop(url)


@pytest.fixture(scope="session")
def moulds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moulds]:
    made = Moulds(tmp_path_factory.mktemp("moulds"))
    yield made
    made.close()
