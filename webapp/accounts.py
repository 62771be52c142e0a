"""Logging in and out by account and password; who the request's person is."""

from __future__ import annotations

from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Blueprint, Flask, redirect, render_template, request, session, url_for
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, login_required, login_user, logout_user
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from ledger.people import Actor, actor_of
from ledger.schema import person
from webapp import context

TRIES = 5
LOCKED_MINUTES = 15

bp = Blueprint("accounts", __name__)
hasher = PasswordHasher()
# Verified when no such account exists, so that the time an answer takes does not tell which accounts do.
_NOBODY = hasher.hash("nobody")


class Account(UserMixin):
    """A person who is logged in, with today's posts."""

    def __init__(self, actor: Actor) -> None:
        self.id = str(actor.person_id)
        self.actor = actor


def _attempt_key() -> str:
    return f"{get_remote_address()} {request.form.get('account', '').strip().lower()}"


limiter = Limiter(key_func=get_remote_address, storage_uri="memory://")


def install(app: Flask) -> None:
    """Flask-Login and the limiter on wrong passwords."""
    manager = LoginManager(app)
    manager.login_view = "accounts.login"
    manager.login_message = ""
    manager.user_loader(load_account)
    limiter.init_app(app)


def load_account(person_id: str) -> Account | None:
    actor = actor_of(context.reading(), int(person_id)) if person_id.isdigit() else None
    return Account(actor) if actor else None


@bp.get("/login")
def login() -> str:
    return _page(account=request.args.get("account", ""))


@bp.post("/login")
@limiter.limit(
    f"{TRIES} per {LOCKED_MINUTES} minutes", key_func=_attempt_key, deduct_when=lambda r: r.status_code == 422
)
def enter() -> BaseResponse | tuple[str, int]:
    account, password = request.form.get("account", "").strip(), request.form.get("password", "")
    found = _checked(account, password)
    if found is None:
        return _page(account=account, error=_wrong(account, password)), 422
    begin(found)
    return redirect(local_path(request.args.get("next", "")))


@bp.post("/logout")
@login_required
def leave() -> BaseResponse:
    logout_user()
    return redirect(url_for("accounts.login"))


@bp.errorhandler(429)
def _locked(_error: Exception) -> tuple[str, int]:
    words = f"密码已连续输错 {TRIES} 次，请 {LOCKED_MINUTES} 分钟后再试，或请管理员重设密码。"
    return _page(account=request.form.get("account", "").strip(), error=words), 429


def _checked(account: str, password: str) -> Account | None:
    columns = select(person.c.id, person.c.password_hash).where(person.c.login == account, person.c.active)
    row = context.reading().execute(columns).one_or_none()
    try:
        hasher.verify(row.password_hash if row else _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return None
    return load_account(str(row.id)) if row else None


def _wrong(account: str, password: str) -> str:
    if not account or not password:
        return "请填写账号和密码。"
    limit = limiter.current_limit
    left = max(0, limit.remaining - 1) if limit else 0
    if left == 0:
        return f"账号或密码不对，请 {LOCKED_MINUTES} 分钟后再试，或请管理员重设密码。"
    return f"账号或密码不对，还可再试 {left} 次；之后锁定 {LOCKED_MINUTES} 分钟。"


def begin(account: Account) -> None:
    """Log the account in, for as many hours as the settings say."""
    session.permanent = True
    login_user(account)


def local_path(target: str) -> str:
    """A path of this site that a form or an address asks to go on to; anything else leads to the inbox."""
    parts = urlsplit(target)
    safe = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return target if safe else url_for("inbox.show")


def _page(account: str, error: str = "") -> str:
    return render_template("login.html", account=account, error=error)
