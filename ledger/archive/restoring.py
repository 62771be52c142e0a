"""Taking an archive into an empty database of either kind, in one transaction: all of it, or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, inspect, select, text

from ledger.archive.backup import ROWS, Progress, silent
from ledger.archive.manifest import ATTACHMENTS, ArchiveError, Manifest
from ledger.archive.reading import Archive, opened
from ledger.archive.values import decoders, tables_of
from ledger.attachments import carried
from ledger.clearing import NOTHING, Cleared, known, reapply
from ledger.clock import forget_clock, wall_now
from ledger.database import Database, Tx
from ledger.files import Store
from ledger.migrating import knows, upgrade_within
from ledger.schema import login_session, password_reset, throttle

OF_THE_DOOR = (login_session, password_reset, throttle)


def restore(
    db: Database,
    path: Path,
    cleared: Cleared = NOTHING,
    progress: Progress = silent,
    *,
    store: Store | None = None,
) -> Manifest:
    """Bring an empty database to the archive's revision, load its rows, migrate to this release, clear again what has
    been cleared since (依规清除), record what the restored log does not say of it, and put the attachments that are
    still referred to into the store.

    Raises: ArchiveError for a damaged archive, one of a later release, or a database that is not empty; then, as after
    any other exception, the database is as it was.
    """
    with opened(path) as archive:
        if not knows(archive.manifest.revision):
            later = f"{archive.manifest.release}，数据库版本 {archive.manifest.revision}"
            raise ArchiveError(f"归档来自较新的版本（{later}），请先升级本系统。")
        with db.writer.connect() as connection:
            if db.is_sqlite:  # a later migration may rebuild tables that others refer to; all is checked at the end
                raw: Any = connection.connection.dbapi_connection
                raw.execute("PRAGMA foreign_keys=OFF")
            with connection.begin():
                _take_in(connection, archive, progress)
                _settle(connection)  # the event that says what was cleared again needs a number of its own
                if gone := cleared | archive.manifest.cleared | known(connection):
                    reapply(Tx(connection, db.clock, wall_now()), gone)
                if store:
                    _fill(store, connection, archive)
            connection.invalidate()  # the pragma belongs to this connection alone
        return archive.manifest


def _fill(store: Store, connection: Connection, archive: Archive) -> None:
    """Before the commit: a database that refers to files has them."""
    there = {held.sha256 for held in carried(connection)}
    for sha256 in archive.attachments():
        if sha256 in there and not store.has(sha256):
            store.keep(sha256, archive.pieces(ATTACHMENTS + sha256))


def _take_in(connection: Connection, archive: Archive, progress: Progress) -> None:
    if there := inspect(connection).get_table_names():
        raise ArchiveError(
            f"数据库不是空的（已有 {len(there)} 张表），没有动用。恢复只能在空库中进行："
            "请新建一个数据库（SQLite 换一个文件名），让 DUBAN_DATABASE_URL 指向它，再恢复。"
        )
    upgrade_within(connection, archive.manifest.revision)
    tables, members = tables_of(connection), archive.manifest.tables
    if {t.name: set(t.c.keys()) for t in tables} != {name: set(m.columns) for name, m in members.items()}:
        raise ArchiveError(f"归档的表与数据库版本 {archive.manifest.revision} 不符，没有动用。请换一份归档。")
    done = 0
    for table in tables:
        for rows in _batches(_rows(archive, table, connection.dialect.name)):
            connection.execute(insert(table), rows)
            done += len(rows)
            progress(done, archive.manifest.rows)
    upgrade_within(connection)
    for table in OF_THE_DOOR:  # what was ended since must not come back
        connection.execute(delete(table))
    forget_clock(connection)  # an old archive is no leap


def _rows(archive: Archive, table: Table, dialect: str) -> Iterator[dict[str, Any]]:
    columns = archive.manifest.tables[table.name].columns
    decode = decoders(table, columns, dialect)
    for line in archive.lines(table.name):
        values = json.loads(line)
        yield {c: d(v) for c, d, v in zip(columns, decode, values, strict=True)}


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, ROWS)):
        yield batch


def _settle(connection: Connection) -> None:
    """What the rows alone do not bring: where numbering goes on, and what the planner knows of the tables."""
    if connection.dialect.name == "sqlite":
        if dangling := connection.execute(text("PRAGMA foreign_key_check")).all():
            raise ArchiveError(f"归档中有 {len(dangling)} 行指向不存在的记录，没有动用。请换一份归档。")
    else:
        for table in tables_of(connection):
            _go_on_numbering(connection, table)
    connection.execute(text("ANALYZE"))


def _go_on_numbering(connection: Connection, table: Table) -> None:
    for column in table.primary_key:
        sequence = connection.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": f'"{table.name}"', "column": column.name},
        ).scalar_one()
        if sequence is not None:
            last = connection.execute(select(func.max(column))).scalar_one()
            connection.execute(select(func.setval(sequence, last or 1, last is not None)))
