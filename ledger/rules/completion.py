"""When an item is done: the completion rules `lead` and `all` over its shares (DESIGN, "How a plan runs", 4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Rule = Literal["lead", "all"]
ShareRole = Literal["lead", "responsible", "cooperating"]

_ROLE_ORDER = {"lead": 0, "responsible": 1, "cooperating": 2}


@dataclass(frozen=True)
class Share:
    """A unit's share as completion sees it.

    `order`: the printed place. `accepted`: its application or feedback was reviewed and accepted. `open_group`: a group
    such as 有关部门 of which nobody has been named yet.
    """

    id: str
    role: ShareRole
    order: int
    accepted: bool = False
    open_group: bool = False


def closes(rule: Rule, shares: Sequence[Share], *, gated: bool = True) -> bool:
    """Whether the item closes with its shares as they stand.

    lead: the first printed lead is accepted and, when `gated`, so is everybody else. all: each responsible (or lead)
    share is accepted, and there is one. Cooperating shares never close; open groups count nowhere.
    """
    named = _named(shares)
    if rule == "all":
        closers = [share for share in named if share.role != "cooperating"]
        return bool(closers) and all(share.accepted for share in closers)
    first = _first_lead(named)
    if first is None or not first.accepted:
        return False
    return not gated or all(share.accepted for share in named)


def blockers(rule: Rule, shares: Sequence[Share], applicant: str, *, gated: bool = True) -> list[Share]:
    """The shares whose accepted feedback the applicant's 申请办结 still waits for: leads, responsible, cooperating.

    Only the first printed lead of a gated `lead` item waits for others; everyone else hands in when ready.

    Raises:
        ValueError: no share has the applicant's id.
    """
    if applicant not in {share.id for share in shares}:
        raise ValueError(f"no share {applicant!r} in this item")
    if not gated or not applies(rule, shares, applicant) or rule == "all":
        return []
    waiting = [share for share in _named(shares) if share.id != applicant and not share.accepted]
    return sorted(waiting, key=lambda share: (_ROLE_ORDER[share.role], share.order))


def applies(rule: Rule, shares: Sequence[Share], share_id: str) -> bool:
    """Whether this share applies for closing (申请办结); the others hand in feedback (提交反馈)."""
    named = _named(shares)
    if rule == "lead":
        first = _first_lead(named)
        return first is not None and first.id == share_id
    return any(share.id == share_id and share.role != "cooperating" for share in named)


def _named(shares: Sequence[Share]) -> list[Share]:
    return [share for share in shares if not share.open_group]


def _first_lead(named: Sequence[Share]) -> Share | None:
    leads = [share for share in named if share.role == "lead"]
    return min(leads, key=lambda share: share.order, default=None)
