"""The manifest of an archive: what must be in it, to the byte."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ledger.clearing import NOTHING, Cleared, Place

NAME = "manifest.json"
ATTACHMENTS = "attachments/"  # what the store of files holds, by digest
FORMAT = 1


class ArchiveError(Exception):
    """The archive cannot be written, read or taken in; the message says why and what to do, in Chinese."""


@dataclass(frozen=True)
class Member:
    """One file of the archive. A table has rows and columns."""

    name: str
    bytes: int
    sha256: str
    rows: int = 0
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """What an archive holds, and of which release and moment it is; `cleared`: what was taken out of it afterwards;
    `missing`: digests of attachments that the store had lost when it was written."""

    release: str
    revision: str
    database: str
    at: str
    tables: Mapping[str, Member]
    files: Mapping[str, Member]
    missing: tuple[str, ...] = ()
    cleared: Cleared = NOTHING

    @property
    def rows(self) -> int:
        return sum(member.rows for member in self.tables.values())

    @property
    def members(self) -> dict[str, Member]:
        """Every file but the manifest, by its name in the archive."""
        return {m.name: m for m in (*self.tables.values(), *self.files.values())}

    def to_json(self) -> bytes:
        said = {"format": FORMAT, **asdict(self), "cleared": self.cleared.payload()}
        return json.dumps(said, ensure_ascii=False, indent=1).encode()

    @classmethod
    def of_json(cls, text: bytes) -> Manifest:
        """Raises: ArchiveError for what is no manifest, or one of a later format."""
        try:
            found: dict[str, Any] = json.loads(text)
            if found.pop("format") != FORMAT:
                raise ArchiveError("归档的格式比本程序新，请先升级本系统。")
            for kind in ("tables", "files"):
                found[kind] = {k: Member(**{**m, "columns": tuple(m["columns"])}) for k, m in found[kind].items()}
            gone = found.pop("cleared", None) or {"places": (), "persons": ()}
            found["missing"] = tuple(found.get("missing", ()))
            places = frozenset(Place(*place) for place in gone["places"])
            return cls(**found, cleared=Cleared(places, frozenset(gone["persons"])))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ArchiveError(f"归档中的 {NAME} 读不懂，这不是督办台账的归档，或者文件已经损坏。") from None
