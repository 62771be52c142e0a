"""What a lifecycle diagram says: who holds an assignment at each step, and what that person may do there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Holder = Literal["unit", "lead", "office", "host", "parent", "jurisdiction"]
PostRole = Literal["handler", "liaison", "section_head", "deputy_head", "head", "coordinator", "inspector", "leader"]
Decision = Literal["pass", "return", "file", "read", "shelve"]
Rule = Literal["one", "all", "any"]
Value = str | bool

LOCAL = "local"  # the lifecycle of what a unit hands down to its own lower units; no item chooses it

# The only values that may reach a lifecycle's gateways. Compared with their type as well, because 1 == True in Python.
STEP_VALUES: dict[str, tuple[Value, ...]] = {
    "decision": ("pass", "return"),
    "needs_sign": (True, False),
    "held_by_office": (True, False),
    "role": ("lead", "responsible", "cooperating"),
    "outcome": ("file", "read", "shelve", "return"),
}


@dataclass(frozen=True)
class Step:
    """One user task.

    `holder` names the unit that acts: the share's own, the item's lead, the plan's office, the office's host organ, the
    unit that handed the share down, or wherever the inspectors and leaders of the plan's jurisdiction sit. With the
    posts of `signers` it decides together, by `rule`: all of them agree (会签), or the first of them decides (或签).
    """

    id: str
    name: str
    holder: Holder
    role: PostRole
    verb: str
    decisions: tuple[Decision, ...] = ()
    rule: Rule = "one"
    signers: tuple[tuple[Holder, PostRole], ...] = ()

    @property
    def posts(self) -> tuple[tuple[Holder, PostRole], ...]:
        """Everybody who stands at this step: holder and role."""
        return (self.holder, self.role), *self.signers


@dataclass(frozen=True)
class Lifecycle:
    """How one assignment goes from 签收 to 办结."""

    key: str
    name: str
    steps: tuple[Step, ...]

    def step(self, ident: str) -> Step:
        """Raises: KeyError when the lifecycle has no such step."""
        for step in self.steps:
            if step.id == ident:
                return step
        raise KeyError(ident)
