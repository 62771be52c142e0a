"""Writing the database into an archive while people work: one view of it, a row at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from sqlalchemy import Connection, Table, func, select

from ledger.archive.manifest import ATTACHMENTS, ArchiveError, Manifest, Member
from ledger.archive.values import encode, tables_of
from ledger.archive.writing import Writer, pieces_of, writing
from ledger.attachments import carried
from ledger.clock import wall_now
from ledger.database import Database
from ledger.files import Store
from ledger.migrating import revision_of

ROWS = 1000  # fetched at once

Progress = Callable[[int, int], None]


def silent(_done: int, _total: int) -> None:
    """Progress that nobody looks at."""


def write_archive(
    db: Database,
    path: Path,
    files: Mapping[str, Path | bytes],
    progress: Progress = silent,
    *,
    store: Store | None = None,
    release: str | None = None,
) -> Manifest:
    """Write everything into a new archive at `path`: the tables, what they refer to in the store, the files under their
    names.

    `progress` gets (rows done, rows in all). `release` is the one that wrote the database, if not this one. An
    attachment that the store has lost does not keep the rest from being saved: the manifest names it.

    Raises: ArchiveError, OSError; then there is no archive.
    """
    with db.read() as connection, writing(path) as writer:
        if (revision := revision_of(connection)) is None:
            raise ArchiveError("数据库尚未初始化，没有可以备份的内容。请检查 DUBAN_DATABASE_URL。")
        tables = tables_of(connection)
        total = sum(connection.execute(select(func.count()).select_from(t)).scalar_one() for t in tables)
        reader = _Reader(connection, total, progress)
        at = wall_now().isoformat(timespec="seconds")
        members = {t.name: _table(writer, reader, t) for t in tables}
        kept = {name: _file(writer, name, content) for name, content in files.items()}
        attached, missing = _attachments(writer, connection, store) if store else ({}, ())
        manifest = Manifest(
            release=release or version("duban"),
            revision=revision,
            database=connection.dialect.name,
            at=at,
            tables=members,
            files={**kept, **attached},
            missing=missing,
        )
        writer.close(manifest)
    return manifest


def _table(writer: Writer, reader: _Reader, table: Table) -> Member:
    with closing(reader.rows(table)) as rows:  # its cursor ends here, whatever happens to the file
        return writer.add(f"tables/{table.name}.jsonl", rows, tuple(table.c.keys()))


def _file(writer: Writer, name: str, content: Path | bytes) -> Member:
    with BytesIO(content) if isinstance(content, bytes) else content.open("rb") as stream:
        return writer.add(name, pieces_of(stream))


def _attachments(writer: Writer, connection: Connection, store: Store) -> tuple[dict[str, Member], tuple[str, ...]]:
    """What this view of the database refers to, and the digests of what is not there.

    An upload whose row is committed may not have its place yet; it is nobody's loss.
    """
    members, missing = dict[str, Member](), list[str]()
    for held in carried(connection):
        name = ATTACHMENTS + held.sha256
        try:
            members[name] = _file(writer, name, store.path(held.sha256))
        except FileNotFoundError:
            missing += [] if held.staged else [held.sha256]
    return members, tuple(missing)


class _Reader:
    """Reads table after table within one transaction, and counts."""

    def __init__(self, connection: Connection, total: int, progress: Progress) -> None:
        self._connection, self._total, self._progress = connection, total, progress
        self._done = 0

    def rows(self, table: Table) -> Generator[bytes, None, None]:
        query = select(table).order_by(*table.primary_key).execution_options(yield_per=ROWS)
        with closing(self._connection.execute(query)) as result:
            for part in result.partitions():
                for row in part:
                    yield encode(row)
                self._done += len(part)
                self._progress(self._done, self._total)
