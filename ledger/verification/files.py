"""The files of events: their rows against the log, their content against its digests."""

from __future__ import annotations

from sqlalchemy import func, select

from ledger.attachments import differences
from ledger.clearing import known
from ledger.schema import attachment
from ledger.verification.scene import Check, Found, Scene


def _files(scene: Scene) -> Found:
    scene.counts["files"] = scene.connection.execute(select(func.count()).select_from(attachment)).scalar_one()
    cleared = known(scene.connection).places
    for sentence, where in differences(scene.connection, scene.store, cleared=cleared):
        yield "differs", sentence, where


FILES = Check("files", "附件", _files, ("differs",))
