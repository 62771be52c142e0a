"""分解下达: what holds between a unit's share and the parts of it that were handed down to its own lower units.

The upper level counts, judges and closes the share as one: its n/m, its figures and its light ignore the parts, so a
late part never reddens it by itself. The parts are summed up beside it (`Rolled`), and whoever may see them is told.
A part ends no later than the whole, and the parts' quotas add up to the whole's, or somebody says why not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ledger.rules.lights import Colour
from ledger.rules.verbs import LEFT_OUT, State

LOWEST = "town"  # the kind of unit that hands nothing down: 乡镇(街道)
ROLE = "responsible"  # of a part, whatever the role of the whole
_HANDED_IN = (State.SIGNING, State.REVIEWING)


def splits(kind: str) -> bool:
    """Whether a unit of this kind may hand anything down at all."""
    return kind != LOWEST


def inner(due_at: datetime | None, parent_due: datetime | None, not_before: datetime | None = None) -> datetime | None:
    """A part's date within that of the whole. One that has been given is never taken back (`not_before`)."""
    if due_at is None or parent_due is None:
        return due_at
    within = min(due_at, parent_due)
    return max(within, not_before) if not_before else within


def gap(quota: Decimal | None, parts: Iterable[Decimal | None]) -> Decimal | None:
    """What the parts' quotas lack of the whole's (negative: what they are above it); None where it has none."""
    return None if quota is None else quota - sum((p or Decimal(0) for p in parts), Decimal(0))


@dataclass(frozen=True)
class Rolled:
    """The parts of a share, summed up: how many there are, are done, wait for a signature or review, are late."""

    done: int
    waiting: int
    late: int
    total: int

    @property
    def words(self) -> str:
        """已分解 3 家，办结 1 家，待审 1 家，红灯 1 家；不影响本级的灯。"""
        said = [f"已分解 {self.total} 家", f"办结 {self.done} 家"]
        said += [f"待审 {self.waiting} 家"] if self.waiting else []
        return "，".join(said) + (f"，红灯 {self.late} 家；下级的灯不影响本级的灯" if self.late else "") + "。"


def rolled(parts: Sequence[tuple[str, Colour]]) -> Rolled:
    """The parts (state, colour of the light) of one share; those ended without a result count for nothing."""
    standing = [(state, colour) for state, colour in parts if state not in (*LEFT_OUT, State.WITHDRAWN)]
    return Rolled(
        done=sum(state == State.CLOSED for state, _ in standing),
        waiting=sum(state in _HANDED_IN for state, _ in standing),
        late=sum(colour == "red" for _, colour in standing),
        total=len(standing),
    )
