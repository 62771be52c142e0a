"""What `duban verify` compares with the diagrams: open todos, waiting runs, due rows, and who had to be told.

Nothing here reads a rule of its own: the published plan, the lifecycle, the stored instance and the calendar say what
ought to stand in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from engine.verifying.due import Armed
from engine.verifying.runs import RUNS
from engine.verifying.todos import TODOS
from engine.verifying.told import TOLD
from ledger import following
from ledger.database import calendar_of
from ledger.verification import LEDGER_CHECKS, Check, Finding, Scene

__all__ = ["checks", "differences"]


def checks(now: datetime) -> tuple[Check, ...]:
    """Every check there is, as seen at this moment of business time."""

    def lists(scene: Scene) -> Iterator[tuple[str, Mapping[str, Any]]]:
        calendar = calendar_of(scene.connection)
        return ((said, {"table": "standing"}) for said in following.differences(scene.connection, now, calendar))

    due = Check("due", "到期安排", Armed(now).find)
    return (*LEDGER_CHECKS, TODOS, RUNS, due, TOLD, Check("lists", "台账的排序和汇总", lists))


def differences(scene: Scene, now: datetime, started: Callable[[Check], None] = lambda _: None) -> Iterator[Finding]:
    """Everything that does not fit, check by check; `started` is told which one begins."""
    for check in checks(now):
        started(check)
        yield from check.run(scene)
