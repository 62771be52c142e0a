"""催办: a coordinator urges any unit, a lead its cooperating units; the mail goes at once."""

from __future__ import annotations

from collections.abc import Sequence

from engine.desk import Case, cases_of, limit_texts, permit
from engine.notices import Notice, tell
from ledger.database import Tx
from ledger.errors import Invalid, Refused
from ledger.rules.verbs import Verb


def urge(tx: Tx, assignment_ids: Sequence[int], *, words: str) -> None:
    """Urge the units that hold these shares.

    Raises: Invalid (nothing chosen, no words), Refused when a share is no longer in its unit's hands, NotAllowed,
    NotFound.
    """
    if not assignment_ids:
        raise Invalid({"assignments": "请先勾选要催办的单位。"})
    if not words.strip():
        raise Invalid({"words": "请写明催办事项和时间要求；对方会收到邮件提醒，内容在办理记录里看到。"})
    limit_texts(words=words)
    cases = cases_of(tx, assignment_ids).values()
    told = []
    for case, urging in zip(cases, tx.allocate("urging", len(cases)), strict=True):
        try:
            permit(tx, case, Verb.URGE)
        except Refused as error:
            raise Refused(f"{case.unit_name}：{error}") from None
        payload = {"assignment": case.id, "item": case.item_id, "urging": urging}
        tx.record(f"item:{case.item_id}", "assignment.urged", payload, {"words": words})
        told.append(_notice(case, f"urged:{urging}"))
    tell(tx, told)


def _notice(case: Case, tier: str) -> Notice:
    """To whoever holds the share's todo: the liaison, or the deputy head who has to sign."""
    holder = case.todo_role or "liaison"
    return Notice("assignment", case.id, case.arm, tier, case.unit, holder, case.run_id, case.item_id, immediate=True)
