"""交接 of a post in one step: a colleague takes it, with its todos, drafts and files; the predecessor's sessions end,
and an account that is left without a post is closed, never deleted. What was recorded keeps the name and post of its
day.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, exists, func, or_, select, update

from engine import deputies
from engine.accounts import tell
from engine.desk import cases_of, limit_texts
from engine.passing_on import forms_of, move_forms
from ledger import resets, sessions
from ledger.database import Tx
from ledger.directory import (
    STREAM,
    Scope,
    account_faults,
    held_post,
    leave_post,
    register_person,
    take_post,
)
from ledger.errors import Conflict, Invalid, NotFound, Refused
from ledger.people import HOSTED_ROLES, Actor, Desk
from ledger.rules.verbs import Role
from ledger.schema import (
    AnyRow,
    assignment,
    draft,
    handover,
    login_session,
    person,
    post,
    run,
    todo,
    unit,
    upload,
)
from ledger.visibility import administers


@dataclass(frozen=True)
class Handed:
    """What a hand-over moves and ends."""

    todos: int
    drafts: int
    files: int
    kept: int  # shares that were handed on to this post inside the unit
    deputies: int
    sessions: int
    closes_account: bool


_posts = (
    select(
        post,
        unit.c.short,
        unit.c.jurisdiction,
        person.c.name,
        person.c.login,
        person.c.active,
    )
    .join(unit, unit.c.key == post.c.unit)
    .join(person, person.c.id == post.c.person_id)
    .where(post.c.id == bindparam("b_post"), post.c.until.is_(None))
)


def post_to_hand_over(connection: Connection, actor: Actor, post_id: int) -> tuple[AnyRow, Desk]:
    """A post, and the actor's own from which it may be handed over: the same, the unit's head's, an administrator's.

    Raises: NotFound, for what is not the actor's to hand over, too; Refused.
    """
    found = connection.execute(_posts, {"b_post": post_id}).one_or_none()
    desk = None if found is None else _seat(connection, actor, found)
    if found is None or desk is None:
        raise NotFound("没有这个岗位，或者不归您交接。")
    if found.deputy_for is not None:
        raise Refused("这是代理的岗位，到期自动结束；需要提前结束的，请委托人办理。")
    if found.role == Role.ADMINISTRATOR:
        raise Refused("管理员岗位不能交接，请由另一位管理员在账号页任职和免职。")
    return found, desk


def _seat(connection: Connection, actor: Actor, found: AnyRow) -> Desk | None:
    if own := next((d for d in actor.desks if d.post_id == found.id and d.unit == found.unit), None):
        return own
    if found.role in (*HOSTED_ROLES, Role.HANDLER, Role.LIAISON) and (head := actor.desk(found.unit, Role.HEAD)):
        return head
    ours = select(unit.c.key).where(unit.c.key == found.unit, administers(actor))
    return actor.first(Role.ADMINISTRATOR) if connection.execute(ours).first() else None


def preview(connection: Connection, found: AnyRow) -> Handed:
    """What handing over a post would move and end now."""
    is_only = not has_other_posts(connection, found)
    forms = forms_of(connection, found, is_only=is_only)
    mine = upload.c.person_id == found.person_id
    staged = select(func.count()).select_from(upload).where(mine, upload.c.form.in_(sorted(forms)))
    typed = select(func.count()).select_from(draft).where(draft.c.person_id == found.person_id)
    live = login_session.c.person_id == found.person_id, login_session.c.ended_at.is_(None)
    counted = select(
        _open_todos(found).scalar_subquery(),
        typed.where(draft.c.form.in_(sorted(forms))).scalar_subquery(),
        staged.scalar_subquery(),
        select(func.count()).select_from(assignment).where(*_kept_by(found.id)).scalar_subquery(),
        select(func.count()).select_from(post).where(*_deputies_of(found.id)).scalar_subquery(),
        select(func.count()).select_from(login_session).where(*live).scalar_subquery(),
    )
    return Handed(*connection.execute(counted).one(), closes_account=is_only)


def _open_todos(found: AnyRow) -> Any:
    open_ = select(func.count()).select_from(todo).where(
        todo.c.closed_at.is_(None), todo.c.unit == found.unit, todo.c.role == found.role
    )  # fmt: skip
    if found.plan is None:
        return open_
    return open_.where(todo.c.run_id.in_(select(run.c.id).where(run.c.plan == found.plan)))


def _kept_by(post_id: int) -> tuple[Any, ...]:
    return assignment.c.keeper == post_id, assignment.c.closed_at.is_(None)


def _deputies_of(post_id: int) -> tuple[Any, ...]:
    return post.c.deputy_for == post_id, post.c.until.is_(None)


def has_other_posts(connection: Connection, found: AnyRow) -> bool:
    others = select(post.c.id).where(
        post.c.person_id == found.person_id,
        post.c.until.is_(None),
        post.c.id != found.id,
        post.c.deputy_for.is_distinct_from(found.id),
    )
    return connection.execute(others).first() is not None


# ---------------------------------------------------------------- the act
def hand_over(
    tx: Tx, post_id: int, *, login: str, name: str, email: str, note: str, password_hash: str
) -> tuple[int, bool]:
    """Hand a post over to a colleague (`login`), or to a new account with this name and address. Returns the person who
    left, and whether the account was closed.

    Raises: Invalid, Refused, Conflict, NotFound.
    """
    found, tx.desk = post_to_hand_over(tx.connection, tx.actor, post_id)
    limit_texts(note=note)
    faults = {} if note.strip() else {"note": "请写明交接说明：在办事项、注意事项、联系人等，接任人在待办中看到。"}
    successor, said = _successor(tx.connection, tx.actor, found, login, name, email)
    faults |= said
    if faults:
        raise Invalid(faults)
    is_new = successor is None
    to_person = successor or register_person(tx, login=login, name=name, email=email, password_hash=password_hash)
    moved = preview(tx.connection, found)
    forms = forms_of(tx.connection, found, is_only=moved.closes_account)
    kept = list(tx.connection.execute(select(assignment.c.id).where(*_kept_by(found.id))).scalars())
    for deputy in tx.connection.execute(select(post.c.id).where(*_deputies_of(found.id))).scalars().all():
        deputies.end(tx, deputy)
    leave_post(tx, found.id)
    to_post = held_post(tx.connection, to_person, found.unit, found.role, found.plan)
    if to_post is None:
        scope = Scope(found.plan, found.rank, found.field)
        to_post = take_post(tx, to_person, found.unit, found.role, scope)
    counts = {"todos": moved.todos, "drafts": moved.drafts, "files": moved.files}
    facts = {"handover": tx.allocate("handover")[0], "post": found.id, "to_post": to_post, **counts}
    tx.record(STREAM, "post.handed_over", facts, {"note": note})
    tx.flush()
    _hand_on(tx, kept, to_post)
    move_forms(tx, found.person_id, to_person, forms)
    _revoke(tx, found, closes=moved.closes_account)
    tell(tx, to_person, "taken_over", "/password/forgotten" if is_new else "/inbox", **({"new": "1"} if is_new else {}))
    return int(found.person_id), moved.closes_account


def _successor(
    connection: Connection, actor: Actor, found: AnyRow, login: str, name: str, email: str
) -> tuple[int | None, dict[str, str]]:
    """The account that takes over (None: it is to be made), and what is wrong with what was filled in."""
    if not login:
        return None, {"login": "请填写接任人的账号。"}
    known = connection.execute(select(person).where(person.c.login == login)).one_or_none()
    if known is None:
        faults = account_faults(login, name, email)
        if not (name or email):
            faults = {"login": f"没有账号“{login[:60]}”。请核对；新建账号的，请同时填写姓名和邮箱。"}
        return None, faults
    if known.id == found.person_id:
        return None, {"login": "接任人不能是交接人本人，请填写另一位同事的账号。"}
    if not known.active:
        return None, {"login": "这个账号已停用，请先请管理员启用，或填写另一位同事的账号。"}
    if not _may_take_over(connection, actor, found, known.id):
        return None, {"login": "请填写本单位一位同事的账号；接任人在其他单位的，请由管理员办理。"}
    return int(known.id), {}


def _may_take_over(connection: Connection, actor: Actor, found: AnyRow, person_id: int) -> bool:
    """Whether this is a colleague: of the unit, its host or a body it hosts, or somebody without any post; to an
    administrator everybody of the jurisdiction is one."""
    own = unit.alias("own")
    near = [own.c.key == found.unit, own.c.host == found.unit]
    near.append(own.c.key.in_(select(unit.c.host).where(unit.c.key == found.unit)))
    if actor.has(Role.ADMINISTRATOR):
        near.append(own.c.jurisdiction == found.jurisdiction)
    held = select(post.c.id).join(own, own.c.key == post.c.unit).where(
        post.c.person_id == person_id, post.c.until.is_(None)
    )  # fmt: skip
    return connection.execute(select(or_(exists(held.where(or_(*near))), ~exists(held)))).scalar_one()


def _hand_on(tx: Tx, kept: Collection[int], to_post: int) -> None:
    """What was handed on to this post inside the unit goes with it."""
    for case in cases_of(tx, kept).values() if kept else ():
        payload = {"assignment": case.id, "item": case.item_id, "to_post": to_post, "by": "handover"}
        tx.record(f"item:{case.item_id}", "assignment.handed_on", payload)


def _revoke(tx: Tx, found: AnyRow, *, closes: bool) -> None:
    """The predecessor is out everywhere; the account is closed where no other post is held."""
    tell(tx, found.person_id, "handed_over", "/login", **({"closed": "1"} if closes else {}))
    sessions.end(tx, found.person_id)
    resets.withdraw(tx, found.person_id)
    values = {"browsers": person.c.browsers + 1} | ({"active": False} if closes else {})
    tx.connection.execute(update(person).where(person.c.id == found.person_id).values(**values))
    if closes and found.active:
        tx.record(STREAM, "account.deactivated", {"person": found.person_id})
        tx.flush()


# ---------------------------------------------------------------- 接收确认
def receive(tx: Tx, handover_id: int) -> None:
    """接收确认: the successor has read what she was told. Raises: NotFound, Conflict."""
    found = tx.connection.execute(select(handover).where(handover.c.id == handover_id)).one_or_none()
    tx.desk = None if found is None else next((d for d in tx.actor.desks if d.post_id == found.to_post), None)
    if found is None or tx.desk is None:
        raise NotFound("没有这项交接，或者它不是交接给您的。")
    if found.received_at is not None:
        raise Conflict("您", found.received_at, "确认了接收")
    tx.record(STREAM, "post.received", {"handover": handover_id, "post": found.to_post})
    tx.flush()
