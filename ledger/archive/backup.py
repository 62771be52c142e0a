"""Writing the database into an archive while people work: one view of it, a row at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Connection, Table, func, select

from ledger.archive.manifest import ArchiveError, Manifest, Member
from ledger.archive.values import encode, tables_of
from ledger.archive.writing import Writer, pieces_of, writing
from ledger.clock import wall_now
from ledger.database import Database
from ledger.migrating import revision_of

ROWS = 1000  # fetched at once

Progress = Callable[[int, int], None]


def silent(_done: int, _total: int) -> None:
    """Progress that nobody looks at."""


def write_archive(
    db: Database, path: Path, files: Mapping[str, Path | bytes], progress: Progress = silent, release: str | None = None
) -> Manifest:
    """Write everything into a new archive at `path`, the files under their names beside the tables.

    `progress` gets (rows done, rows in all). `release` is the one that wrote the database, if not this one.

    Raises: ArchiveError, OSError; then there is no archive.
    """
    with db.read() as connection, writing(path) as writer:
        if (revision := revision_of(connection)) is None:
            raise ArchiveError("数据库尚未初始化，没有可以备份的内容。请检查 DUBAN_DATABASE_URL。")
        tables = tables_of(connection)
        total = sum(connection.execute(select(func.count()).select_from(t)).scalar_one() for t in tables)
        reader = _Reader(connection, total, progress)
        manifest = Manifest(
            release=release or version("duban"),
            revision=revision,
            database=connection.dialect.name,
            at=wall_now().isoformat(timespec="seconds"),
            tables={t.name: _table(writer, reader, t) for t in tables},
            files={name: writer.add(name, _pieces(content)) for name, content in files.items()},
        )
        writer.close(manifest)
    return manifest


def _table(writer: Writer, reader: _Reader, table: Table) -> Member:
    with closing(reader.rows(table)) as rows:  # its cursor ends here, whatever happens to the file
        return writer.add(f"tables/{table.name}.jsonl", rows, tuple(table.c.keys()))


def _pieces(content: Path | bytes) -> Iterator[bytes]:
    return iter([content]) if isinstance(content, bytes) else pieces_of(content)


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
