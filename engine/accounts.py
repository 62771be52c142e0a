"""What happens at the doors: coming in, being refused, changing a password, and what an administrator decides.

Sessions, tries and passwords are state without events; decisions on other people's accounts and posts stand in the
chain of the administration. Passwords arrive here hashed: hashing takes longer than a transaction should.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import insert, select, update

from engine.chasing import disarm
from engine.mail.contexts import AccountKind
from engine.outbox import header_id
from ledger import logins, resets, sessions, throttling
from ledger.calendar import local_day
from ledger.database import Tx
from ledger.directory import EVERYTHING, STREAM, Scope, leave_post, take_post
from ledger.errors import Conflict, Invalid, NotFound, Refused
from ledger.logins import Outcome
from ledger.queries.accounts import can_decide_on, seen_by
from ledger.rules.throttle import Limit
from ledger.rules.verbs import Role
from ledger.schema import AnyRow, message, person, post, unit
from ledger.sessions import Lifetime, Origin
from ledger.throttling import Try, addressed, named
from ledger.visibility import administers

ACCOUNT = Limit(tries=5, minutes=15)
ADDRESS = Limit(tries=100, minutes=15)  # a whole county comes from one address
RESETS = Limit(tries=3, minutes=30)
RESETS_FROM_ADDRESS = Limit(tries=20, minutes=30)
FORGOTTEN = "/password/forgotten"


# ---------------------------------------------------------------- coming in
def try_to_enter(tx: Tx, login: str, origin: Origin, device: str | None = None) -> Try:
    """Take a try of the browser that the account is known in; else one of this address and of this account, whether
    there is such an account or not. So strangers lock out strangers, and not those who come in here every day."""
    if device is not None:
        return throttling.spend(tx.connection, named("device", device), ACCOUNT, tx.recorded_at)
    address = addressed("address", origin.address)
    crowd = throttling.spend(tx.connection, address, ADDRESS, tx.recorded_at)
    if crowd.until is not None:
        return replace(crowd, crowded=True)
    taken = throttling.spend(tx.connection, named("account", login), ACCOUNT, tx.recorded_at)
    if taken.until is not None:  # nothing is verified, so nothing was tried
        throttling.refund(tx.connection, address)
    elif crowd.closes_at is not None:
        logins.note(tx, Outcome.CROWDED, None, origin)
    return taken


def refuse_entry(tx: Tx, person_id: int | None, taken: Try, origin: Origin, *, inactive: bool = False) -> None:
    """The password was wrong. With the last try the account is locked, and its person is told."""
    logins.note(tx, Outcome.INACTIVE if inactive else Outcome.WRONG, person_id, origin)
    if taken.closes_at is None:
        return
    logins.note(tx, Outcome.LOCKED, person_id, origin)
    if person_id is not None:
        tell(tx, person_id, "locked", FORGOTTEN, until=taken.closes_at.isoformat())


def enter(
    tx: Tx,
    person_id: int,
    login: str,
    lifetime: Lifetime,
    origin: Origin,
    *,
    device: str | None = None,
    rehashed: str | None = None,
) -> str:
    """The password was right: returns the token of a new session. `rehashed`: the password by today's parameters."""
    if device is not None:
        throttling.clear(tx.connection, named("device", device))
    else:
        throttling.refund(tx.connection, addressed("address", origin.address))
        throttling.clear(tx.connection, named("account", login))
    if rehashed is not None:
        tx.connection.execute(update(person).where(person.c.id == person_id).values(password_hash=rehashed))
    logins.note(tx, Outcome.ENTERED, person_id, origin)
    return sessions.begin(tx, person_id, lifetime, origin)


def leave(tx: Tx, person_id: int, session_id: int, origin: Origin) -> None:
    sessions.end(tx, person_id, only=session_id)
    logins.note(tx, Outcome.LEFT, person_id, origin)


def end_own(tx: Tx, person_id: int, origin: Origin, *, only: int | None = None, but: int | None = None) -> int:
    """A person ends sessions of her own; returns how many."""
    ended = sessions.end(tx, person_id, only=only, but=but)
    if ended:
        logins.note(tx, Outcome.ENDED, person_id, origin)
    return ended


# ---------------------------------------------------------------- passwords
def change_password(tx: Tx, person_id: int, password_hash: str, lifetime: Lifetime, origin: Origin) -> str:
    """A person has a new password: every session ends; returns the token of the one that goes on."""
    _set_password(tx, person_id, password_hash, must_change=False)
    logins.note(tx, Outcome.CHANGED, person_id, origin)
    return sessions.begin(tx, person_id, lifetime, origin)


def ask_for_reset(tx: Tx, words: str, origin: Origin) -> Try:
    """Mail a link to whoever has this account or address. What is answered and what it costs tells nothing."""
    taken = throttling.spend(
        tx.connection, addressed("reset-address", origin.address), RESETS_FROM_ADDRESS, tx.recorded_at
    )
    if taken.until is not None:
        return taken
    if throttling.spend(tx.connection, named("reset", words), RESETS, tx.recorded_at).until is not None:
        return taken
    meant = resets.accounts_called(tx.connection, words)
    asking: list[int | None] = [a.id for a in meant]
    for person_id in asking or [None]:
        token = resets.offer(tx, person_id)
        logins.note(tx, Outcome.ASKED, person_id, origin)
        if person_id is not None:
            until = tx.recorded_at + timedelta(minutes=resets.MINUTES)
            tell(tx, person_id, "reset", link_of(token), until=until.isoformat())
    return taken


def reset_password(tx: Tx, token: str, password_hash: str, origin: Origin) -> None:
    """Set the password of the token's account; locks are lifted, sessions end. Raises: Refused."""
    account = resets.use(tx, token)
    if account is None:
        raise Refused("这个链接已经用过或过期，请重新申请。")
    throttling.clear(tx.connection, named("account", account.login))
    _set_password(tx, account.id, password_hash, must_change=False)
    logins.note(tx, Outcome.RESET, account.id, origin)


def link_of(token: str) -> str:
    """The path that sets a new password."""
    return f"/password/reset?token={token}"


def _set_password(tx: Tx, person_id: int, password_hash: str, *, must_change: bool) -> None:
    values = {"password_hash": password_hash, "must_change": must_change}
    tx.connection.execute(update(person).where(person.c.id == person_id).values(**values))
    sessions.end(tx, person_id)
    resets.withdraw(tx, person_id)
    tell(tx, person_id, "changed", FORGOTTEN)


def tell(tx: Tx, person_id: int, kind: AccountKind, link: str, *, address: str = "", **more: str) -> None:
    """A mail about the account, into the outbox, to its address or another (`address`); no notice stands behind it. An
    account that is closed gets none."""
    own = tx.connection.execute(select(person.c.email).where(person.c.id == person_id, person.c.active)).scalar()
    if own is None:
        return
    message_id = tx.allocate("message")[0]
    key = f"{kind}:{message_id}:{person_id}"
    row = {
        "id": message_id,
        "key": key,
        "kind": kind,
        "person_id": person_id,
        "address": address or own,
        "context": json.dumps({"day": local_day(tx.now).isoformat(), "link": link, **more}),
        "at": tx.now,
        "header_id": header_id(key),
        "state": "queued",
        "attempts": 0,
        "try_at": tx.recorded_at,
    }
    tx.connection.execute(insert(message), row)


# ---------------------------------------------------------------- what an administrator decides
def deactivate(tx: Tx, person_id: int) -> None:
    """停用: the person cannot come in, sessions end, links to reset lead nowhere; posts stay until they are left."""
    found = account_of_ours(tx, person_id)
    if person_id == tx.actor.person_id:
        raise Refused("不能停用自己的账号，请由另一位管理员办理。")
    if not found.active:
        raise Conflict("另一位管理员", None, "停用了这个账号")
    tx.connection.execute(update(person).where(person.c.id == person_id).values(active=False))
    sessions.end(tx, person_id)
    resets.withdraw(tx, person_id)
    _record(tx, "account.deactivated", person_id)


def activate(tx: Tx, person_id: int) -> None:
    """启用."""
    if account_of_ours(tx, person_id).active:
        raise Conflict("另一位管理员", None, "启用了这个账号")
    tx.connection.execute(update(person).where(person.c.id == person_id).values(active=True))
    _record(tx, "account.activated", person_id)


def unlock(tx: Tx, person_id: int) -> None:
    """解锁: the tries of the account are forgotten."""
    found = account_of_ours(tx, person_id)
    if not throttling.clear(tx.connection, named("account", found.login)):
        raise Refused("这个账号没有锁定，不用解锁。")
    _record(tx, "account.unlocked", person_id)


def give_link(tx: Tx, person_id: int) -> str:
    """A path that sets a new password, to be handed to the person; nobody is told it but the caller."""
    if not account_of_ours(tx, person_id).active:
        raise Refused("账号已停用，请先启用。")
    resets.withdraw(tx, person_id)
    token = resets.offer(tx, person_id)
    _record(tx, "account.link-given", person_id)
    return link_of(token)


def end_sessions(tx: Tx, person_id: int) -> int:
    """结束登录, wherever the person is logged in."""
    account_of_ours(tx, person_id)
    ended = sessions.end(tx, person_id)
    if ended:
        _record(tx, "account.sessions-ended", person_id)
    return ended


def add_post(tx: Tx, person_id: int, unit_key: str, role: str, scope: Scope = EVERYTHING) -> None:
    """任职, for all plans or one of them. Raises: NotFound, Invalid, Refused for oneself."""
    account_of_ours(tx, person_id)
    if person_id == tx.actor.person_id:
        raise Refused("不能给自己任职，请由另一位管理员办理。")
    ours = select(unit.c.key).where(unit.c.key == unit_key, administers(tx.actor))
    if tx.connection.execute(ours).first() is None:
        raise Invalid({"unit": "单位目录中没有这个单位，请从列表里选。"})
    take_post(tx, person_id, unit_key, role, scope)


def end_post(tx: Tx, person_id: int, post_id: int) -> None:
    """免职. Raises: NotFound, Refused, Conflict."""
    account_of_ours(tx, person_id)
    held = tx.connection.execute(select(post).where(post.c.id == post_id, post.c.person_id == person_id)).one_or_none()
    if held is None:
        raise NotFound("此人没有这个岗位。")
    if held.until is not None:
        raise Conflict("另一位管理员", held.until, "免去了这个岗位")
    if person_id == tx.actor.person_id and held.role == Role.ADMINISTRATOR:
        raise Refused("不能免去自己的管理员岗位，请由另一位管理员办理。")
    deputies = select(post.c.id).where(post.c.deputy_for == post_id, post.c.until.is_(None))
    for ended in (*tx.connection.execute(deputies).scalars().all(), post_id):  # nobody deputises for nobody
        disarm(tx, [("post", ended)])  # a deputy's ends before its day
        leave_post(tx, ended)


def give_password(tx: Tx, login: str, password_hash: str) -> None:
    """The last way in, for whoever sits at the machine: a password that must be changed, no lock, an open account.

    Raises: NotFound.
    """
    person_id = tx.connection.execute(select(person.c.id).where(person.c.login == login)).scalar_one_or_none()
    if person_id is None:
        raise NotFound(f"没有账号“{login}”。")
    throttling.clear(tx.connection, named("account", login))
    tx.connection.execute(update(person).where(person.c.id == person_id).values(active=True))
    _set_password(tx, person_id, password_hash, must_change=True)
    _record(tx, "account.password-given", person_id)


def account_of_ours(tx: Tx, person_id: int) -> AnyRow:
    """The account, locked, if the actor may decide on it; the actor sits down as its administrator.

    Raises: NotFound, Refused.
    """
    found = tx.connection.execute(
        select(person).where(person.c.id == person_id, seen_by(tx.actor)).with_for_update()
    ).one_or_none()
    if found is None or not tx.actor.has(Role.ADMINISTRATOR):
        raise NotFound("没有这个账号，或者它不归您管理。")
    if not can_decide_on(tx.connection, tx.actor, person_id):
        raise Refused("此人在别的行政区还有岗位，请由那里的管理员办理。")
    tx.desk = tx.actor.first(Role.ADMINISTRATOR)
    return found


def _record(tx: Tx, kind: str, person_id: int) -> None:
    tx.record(STREAM, kind, {"person": person_id})
    tx.flush()
