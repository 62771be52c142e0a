"""Who the request's person is: the cookie's session, and what becomes of a request without one."""

from __future__ import annotations

import logging
from typing import cast
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, make_response, redirect, render_template, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user
from sqlalchemy.exc import DBAPIError
from werkzeug.wrappers import Response as BaseResponse

from ledger import sessions
from ledger.clock import wall_now
from ledger.people import Actor
from ledger.sessions import Lifetime, Live, Origin
from webapp import context, kept

log = logging.getLogger(__name__)

# What a person with a password made by somebody else may still open.
_BEFORE_CHANGE = {"passwords.change", "passwords.save", "accounts.leave", "static"}
ADDRESS_LENGTH, AGENT_LENGTH = 45, 200


class Account(UserMixin):
    """A person who is logged in, with today's posts and the session."""

    def __init__(self, live: Live) -> None:
        self.id = str(live.actor.person_id)
        self.actor: Actor = live.actor
        self.live = live


def install(app: Flask) -> None:
    """Flask-Login asks the session's cookie and nothing else."""
    manager = LoginManager(app)
    manager.session_protection = None
    manager.request_loader(_load)
    manager.unauthorized_handler(ask_to_log_in)
    app.before_request(_change_first)
    app.after_request(_keep_cookie)
    app.after_request(_touch)


# ---------------------------------------------------------------- the session
def _load(_request: object) -> Account | None:
    token = cookie()
    live = sessions.load(context.reading(), token, lifetime(), wall_now()) if token else None
    return Account(live) if live else None


def lifetime() -> Lifetime:
    settings = context.settings()
    return Lifetime(settings.session_hours, settings.idle_minutes)


def origin() -> Origin:
    """Where the request comes from, as the logs keep it."""
    agent = request.headers.get("User-Agent", "")
    return Origin((request.remote_addr or "")[:ADDRESS_LENGTH], "".join(filter(str.isprintable, agent))[:AGENT_LENGTH])


def cookie() -> str:
    return request.cookies.get(current_app.config["LOGIN_COOKIE_NAME"], "")


def live() -> Live:
    """The session of the person who is logged in; only behind `login_required`."""
    return cast(Live, current_user.live)


def come_in(token: str) -> None:
    """The answer will carry this token. Nothing of the form cookie lives on: it gets a new CSRF token too."""
    session.clear()
    g.new_cookie = token


def go_out() -> None:
    session.clear()
    g.new_cookie = ""


def _keep_cookie(response: Response) -> Response:
    token = g.get("new_cookie")
    name, secure = current_app.config["LOGIN_COOKIE_NAME"], current_app.config["SESSION_COOKIE_SECURE"]
    if token:
        response.set_cookie(name, token, httponly=True, samesite="Lax", secure=secure, path="/")
    elif token == "":
        response.delete_cookie(name, httponly=True, samesite="Lax", secure=secure, path="/")
    return response


def _touch(response: Response) -> Response:
    """Write down, every few minutes, that the session is in use. A page is not lost because that cannot be written."""
    account = g.get("_login_user")
    if "new_cookie" in g or not isinstance(account, Account) or not account.live.is_due(wall_now()):
        return response
    context.close_reading()
    try:
        with context.database().write() as tx:
            sessions.touch(tx, account.live.id)
    except DBAPIError:
        log.warning("session %s could not be touched", account.live.id, exc_info=True)
    return response


# ---------------------------------------------------------------- without one
def ask_to_log_in() -> BaseResponse:
    """Lead to the log-in and back; what was typed into a form goes along and becomes a draft."""
    if request.headers.get("HX-Request"):
        return _ask_fragment()
    if request.method in ("GET", "HEAD"):
        return redirect(url_for("accounts.login", next=request.full_path.rstrip("?")))
    if typed := kept.from_request(_former()):
        return make_response(render_template("login.html", account="", error="", kept=typed, next=typed.place()), 401)
    return redirect(url_for("accounts.login", next=came_from()), 303)


def _ask_fragment() -> BaseResponse:
    """For htmx: what is on the screen stays there; a page that only wanted to show something is left for the log-in."""
    words = "登录已过期，草稿没有存上。照常提交即可：登录后，写好的内容会放回原处。"
    response = make_response(words, 401)
    if request.method == "GET":
        here = urlsplit(request.headers.get("HX-Current-URL", ""))
        response.headers["HX-Redirect"] = url_for("accounts.login", next=f"{here.path}?{here.query}".rstrip("?"))
    return response


def _former() -> int | None:
    """Whose session the cookie held, if it ever was one."""
    token = cookie()
    return sessions.holder_of(context.reading(), token) if token else None


def came_from() -> str | None:
    """The page of ours on which the form stood."""
    parts = urlsplit(request.headers.get("Referer", ""))
    return f"{parts.path}?{parts.query}".rstrip("?") if parts.netloc == request.host else None


def _change_first() -> BaseResponse | None:
    """A password that somebody else made is changed before anything else is done."""
    if request.endpoint in _BEFORE_CHANGE or not cookie():
        return None
    if current_user.is_authenticated and live().must_change:
        return redirect(url_for("passwords.change"), 303)
    return None


def local_path(target: str) -> str:
    """A path of this site that a form or an address asks to go on to; anything else leads to the first page."""
    parts = urlsplit(target)
    ours = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    safe = ours and target.isprintable()
    return target if safe else url_for("home.first")
