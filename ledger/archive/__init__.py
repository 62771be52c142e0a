"""Archives: the whole database in one zip file, of either kind of database, and back into either kind.

    manifest.json          what this is: format, release, revision, kind of database, instant; rows, columns, size and
                           digest of every member below
    tables/<name>.jsonl    one table, a row a line, a JSON list in the order of the manifest's columns
    settings.env, ...      the files that the caller adds

An archive holds everything that a deployment's database and settings hold: it is as secret as they are.
"""

from ledger.archive.backup import write_archive
from ledger.archive.cleansing import cleanse, keep_list, kept_list, read_clearings, write_list
from ledger.archive.manifest import ArchiveError, Manifest
from ledger.archive.reading import Archive, opened
from ledger.archive.restoring import restore

__all__ = [
    "Archive",
    "ArchiveError",
    "Manifest",
    "cleanse",
    "keep_list",
    "kept_list",
    "opened",
    "read_clearings",
    "restore",
    "write_archive",
    "write_list",
]
