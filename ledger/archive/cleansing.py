"""依规清除 in archives: what the database no longer says, an older archive must not say either.

What has been cleared is known by the log (`ledger.clearing.known`). A list of it, for archives kept elsewhere, is a
CSV file of places; a person whose name is gone stands in it as (person, id, name).
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from ledger.archive.manifest import ArchiveError
from ledger.archive.reading import Archive, opened
from ledger.archive.values import encode
from ledger.archive.writing import writing
from ledger.clearing import NOTHING, Cleared, Place, Scrubber
from ledger.files import Store

COLUMNS = ("stream", "seq", "field")
LIST = "clearings.csv"
PERSON = "person"
LEARNED = ("content", "person")  # the words that are to go stand in these
REFERRING = {"attachment", "upload"}  # the tables that refer to files by digest


def listed(cleared: Cleared) -> list[tuple[str, int, str]]:
    """What has been cleared, as rows of a list."""
    return [*sorted(cleared.places), *((PERSON, ident, "name") for ident in sorted(cleared.persons))]


def write_list(out: IO[str], cleared: Cleared) -> None:
    """As `read_clearings` reads it."""
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(listed(cleared))


def keep_list(store: Store, cleared: Cleared) -> None:
    """Keep beside the files what has ever been cleared: a database restored from an older archive is cleared by it,
    even where the running one is lost. Raises: OSError."""
    whole = cleared | (kept_list(store) or NOTHING)
    if not whole or whole == kept_list(store):
        return
    store.folder.mkdir(parents=True, exist_ok=True)
    partial = store.folder / f".{LIST}.{os.getpid()}"
    with partial.open("w", encoding="utf-8", newline="") as out:
        write_list(out, whole)
        out.flush()
        os.fsync(out.fileno())
    os.replace(partial, store.folder / LIST)


def kept_list(store: Store) -> Cleared | None:
    """What `keep_list` kept; None where there is no list. Raises: ArchiveError, OSError."""
    file = store.folder / LIST
    return read_clearings(file) if file.exists() else None


def read_clearings(file: Path) -> Cleared:
    """The list that `duban backup clearings` prints: stream,seq,field. Raises: ArchiveError, OSError."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise ArchiveError(f"{file} 的第一行应为 {','.join(COLUMNS)}。")
    try:
        places = [Place(name, int(seq), field) for name, seq, field in rows[1:]]
    except ValueError:
        raise ArchiveError(f"{file} 不是清除清单：每行应有三项，第二项为数字。") from None
    persons = frozenset(p.seq for p in places if p.stream == PERSON)
    return Cleared(frozenset(p for p in places if p.stream != PERSON), persons)


def cleanse(path: Path, cleared: Cleared) -> int:
    """Rewrite an archive without what has been cleared, in its place; returns how many rows still had said it.

    The manifest keeps what was cleared, so that a restore can record it. An archive that says none of it is left as it
    is. Raises: ArchiveError, OSError; the archive is then untouched.
    """
    with opened(path) as archive:
        told = _Rewriting(archive, cleared)
        if not (found := sum(told.changes(name) for name in archive.manifest.tables)):
            return 0
        with writing(path) as writer:
            manifest = archive.manifest
            tables = {name: writer.add(m.name, told.lines(name), m.columns) for name, m in manifest.tables.items()}
            gone = told.files_gone()
            kept = {name: m for name, m in manifest.files.items() if name.rpartition("/")[2] not in gone}
            files = {name: writer.add(m.name, archive.pieces(name)) for name, m in kept.items()}
            writer.close(replace(manifest, tables=tables, files=files, cleared=manifest.cleared | cleared))
    return found


class _Rewriting:
    """An archive's rows, without the words that have to go."""

    def __init__(self, archive: Archive, cleared: Cleared) -> None:
        self._archive, self._scrubber = archive, Scrubber(cleared)
        for name in LEARNED:
            for line in archive.lines(name):
                self._scrubber.learn(name, self._row(name, line))

    def lines(self, table: str) -> Iterator[bytes]:
        return (made for line in self._archive.lines(table) if (made := self._scrubbed(table, line)) is not None)

    def changes(self, table: str) -> int:
        return sum(self._scrubbed(table, line) != line for line in self._archive.lines(table))

    def files_gone(self) -> set[str]:
        """Digests of files of events that no row refers to any more: their content stands under them in the archive."""
        before, after = set[object](), set[object]()
        for table in REFERRING & self._archive.manifest.tables.keys():
            for line in self._archive.lines(table):
                row = self._row(table, line)
                before.add(row["sha256"])
                after.add((self._scrubber.row(table, row) or row)["sha256"])
        return {str(digest) for digest in before - after}

    def _row(self, table: str, line: bytes) -> dict[str, object]:
        return dict(zip(self._archive.manifest.tables[table].columns, json.loads(line), strict=True))

    def _scrubbed(self, table: str, line: bytes) -> bytes | None:
        row = self._row(table, line)
        made = self._scrubber.row(table, row)
        if made is None:
            return None
        return line if made == row else encode(made.values())
