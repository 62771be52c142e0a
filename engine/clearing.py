"""依规清除, done by two: an administrator and an inspector of the jurisdiction, one applying, the other deciding.

Neither the office that runs the system nor the one that supervises can take words out of the ledger alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select

from engine.desk import limit_texts
from ledger.archive import keep_list
from ledger.clearing import STREAM, Cleared, Place, clear, known, overwrite, places_of_name, texts_at
from ledger.database import Database, Tx, head_columns
from ledger.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from ledger.files import Store
from ledger.people import Actor, Desk
from ledger.places import seat, subtree
from ledger.rules.verbs import Role
from ledger.schema import AnyRow, clearing, content, event, item, person, post, run, stream, unit

QUOTED = 8  # characters in a row that are a quotation
APART = timedelta(days=30)  # by then a person has noticed that somebody else used the account
ACCESS = ("post.taken", "account.link-given", "account.password-given", "account.activated", "account.corrected")
OTHER = {"administrator": "inspector", "inspector": "administrator"}
_head = select(*head_columns).where(stream.c.name == STREAM).with_for_update()


def apply_for_text(tx: Tx, item_id: int, seq: int, fields: Sequence[str], *, ground: str) -> int:
    """Ask that texts of one record of an item be cleared; returns the application.

    Raises: Invalid (no ground, nothing chosen), Refused when one waits already, NotAllowed, NotFound.
    """
    tx.read_locked(_head, {})
    place = select(run.c.jurisdiction).join(item, item.c.run_id == run.c.id).where(item.c.id == item_id)
    jurisdiction = tx.connection.execute(place).scalar_one_or_none()
    if jurisdiction is None:
        raise NotFound("没有这项任务。")
    _sit_down(tx, jurisdiction)
    stream, chosen = f"item:{item_id}", sorted(set(fields))
    wrong = {} if chosen else {"fields": "请勾选要清除的内容。"}
    _require(ground, wrong)
    if not set(chosen) <= set(texts_at(tx.connection, stream, seq)):
        raise NotFound("这条记录没有所选的内容，或者已经清除。")
    of_record = select(content.c.text).where(content.c.stream == stream, content.c.seq == seq)
    _require_unquoted(ground, tx.connection.execute(of_record.where(content.c.field.in_(chosen))).scalars())
    waiting = select(clearing.c.fields).where(
        clearing.c.state == "waiting", clearing.c.stream == stream, clearing.c.seq == seq
    )
    _refuse_second(tx.connection.execute(waiting).first())
    return _apply(tx, jurisdiction, ground, kind="text", stream=stream, seq=seq, fields=chosen)


def apply_for_name(tx: Tx, person_id: int, *, ground: str) -> int:
    """Ask that a person's name be cleared wherever it stands; returns the application.

    Raises: Invalid, Refused when one waits already or the name is gone, NotAllowed, NotFound.
    """
    tx.read_locked(_head, {})
    jurisdiction = jurisdiction_of(tx.connection, person_id)
    if jurisdiction is None:
        raise NotFound("没有这位人员。")
    _sit_down(tx, jurisdiction)
    _require(ground, {})
    _require_unquoted(ground, tx.connection.execute(select(person.c.name).where(person.c.id == person_id)).scalars())
    earlier = select(clearing.c.id).where(clearing.c.subject == person_id, clearing.c.state == "waiting")
    _refuse_second(tx.connection.execute(earlier).first())
    return _apply(tx, jurisdiction, ground, kind="name", subject=person_id)


def decide_clearing(tx: Tx, clearing_id: int, *, agree: bool, understood: bool = False, reason: str = "") -> None:
    """Confirm an application, and its words are gone for good; or decline it with a reason.

    Raises: Invalid (not ticked as understood, no reason), Conflict when a colleague decided, Refused where one of
    the two has lately given the other access, NotAllowed, NotFound.
    """
    tx.read_locked(_head, {})
    found = tx.connection.execute(select(clearing).where(clearing.c.id == clearing_id)).one_or_none()
    if found is None or (tx.actor.has(*OTHER) and desk_for(tx.connection, tx.actor, found.jurisdiction) is None):
        raise NotFound("没有这份申请。")
    desk = _sit_down(tx, found.jurisdiction)
    if found.state != "waiting":
        raise _decided(tx.connection, found)
    _require_second_person(tx, found, desk)
    limit_texts(reason=reason)
    if not agree:
        if not reason.strip():
            raise Invalid({"reason": "请写明不同意的理由，申请人据此处理。"})
        tx.record(STREAM, "clearing.declined", {"clearing": found.id}, {"reason": reason})
        return
    if not understood:
        raise Invalid({"understood": "清除以后不能恢复，请先勾选确认。"})
    if _gave_access(tx, found.applied_by, tx.actor.person_id):
        raise Refused(
            f"近 {APART.days} 天内，申请人与您之间办理过任职、启用账号或发放过重设密码的链接。为防一人办两人的事，"
            "须由另一位有权人员确认。"
        )
    cleared = _cleared(tx.connection, found)
    tx.record(STREAM, "clearing.confirmed", {"clearing": found.id, **cleared.payload()}, {"reason": reason})
    clear(tx.connection, cleared)


def settle(db: Database, store: Store) -> None:
    """After the commit, and every hour: the list of what was cleared is kept beside the files, SQLite's log forgets."""
    with db.read() as connection:
        cleared = known(connection)
    keep_list(store, cleared)
    if cleared:
        overwrite(db)


def desk_for(connection: Connection, actor: Actor, jurisdiction: str, role: str | None = None) -> Desk | None:
    """The actor's post that may take part in a clearing there, of this role if one is named."""
    for desk in actor.desks:
        if desk.role in OTHER and role in (None, desk.role):
            of_unit = connection.execute(select(seat()).where(unit.c.key == desk.unit)).scalars().all()
            if jurisdiction in subtree(connection, of_unit):
                return desk
    return None


def jurisdiction_of(connection: Connection, person_id: int) -> str | None:
    """The jurisdiction of a person's latest post, None for somebody without one."""
    found = (
        select(seat())
        .join(post, post.c.unit == unit.c.key)
        .where(post.c.person_id == person_id)
        .order_by(post.c.id.desc())
    )
    return connection.execute(found).scalars().first()


def _sit_down(tx: Tx, jurisdiction: str) -> Desk:
    desk = desk_for(tx.connection, tx.actor, jurisdiction)
    if desk is None:
        raise NotAllowed("依规清除由本行政区的管理员和督查人员办理，一方申请，另一方确认。")
    tx.desk = desk
    return desk


def _require(ground: str, wrong: dict[str, str]) -> None:
    if not ground.strip():
        wrong["ground"] = "请写明依据的法规条款或文件，以及为何要清除。"
    if wrong:
        raise Invalid(wrong)
    limit_texts(ground=ground)


def _require_unquoted(ground: str, texts: Iterable[str]) -> None:
    """A ground stays for good: it may not repeat what is to go. Raises: Invalid."""
    for words in texts:
        length = min(len(words), QUOTED)
        if any(words[n : n + length] in ground for n in range(len(words) - length + 1)):
            raise Invalid({"ground": "依据里引用了要清除的原文，而依据会永久保留；请改用概括的说法，不要引用原文。"})


def _refuse_second(found: AnyRow | None) -> None:
    if found is not None:
        raise Refused("这处内容已经有一份清除申请等待确认，请先办理那一份。")


def _apply(tx: Tx, jurisdiction: str, ground: str, **target: Any) -> int:
    clearing_id = tx.allocate("clearing")[0]
    nothing: dict[str, Any] = {"stream": None, "seq": None, "fields": [], "subject": None}
    payload = {"clearing": clearing_id, "jurisdiction": jurisdiction, **nothing, **target}
    tx.record(STREAM, "clearing.applied", payload, {"ground": ground.strip()})
    return clearing_id


def _require_second_person(tx: Tx, found: AnyRow, desk: Desk) -> None:
    """Another person, of the other role, and not the one whose name it is."""
    if tx.actor.person_id in (found.applied_by, found.subject):
        raise NotAllowed("申请人和被清除姓名的本人不能确认，须由另一位有权人员办理。")
    applied = tx.connection.execute(select(post.c.role).where(post.c.id == found.applied_post)).scalar_one()
    needed = desk_for(tx.connection, tx.actor, found.jurisdiction, OTHER[applied])
    if needed is None:
        raise NotAllowed(f"这份申请由{Role(applied).label}提出，须由{Role(OTHER[applied]).label}确认。")
    tx.desk = needed


def _gave_access(tx: Tx, one: int, other: int) -> bool:
    """Whether one of two persons has lately given the other a post or a way in: an account could be the same hands."""
    rows = tx.connection.execute(
        select(event.c.actor, event.c.payload).where(
            event.c.stream == STREAM, event.c.kind.in_(ACCESS), event.c.recorded_at > tx.recorded_at - APART
        )
    )
    return any({json.loads(r.actor)["person"], json.loads(r.payload)["person"]} == {one, other} for r in rows)


def _cleared(connection: Connection, found: AnyRow) -> Cleared:
    if found.kind == "name":
        return Cleared(places_of_name(connection, found.subject), frozenset({found.subject}))
    standing = set(texts_at(connection, found.stream, found.seq))
    asked = [f for f in json.loads(found.fields) if f in standing]
    return Cleared(frozenset(Place(found.stream, found.seq, f) for f in asked))


def _decided(connection: Connection, found: AnyRow) -> Conflict:
    who = connection.execute(select(person.c.name).where(person.c.id == found.decided_by)).scalar_one_or_none()
    what = "确认清除" if found.state == "done" else "作出不同意的决定"
    return Conflict(who or "另一位有权人员", found.decided_at, what)
