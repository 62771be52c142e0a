"""我的账号: a person's posts, password and sessions."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy import select
from werkzeug.wrappers import Response

from engine import accounts as engine
from engine import commands
from ledger import sessions
from ledger.clock import wall_now
from ledger.errors import DubanError, Invalid, NotFound
from ledger.queries.accounts import deputies_of, posts_of
from ledger.rules.verbs import Role
from ledger.schema import person
from webapp import context, doors, forms
from webapp.forms import Form
from webapp.guard import whole

bp = Blueprint("own", __name__)


@bp.get("/account")
@login_required
def show() -> str:
    return page()


def page(form: Form | None = None) -> str:
    """`form`: that of a delegation, or of a new address (key `email`), as it was refused."""
    connection, person_id = context.reading(), context.actor().person_id
    account = connection.execute(select(person.c.login, person.c.name, person.c.email).where(person.c.id == person_id))
    posts = [p for p in posts_of(connection, [person_id]).get(person_id, []) if p.until is None]
    return render_template(
        "account.html",
        account=account.one(),
        posts=posts,
        own_posts=[(str(p.id), p.words) for p in posts],
        mine={p.id for p in posts if not p.is_deputy and p.role != Role.ADMINISTRATOR},
        heads=context.actor().has(Role.HEAD),
        form=form or Form(""),
        deputies=deputies_of(connection, person_id),
        sessions=sessions.lines(connection, person_id, doors.lifetime(), wall_now()),
        this=doors.live().id,
        idle=doors.lifetime().idle_minutes,
    )


@bp.post("/account/deputies")
@login_required
def delegate() -> Response | tuple[str, int]:
    """委托代理 of one's own post until a day."""
    try:
        until = date.fromisoformat(request.form.get("until", ""))
    except ValueError:
        until = None
    try:
        post_id, login = whole(request.form.get("post")), forms.text("login")
        context.perform(commands.delegate, post_id, login=login, until=until)
    except NotFound:
        raise
    except DubanError as error:
        context.close_reading()
        form = forms.refused("", request.form, error)
        return page(form), 422 if isinstance(error, Invalid) else 409
    flash("已委托代理，到期自动结束。")
    return redirect(url_for("own.show"))


@bp.post("/account/deputies/<int:post_id>/end")
@login_required
def end_delegation(post_id: int) -> Response:
    """The holder is back."""
    context.perform(commands.end_delegation, post_id)
    flash("已结束代理。")
    return redirect(url_for("own.show"))


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
