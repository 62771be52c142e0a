"""催办: a coordinator urges any unit, a lead its cooperating units; 抄送 to those who should know, 转交 to a colleague.
The mail goes at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, and_, bindparam, func, or_, select

from engine.desk import Case, case_of, cases_of, limit_texts, permit
from engine.notices import Notice, tell
from ledger.capacities import giver_of
from ledger.database import Tx
from ledger.errors import Invalid, Refused
from ledger.people import Place
from ledger.places import seat
from ledger.rules.texts import clock_words
from ledger.rules.verbs import Verb
from ledger.schema import person, post, todo, unit

Asked = tuple[str, Sequence[Place]]  # the name of a unit, and the posts that a mail to it is for


@dataclass(frozen=True)
class Call:
    """A call that has been made: with whom, what they answered, when (None: just now), and who called, where that is
    not who writes it down."""

    spoke_to: str
    answer: str
    at: datetime | None = None
    caller: str = ""


def urge(tx: Tx, assignment_ids: Sequence[int], *, words: str, call: Call | None = None) -> list[Asked]:
    """Urge the units that hold these shares: by mail, or by a call that has been made (电话催办). Returns whom mails
    are for: each unit's name, and its posts.

    Raises: Invalid (nothing chosen, no words), Refused when a share is no longer in its unit's hands, NotAllowed,
    NotFound.
    """
    if not assignment_ids:
        raise Invalid({"assignments": "请先勾选要催办的单位。"})
    if not words.strip():
        raise Invalid({"words": "请写明催办事项和时间要求；对方会收到邮件提醒，内容在办理记录里看到。"})
    limit_texts(words=words)
    cases = list(cases_of(tx, assignment_ids).values())
    texts: dict[str, str] = {"words": words}
    said: dict[str, Any] = {"by": "mail"}
    if call:
        texts |= {"spoke_to": call.spoke_to, "answer": call.answer} | ({"caller": call.caller} if call.caller else {})
        said = {"by": "phone", "called_at": _called_at(tx, call, cases)}
    told: list[Notice] = []
    asked: list[Asked] = []
    for case, urging in zip(cases, tx.allocate("urging", len(cases)), strict=True):
        try:
            permit(tx, case, Verb.URGE)
        except Refused as error:
            raise Refused(f"{case.unit_name}：{error}") from None
        payload = {"assignment": case.id, "item": case.item_id, "urging": urging, **said}
        tx.record(f"item:{case.item_id}", "assignment.urged", payload, texts)
        if call is None:
            notices = _notices(case, f"urged:{urging}")
            told += notices
            asked.append((str(case.unit_name), [(n.unit, n.role, case.plan) for n in notices]))
    tell(tx, told)
    return asked


_handed_out = (
    select(todo.c.owner_id, func.min(todo.c.opened_at).label("at"))
    .where(todo.c.owner_kind == "assignment", todo.c.owner_id.in_(bindparam("b_ids", expanding=True)))
    .group_by(todo.c.owner_id)
)


def _called_at(tx: Tx, call: Call, cases: Sequence[Case]) -> datetime:
    """When the call was made. Raises: Invalid, for what is missing, for a time to come, or before the share was handed
    out."""
    limit_texts(spoke_to=call.spoke_to, answer=call.answer, caller=call.caller)
    faults = {} if call.spoke_to.strip() else {"spoke_to": "电话催办请写明受话人。"}
    if not call.answer.strip():
        faults["answer"] = "电话催办请记下对方的答复。"
    at = call.at or tx.now
    handed = {r.owner_id: r.at for r in tx.connection.execute(_handed_out, {"b_ids": [c.id for c in cases]})}
    early = [c for c in cases if c.id in handed and at < handed[c.id].replace(second=0, microsecond=0)]
    if at > tx.now:
        faults["called_at"] = "通话时间不能晚于现在。"
    elif early:
        faults["called_at"] = f"通话时间早于{early[0].unit_name}接到交办的时间（{clock_words(handed[early[0].id])}）。"
    if faults:
        raise Invalid(faults)
    return at


def copy(tx: Tx, assignment_id: int, *, to: str, note: str) -> int:
    """抄送 of a share to a post (`unit role`) that may see it, for its information. Returns the item's id.

    Raises: Invalid, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.COPY)
    limit_texts(note=note)
    chosen = next((place for place in informed(tx.connection, case) if " ".join(place) == to), None)
    if chosen is None:
        raise Invalid({"to": "请从列表中选择抄送的岗位。"})
    number = tx.allocate("copy")[0]
    payload = {"assignment": case.id, "item": case.item_id, "to_unit": chosen[0], "to_role": chosen[1], "copy": number}
    tx.record(f"item:{case.item_id}", "assignment.copied", payload, {"note": note})
    tell(
        tx,
        [Notice("assignment", case.id, 1, f"copied:{number}", *chosen, case.run_id, case.item_id, immediate=True)],
    )
    return int(case.item_id)


class _Place(Protocol):
    @property
    def unit(self) -> str: ...
    @property
    def parent_unit(self) -> str | None: ...
    @property
    def office(self) -> str: ...
    @property
    def jurisdiction(self) -> str: ...
    @property
    def place(self) -> str: ...


def informed(connection: Connection, case: _Place) -> list[tuple[str, str]]:
    """The posts (unit, role) that a share may be copied to: they see it anyway, and somebody holds them."""
    overseeing = ("inspector",) if case.parent_unit else ("inspector", "leader")
    over = seat().in_((case.jurisdiction, case.place)), post.c.role.in_(overseeing)
    own = post.c.unit.in_([case.unit, case.parent_unit]), post.c.role.in_(("section_head", "deputy_head", "head"))
    above, role = giver_of(case.office, case.parent_unit)
    office = post.c.unit == above, post.c.role == role
    rows = connection.execute(
        select(post.c.unit, post.c.role)
        .join(unit, unit.c.key == post.c.unit)
        .where(post.c.until.is_(None), or_(and_(*over), and_(*own), and_(*office)))
        .distinct()
        .order_by(post.c.unit, post.c.role)
    )
    return [(r.unit, r.role) for r in rows]


# ---------------------------------------------------------------- 转交
def hand_on(tx: Tx, assignment_id: int, *, to: int) -> int:
    """转交 inside the unit: another of its liaisons does the work and gets the mails; a colleague may still step in.
    Returns the item's id. Raises: Invalid, Refused, NotAllowed, NotFound."""
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.HAND_ON)
    if to not in {r.id for r in tx.connection.execute(colleagues, {"b_unit": case.unit, "b_plan": case.plan})}:
        raise Invalid({"to": "请选择本单位的一位联络员。"})
    payload = {"assignment": case.id, "item": case.item_id, "to_post": to}
    tx.record(f"item:{case.item_id}", "assignment.handed_on", payload)
    number = f"handed_on:{to}.{int(tx.now.timestamp())}"
    told = Notice(
        "assignment", case.id, case.arm, number, case.unit, "liaison", case.run_id, case.item_id, immediate=True
    )
    tell(tx, [told])
    return int(case.item_id)


colleagues = (  # the liaisons of a unit in a plan
    select(post.c.id, person.c.name)
    .join(person, person.c.id == post.c.person_id)
    .where(post.c.unit == bindparam("b_unit"), post.c.role == "liaison", post.c.until.is_(None), person.c.active)
    .where(or_(post.c.plan.is_(None), post.c.plan == bindparam("b_plan")))
    .order_by(post.c.id)
)


def _notices(case: Case, tier: str) -> list[Notice]:
    """To whoever holds the share's todo: the liaison, or who has to sign."""
    holders = [role for _, role in case.seats] or ["liaison"]
    return [
        Notice("assignment", case.id, case.arm, tier, case.unit, role, case.run_id, case.item_id, immediate=True)
        for role in holders
    ]
