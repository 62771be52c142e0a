"""账号: what an administrator does about people's accounts and posts. Whom, `ledger.queries.accounts` decides."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from engine import accounts as engine
from engine import corrections
from engine.mail.rendering import address_of
from ledger import resets, sessions
from ledger.clock import wall_now
from ledger.directory import Scope
from ledger.errors import Conflict, DubanError, Invalid, NotAllowed, NotFound
from ledger.queries import accounts as queries
from ledger.queries.words import ROLE_WORDS
from webapp import context, doors, forms
from webapp.paging import number_of

bp = Blueprint("people", __name__, url_prefix="/people")

Answer = Response | tuple[str, int]
LONGEST = 60


@bp.get("")
@login_required
def index() -> str:
    _require_administrator()
    words, shown = request.args.get("words", "").strip()[:LONGEST], request.args.get("shown", "")
    shown = shown if shown in queries.SHOWN else ""
    found = queries.accounts(
        context.reading(), context.actor(), engine.ACCOUNT, wall_now(), words=words, shown=shown, page=number_of("page")
    )
    return render_template(
        "people.html",
        found=found,
        words=words,
        shown=shown,
        choices=queries.SHOWN,
        link=lambda n: url_for("people.index", words=words or None, shown=shown or None, page=n),
    )


@bp.get("/<int:person_id>")
@login_required
def show(person_id: int) -> str:
    return _page(person_id)


@bp.post("/<int:person_id>/deactivate")
@login_required
def deactivate(person_id: int) -> Answer:
    return _act(person_id, lambda: context.perform(engine.deactivate, person_id), "账号已停用，登录已全部结束。")


@bp.post("/<int:person_id>/activate")
@login_required
def activate(person_id: int) -> Answer:
    return _act(person_id, lambda: context.perform(engine.activate, person_id), "账号已启用。")


@bp.post("/<int:person_id>/unlock")
@login_required
def unlock(person_id: int) -> Answer:
    return _act(person_id, lambda: context.perform(engine.unlock, person_id), "已解锁，可以马上登录。")


@bp.post("/<int:person_id>/end-sessions")
@login_required
def end_sessions(person_id: int) -> Answer:
    return _act(person_id, lambda: context.perform(engine.end_sessions, person_id), "此人的登录已全部结束。")


@bp.post("/<int:person_id>/correct")
@login_required
def correct(person_id: int) -> Answer:
    """更正姓名、邮箱."""
    given = forms.text("name"), forms.text("email")
    done = "已更正，并已通知本人；以后的邮件发到更正后的邮箱。"
    return _act(person_id, lambda: context.perform(corrections.correct, person_id, *given), done)


@bp.post("/<int:person_id>/link")
@login_required
def give_link(person_id: int) -> Answer:
    """A link to set a new password: shown once, to be handed over in person."""
    _require_administrator()
    try:
        path = context.perform(engine.give_link, person_id)
    except NotFound:
        raise
    except DubanError as error:
        return _refused(person_id, error)
    context.close_reading()
    return _page(person_id, link=address_of(context.settings().base_url, path)), 200


@bp.post("/<int:person_id>/posts")
@login_required
def add_post(person_id: int) -> Answer:
    """任职."""
    unit, role = request.form.get("unit", ""), request.form.get("role", "")
    scope = Scope(*(forms.text(name) or None for name in ("plan", "rank", "field")))
    key = {short: key for key, short in queries.unit_choices(context.reading(), context.actor())}.get(unit, unit)
    return _act(
        person_id, lambda: context.perform(engine.add_post, person_id, key, role, scope), "已任职，从现在起生效。"
    )


@bp.post("/<int:person_id>/posts/<int:post_id>/end")
@login_required
def end_post(person_id: int, post_id: int) -> Answer:
    """免职."""
    return _act(person_id, lambda: context.perform(engine.end_post, person_id, post_id), "已免职，待办留在单位。")


# ---------------------------------------------------------------- common to all
def _require_administrator() -> None:
    if not context.actor().has("administrator"):
        raise NotAllowed("只有管理员可以管理账号。")


def _act(person_id: int, perform: Callable[[], object], done: str) -> Answer:
    _require_administrator()
    try:
        perform()
    except NotFound:
        raise
    except DubanError as error:
        return _refused(person_id, error)
    flash(done)
    return redirect(url_for("people.show", person_id=person_id))


def _refused(person_id: int, error: DubanError) -> tuple[str, int]:
    context.close_reading()
    if isinstance(error, Conflict):
        return _page(person_id, notice=f"{error.who}刚刚{error.what}，页面已更新。"), 409
    return _page(person_id, notice=str(error)), 422 if isinstance(error, Invalid) else 409


def _page(person_id: int, *, notice: str = "", link: str = "") -> str:
    """Raises: NotAllowed, NotFound."""
    _require_administrator()
    connection, actor, now = context.reading(), context.actor(), wall_now()
    account = queries.account(connection, actor, engine.ACCOUNT, now, person_id)
    if account is None:
        raise NotFound("没有这个账号，或者它不归您管理。")
    return render_template(
        "person.html",
        account=account,
        ours=queries.can_decide_on(connection, actor, person_id),
        own=person_id == actor.person_id,
        sessions=_sessions(connection, person_id),
        units=queries.unit_choices(connection, actor),
        plans=queries.plan_choices(connection, actor),
        roles=ROLE_WORDS,
        notice=notice,
        link=link,
        minutes=resets.MINUTES,
        typed=request.form,
    )


def _sessions(connection: Connection, person_id: int) -> int:
    return len(sessions.lines(connection, person_id, doors.lifetime(), wall_now()))
