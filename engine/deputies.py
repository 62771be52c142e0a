"""委托代理 while travelling: a deputy holds the post beside its holder, until a day. Todos and mails find both; what
the deputy does is recorded as done from that post, by the deputy. A mail tells the deputy when it begins, and when the
holder ends it before its day."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from engine.accounts import tell
from engine.chasing import disarm, wake
from engine.moments import leave_moment
from ledger.calendar import local_day
from ledger.database import Tx
from ledger.directory import Scope, leave_post, take_post
from ledger.errors import Invalid, NotFound, Refused
from ledger.rules.verbs import Role
from ledger.schema import person, post, unit

LONGEST = 60  # days; who is away for longer hands the post over


def delegate(tx: Tx, post_id: int, *, login: str, until: date | None) -> int:
    """Let a colleague act from one's own post until the end of a day; returns the deputy's post.

    Raises: Invalid, Refused, NotFound.
    """
    own = tx.connection.execute(
        select(post).where(post.c.id == post_id, post.c.person_id == tx.actor.person_id, post.c.until.is_(None))
    ).one_or_none()
    if own is None:
        raise NotFound("您没有这个岗位，或者已经离任。")
    if own.deputy_for is not None or own.role == Role.ADMINISTRATOR:
        raise Refused("代理的岗位和管理员岗位不能再委托别人；如需变动，请联系管理员。")
    today = local_day(tx.now)
    colleagues = (
        select(person.c.id)
        .join(post, post.c.person_id == person.c.id)
        .join(unit, unit.c.key == post.c.unit)
        .where(post.c.until.is_(None), person.c.active, person.c.id != tx.actor.person_id)
        .where((unit.c.key == own.unit) | (unit.c.host == own.unit))
    )
    found = tx.connection.execute(colleagues.where(person.c.login == login)).scalars().first()
    faults = {} if found else {"login": "请填写本单位一位同事的账号。"}
    if until is None or not today <= until or (until - today).days > LONGEST:
        faults["until"] = f"请填写代理到哪一天，从今天起不超过 {LONGEST} 天；更久的请办理交接。"
    if faults or until is None or found is None:
        raise Invalid(faults)
    scope = Scope(own.plan, own.rank, own.field)
    deputy = take_post(tx, found, own.unit, own.role, scope, deputy_for=own.id, ends=until)
    wake(tx, "post", [deputy], [leave_moment(until)])
    tell(tx, found, "deputising", "/inbox", until=until.isoformat())
    return deputy


def end_delegation(tx: Tx, deputy_post: int) -> None:
    """The holder is back. Raises: NotFound for what the actor has not delegated, or has ended."""
    held = post.alias("held")
    mine = (
        select(post.c.id, post.c.person_id)
        .join(held, held.c.id == post.c.deputy_for)
        .where(post.c.id == deputy_post, post.c.until.is_(None), held.c.person_id == tx.actor.person_id)
    )
    found = tx.connection.execute(mine).first()
    if found is None:
        raise NotFound("没有这项委托，或者已经结束。")
    end(tx, deputy_post)
    tell(tx, found.person_id, "deputising", "/inbox", ended="1")


def end(tx: Tx, deputy_post: int) -> None:
    """A deputy's time is over."""
    disarm(tx, [("post", deputy_post)])
    leave_post(tx, deputy_post)
