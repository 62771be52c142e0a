"""Checks of the truth, each a named check over one consistent view of the database.

What a check of the engine's state needs stands in `engine.verifying`; `duban verify` runs them all.
"""

from __future__ import annotations

from sqlalchemy import Connection

from ledger.verification.chains import CHAINS, TEXTS
from ledger.verification.files import FILES
from ledger.verification.outbox import OUTBOX
from ledger.verification.people import PEOPLE
from ledger.verification.replay import REPLAY
from ledger.verification.scene import Check, Finding, Scene
from ledger.verification.seals import SEALS
from ledger.verification.shape import SHAPE

__all__ = ["LEDGER_CHECKS", "Check", "Finding", "Scene", "broken_chains", "replay_differences"]

# What needs no engine, the cheapest first.
LEDGER_CHECKS = (SHAPE, CHAINS, TEXTS, SEALS, REPLAY, PEOPLE, OUTBOX, FILES)


def broken_chains(connection: Connection) -> list[str]:
    """What does not fit in the log itself, a sentence each: a changed, missing, reordered or cut-off event, a text
    that is not what was said, a seal that seals something else."""
    scene = Scene(connection)
    return [f.message for check in (CHAINS, TEXTS, SEALS) for f in check.run(scene)]


def replay_differences(connection: Connection) -> list[str]:
    """The rows in which the projections differ from what the log says, a sentence each."""
    return [f.message for f in REPLAY.run(Scene(connection))]
