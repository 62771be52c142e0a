"""Changing a password, and setting a new one by a link from a mail."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy import select
from werkzeug.wrappers import Response

from engine import accounts as engine
from ledger import resets, throttling
from ledger.clock import wall_now
from ledger.errors import Refused
from ledger.pinyin import initials, spelt
from ledger.resets import Account
from ledger.rules import passwords as rules
from ledger.schema import person, post, unit
from ledger.throttling import named
from webapp import context, devices, doors, hashing
from webapp.frame import place_shown
from webapp.words import until_words

bp = Blueprint("passwords", __name__)

Answer = Response | str | tuple[str, int]
LONGEST = 200


# ---------------------------------------------------------------- one's own
@bp.get("/account/password")
@login_required
def change() -> str:
    return _change_page({})


@bp.post("/account/password")
@login_required
def save() -> Answer:
    """The old one, the new one twice. Every session ends, this one goes on under a new token."""
    old, new, again = (request.form.get(name, "") for name in ("old_password", "new_password", "password_again"))
    person_id, forced = context.actor().person_id, doors.live().must_change
    stored = select(person.c.password_hash).where(person.c.id == person_id)
    password_hash = context.reading().execute(stored).scalar_one()
    errors = faults_of(new, again, _known(person_id))
    if not errors and new == old:
        errors["new_password"] = "新密码与原密码相同，请换一个。"
    if not errors and (refused := try_old(person_id, password_hash, old)):
        errors["old_password"] = refused
    if errors:
        return _change_page(errors), 422
    new_hash = hashing.hashed(new)
    context.close_reading()
    with context.database().write() as tx:
        throttling.clear(tx.connection, named("change", str(person_id)))
        token = engine.change_password(tx, person_id, new_hash, doors.lifetime(), doors.origin())
    doors.come_in(token)
    flash("密码已修改，在别处的登录已全部结束。")
    return redirect(url_for("inbox.show") if forced else url_for("own.show"))


def try_old(person_id: int, password_hash: str, old: str) -> str:
    """Why the old password is not taken; nothing when it is. Tries are counted as those of a log-in are."""
    context.close_reading()
    with context.database().write() as tx:
        taken = throttling.spend(tx.connection, named("change", str(person_id)), engine.ACCOUNT, tx.recorded_at)
    if taken.until is not None:
        return f"原密码输错太多次，请 {until_words(taken.until)} 再试。"
    return "" if hashing.fits(password_hash, old) else f"原密码不对，还可再试 {taken.left} 次。"


def _change_page(errors: dict[str, str]) -> str:
    return render_template("password.html", errors=errors, forced=doors.live().must_change, least=rules.MIN_LENGTH)


# ---------------------------------------------------------------- forgotten
@bp.get("/password/forgotten")
def forgotten() -> str:
    return render_template("forgotten.html", error="", asked=False)


@bp.post("/password/forgotten")
def ask() -> Answer:
    """Whatever was typed, the answer is the same and takes the same work."""
    words = request.form.get("account", "").strip()
    if not words or len(words) > LONGEST:
        return render_template("forgotten.html", error="请填写账号或邮箱。", asked=False), 422
    with context.database().write() as tx:
        taken = engine.ask_for_reset(tx, words, doors.origin())
    if taken.until is not None:
        error = f"申请太频繁，请 {until_words(taken.until)} 再试。"
        return render_template("forgotten.html", error=error, asked=False), 429
    return render_template("forgotten.html", error="", asked=True, minutes=resets.MINUTES)


@bp.get("/password/reset")
def by_link() -> Answer:
    return _reset_page(request.args.get("token", ""), {})


@bp.post("/password/reset")
def reset() -> Answer:
    """Set the new password; whoever was logged in to the account no longer is."""
    token, new, again = (request.form.get(name, "") for name in ("token", "new_password", "password_again"))
    account = resets.account_of(context.reading(), token, wall_now())
    errors = faults_of(new, again, _known(account.id)) if account else {}
    if account is None or errors:
        return _reset_page(token, errors)
    new_hash = hashing.hashed(new)
    context.close_reading()
    try:
        with context.database().write() as tx:
            engine.reset_password(tx, token, new_hash, doors.origin())
    except Refused:
        return _reset_page(token, {})
    doors.go_out()
    devices.remember(account.login, account.browsers)
    flash("密码已重设，请用新密码登录。")
    return redirect(url_for("accounts.login", account=account.login))


def _reset_page(token: str, errors: dict[str, str]) -> Answer:
    account: Account | None = resets.account_of(context.reading(), token, wall_now())
    page = render_template("reset.html", account=account, token_=token, errors=errors, least=rules.MIN_LENGTH)
    return page, 410 if account is None else 422 if errors else 200


# ---------------------------------------------------------------- common to both
def faults_of(new: str, again: str, known: list[str]) -> dict[str, str]:
    errors = {}
    if fault := rules.fault(new, known):
        errors["new_password"] = fault
    elif new != again:
        errors["password_again"] = "两次填写的新密码不一致。"
    return errors


def _known(person_id: int) -> list[str]:
    """What somebody who knows the person would try first."""
    connection = context.reading()
    login, name, email = connection.execute(
        select(person.c.login, person.c.name, person.c.email).where(person.c.id == person_id)
    ).one()
    units = connection.execute(
        select(unit.c.key, unit.c.name, unit.c.short)
        .join(post, post.c.unit == unit.c.key)
        .where(post.c.person_id == person_id)
    ).all()
    return known_words(login, name, email, [(u.key, u.name, u.short) for u in units])


def known_words(login: str, name: str, email: str, units: Sequence[tuple[str, str, str]]) -> list[str]:
    """What names a person and the place of work; `units`: key, name and short name of each."""
    chinese = [name, place_shown(), *(words for _, *names in units for words in names)]
    typed = [as_typed(words) for words in chinese for as_typed in (spelt, initials)]
    keys = [key for key, *_ in units]
    parts = [part for words in (login, email, *keys) for part in words.replace("@", "-").split("-")]
    return [login, *chinese, *typed, *parts]
