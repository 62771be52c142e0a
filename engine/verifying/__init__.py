"""What `duban verify` compares with the diagrams: open todos, waiting runs, due rows, and who had to be told.

Nothing here reads a rule of its own: the published plan, the lifecycle, the stored instance and the calendar say what
ought to stand in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from engine.verifying.due import DUE
from engine.verifying.levels import LEVELS
from engine.verifying.notices import MAILS, NOTICES
from engine.verifying.runs import RUNS
from engine.verifying.todos import TODOS
from engine.verifying.told import TOLD
from ledger import following
from ledger.verification import LEDGER_CHECKS, Check, Finding, Scene
from ledger.verification.scene import Found, legible

__all__ = ["CHECKS", "differences"]


def _lists(scene: Scene) -> Found:
    for sentence in following.differences(scene.connection, scene.now, scene.calendar):
        yield "differs", sentence, {"table": "standing"}


LISTS = Check("lists", "台账的排序和汇总", _lists, ("differs",))
CHECKS = (*LEDGER_CHECKS, TODOS, LEVELS, RUNS, DUE, TOLD, NOTICES, MAILS, LISTS)


def differences(scene: Scene, started: Callable[[Check], None] = lambda _: None) -> Iterator[Finding]:
    """Everything that does not fit, check by check; `started` is told which one begins."""
    with legible(scene.connection):
        for check in CHECKS:
            started(check)
            yield from check.run(scene)
