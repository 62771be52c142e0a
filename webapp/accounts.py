"""Logging in and out by account and password."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from engine import accounts as engine
from ledger.schema import AnyRow, person
from ledger.throttling import Try
from webapp import context, devices, doors, drafts, hashing, kept
from webapp.doors import local_path
from webapp.kept import Kept
from webapp.words import until_words

bp = Blueprint("accounts", __name__)

LONGEST = 60


@bp.get("/login")
def login() -> str:
    was_in = bool(doors.cookie()) and not current_user.is_authenticated and "next" in request.args
    notice = "登录已过期，或已在别处结束。请重新登录，之后回到刚才的页面。" if was_in else ""
    return _page(account=request.args.get("account", ""), notice=notice)


@bp.post("/login")
def enter() -> BaseResponse | tuple[str, int]:
    account, password = request.form.get("account", "").strip(), request.form.get("password", "")
    if not account or not password or len(account) > LONGEST:
        return _page(account=account, error="请填写账号和密码。"), 422
    origin, found = doors.origin(), _account(account)
    device = devices.known(account, found.browsers if found else 0)
    context.close_reading()
    with context.database().write() as tx:
        taken = engine.try_to_enter(tx, account, origin, device)
    if taken.until is not None:
        return _page(account=account, error=_crowded(taken.until) if taken.crowded else _closed(taken.until)), 429
    fits = hashing.fits(found.password_hash if found else None, password)
    if found is None or not fits or not found.active:
        with context.database().write() as tx:
            engine.refuse_entry(tx, found.id if found else None, taken, origin, inactive=fits)
        return _page(account=account, error=_wrong(taken)), 422
    rehashed = hashing.rehashed(found.password_hash, password)
    begin(found.id, account, found.browsers, rehashed=rehashed)
    return redirect(_onward(found.id))


@bp.post("/logout")
@login_required
def leave() -> BaseResponse:
    context.close_reading()
    with context.database().write() as tx:
        engine.leave(tx, context.actor().person_id, doors.live().id, doors.origin())
    doors.go_out()
    return redirect(url_for("accounts.login"))


@bp.post("/kept")
@login_required
def recover() -> BaseResponse:
    """Take back what a form held when its page had run out; leads to the form."""
    return redirect(_onward(context.actor().person_id))


def begin(person_id: int, login: str, forgotten: int, *, rehashed: str | None = None) -> None:
    """Log the person in; a session the browser came with ends. `forgotten`: see `devices.known`."""
    former = doors.live().id if current_user.is_authenticated else None
    context.close_reading()
    with context.database().write() as tx:
        if former is not None:
            engine.leave(tx, int(current_user.id), former, doors.origin())
        device = devices.known(login, forgotten)
        token = engine.enter(tx, person_id, login, doors.lifetime(), doors.origin(), device=device, rehashed=rehashed)
    doors.come_in(token)
    devices.remember(login, forgotten)


def _onward(person_id: int) -> str:
    """Where to go: to the form whose text was kept, to the page that was asked for, or to the first one."""
    found = kept.unpack(request.form.get("kept", ""))
    if found is not None and kept.put_back(person_id, found):
        flash("刚才填写的内容已放回，请核对后再提交。")
        return drafts.place_of(person_id, found.draft)
    return local_path(request.args.get("next", ""))


def _account(login: str) -> AnyRow | None:
    columns = select(person.c.id, person.c.password_hash, person.c.active, person.c.browsers).where(
        person.c.login == login
    )
    return context.reading().execute(columns).one_or_none()


def _wrong(taken: Try) -> str:
    if taken.closes_at is not None:
        return f"账号或密码不对。已连续输错 {engine.ACCOUNT.tries} 次，{_closed(taken.closes_at)}"
    return f"账号或密码不对，还可再试 {taken.left} 次；之后锁定 {engine.ACCOUNT.minutes} 分钟。"


def _closed(until: datetime) -> str:
    return f"为保护账号，登录已锁定到 {until_words(until)}。到时再试，或点“忘记密码”马上重设，也可请管理员解锁。"


def _crowded(until: datetime) -> str:
    return (
        f"这个网络地址近来输错太多次，{until_words(until)} 以前不再接受新的尝试。"
        "您的账号没有锁定：请用平时登录的电脑或手机登录，或到时再试。"
    )


def _page(account: str, error: str = "", notice: str = "") -> str:
    typed: Kept | None = kept.unpack(request.form.get("kept", ""))
    return render_template("login.html", account=account, error=error, notice=notice, kept=typed)
