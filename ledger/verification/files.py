"""The files of events: their rows against the log, their content against its digests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import func, select

from ledger.attachments import differences
from ledger.clearing import known
from ledger.schema import attachment
from ledger.verification.scene import Check, Scene


def _files(scene: Scene) -> Iterator[tuple[str, Mapping[str, Any]]]:
    scene.counts["files"] = scene.connection.execute(select(func.count()).select_from(attachment)).scalar_one()
    cleared = known(scene.connection).places
    yield from differences(scene.connection, scene.store, cleared=cleared)


FILES = Check("files", "附件", _files)
