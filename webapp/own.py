"""我的账号: a person's posts, password and sessions."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_login import login_required
from sqlalchemy import select
from werkzeug.wrappers import Response

from engine import accounts as engine
from ledger import sessions
from ledger.clock import wall_now
from ledger.queries.accounts import posts_of
from ledger.schema import person
from webapp import context, doors

bp = Blueprint("own", __name__)


@bp.get("/account")
@login_required
def show() -> str:
    connection, person_id = context.reading(), context.actor().person_id
    account = connection.execute(select(person.c.login, person.c.name, person.c.email).where(person.c.id == person_id))
    return render_template(
        "account.html",
        account=account.one(),
        posts=[p for p in posts_of(connection, [person_id]).get(person_id, []) if p.until is None],
        sessions=sessions.lines(connection, person_id, doors.lifetime(), wall_now()),
        this=doors.live().id,
        idle=doors.lifetime().idle_minutes,
    )


@bp.post("/account/sessions/<int:session_id>/end")
@login_required
def end(session_id: int) -> Response:
    """End one of the person's own sessions; of another's nothing is known here."""
    ended = _end(only=session_id)
    if ended and session_id == doors.live().id:
        doors.go_out()
        return redirect(url_for("accounts.login"))
    flash("已结束这次登录。" if ended else "这次登录已经结束了。")
    return redirect(url_for("own.show"))


@bp.post("/account/sessions/end-others")
@login_required
def end_others() -> Response:
    ended = _end(but=doors.live().id)
    flash(f"已结束其他 {ended} 处登录。" if ended else "没有其他登录。")
    return redirect(url_for("own.show"))


def _end(*, only: int | None = None, but: int | None = None) -> int:
    context.close_reading()
    with context.database().write() as tx:
        return engine.end_own(tx, context.actor().person_id, doors.origin(), only=only, but=but)
