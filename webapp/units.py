"""单位: what an administrator changes about units, looked through before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from hashlib import sha256

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from engine import commands
from engine.going_on import moves
from engine.reorganising import KINDS, NAMES, Change, Preview, faults_of, preview, unit_to_change
from ledger.errors import Conflict, DubanError, Invalid, NotAllowed, NotFound
from ledger.organisation import KINDS as UNIT_KINDS
from ledger.queries import units as queries
from webapp import context, forms
from webapp.drafts import forgetting, restored
from webapp.forms import Form
from webapp.guard import whole

bp = Blueprint("units", __name__, url_prefix="/units")

Answer = Response | str | tuple[str, int]
STATES = {"planned": "未生效", "done": "已生效", "cancelled": "已取消"}


@bp.get("")
@login_required
def index() -> str:
    require_administrator()
    words = request.args.get("words", "").strip()
    found = queries.units(context.reading(), context.actor(), words)
    return render_template("units.html", units=found, words=words, kinds=UNIT_KINDS)


@bp.get("/<key>")
@login_required
def show(key: str) -> str:
    require_administrator()
    return page(key, restored([_form_of(key)])[_form_of(key)])


@bp.post("/<key>/changes")
@login_required
def change(key: str) -> Answer:
    """Look a change through, or decide on it."""
    require_administrator()
    asked, ground = _asked(), forms.text("ground")
    if request.form.get("act") == "preview" or request.form.get("seen") != mark_of(asked):
        return _looked_through(key, asked)  # what was changed since it was looked through is looked through again
    try:
        command = forgetting(_form_of(key), commands.reorganise)
        _, at_once = context.perform(command, key, asked, ground=ground)
    except NotFound:
        raise
    except DubanError as error:
        context.close_reading()
        form = forms.refused(_form_of(key), request.form, error)
        return page(key, form), 422 if isinstance(error, Invalid) else 409
    flash("单位调整已生效。" if at_once else "单位调整已登记，到时自动生效。")
    return redirect(url_for("units.show", key=key))


@bp.post("/changes/<int:number>/cancel")
@login_required
def cancel(number: int) -> Answer:
    """取消 before it takes effect."""
    require_administrator()
    try:
        key = context.perform(commands.cancel_change, number)
    except Conflict:
        flash("这项单位调整已经办理，不能取消。")
        return redirect(url_for("units.index"))
    flash("已取消这项单位调整。")
    return redirect(url_for("units.show", key=key))


# ---------------------------------------------------------------- common to all
def require_administrator() -> None:
    if not context.actor().has("administrator"):
        raise NotAllowed("只有管理员可以调整单位。")


def _form_of(key: str) -> str:
    return f"unit_change-{key}"


def _asked() -> Change:
    try:
        day = date.fromisoformat(request.form["day"]) if request.form.get("day") else None
    except ValueError:
        day = date.min  # which is refused beside its field
    shares = tuple(n for n in map(whole, request.form.getlist("shares")) if n)
    kind, to, name, short = (forms.text(field) for field in ("kind", "to", "name", "short"))
    return Change(kind, to, name, short, shares, day)


def mark_of(asked: Change) -> str:
    """What tells a change that was looked through from another."""
    return sha256(repr(asked).encode()).hexdigest()


def _looked_through(key: str, asked: Change) -> tuple[str, int]:
    found = unit_to_change(context.reading(), context.actor(), key)
    form = Form(_form_of(key), forms.typed(request.form))
    form.errors = faults_of(context.reading(), context.now(), found, asked)
    if form.errors:
        return page(key, form), 422
    return page(key, form, preview(context.reading(), context.now(), found, asked), mark_of(asked)), 200


def described(connection: Connection, line: queries.UnitLine, every: Sequence[queries.UnitLine]) -> Form:
    """The form of what a unit is, as the directory has it."""
    shorts = {u.key: u.short for u in every}
    values = {"kind": line.kind, "parent": shorts.get(line.parent or "", ""), "host": shorts.get(line.host or "", "")}
    return Form(f"unit_facts-{line.key}", values | {"aliases": "、".join(queries.aliases(connection, line.key))})


def page(key: str, form: Form, looked: Preview | None = None, seen: str = "", about: Form | None = None) -> str:
    """Raises: NotFound."""
    connection, actor = context.reading(), context.actor()
    every = queries.units(connection, actor)
    line = next((u for u in every if u.key == key), None)
    if line is None:
        raise NotFound("没有这个单位，或者它不归您管理。")
    return render_template(
        "unit.html",
        unit=line,
        form=form,
        looked=looked,
        seen=seen,
        kinds=list(KINDS.items()),
        others=[(u.key, u.short) for u in every if u.key != key and u.ended_at is None],
        open=moves(connection, context.now(), key, None) if line.ended_at is None else (),
        about=about or described(connection, line, every),
        unit_kinds=list(UNIT_KINDS.items()),
        changes=queries.changes(connection, key),
        before=queries.names_before(connection, key),
        words=NAMES,
        states=STATES,
    )
