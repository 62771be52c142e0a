"""依规清除: two people take words out of the ledger, one applying and another deciding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_required
from werkzeug.wrappers import Response

from engine import commands
from engine.clearing import settle
from ledger import exports
from ledger.attachments import release
from ledger.clock import wall_now
from ledger.errors import DubanError, Invalid, NotAllowed, NotFound, Questions
from ledger.queries import clearings
from ledger.queries.items import item_view
from ledger.queries.timeline import Line, field_words, records, timeline
from webapp import context, forms
from webapp.drafts import forgetting, restored
from webapp.forms import Form

bp = Blueprint("clearings", __name__)

Answer = Response | tuple[str, int]


def may_clear() -> bool:
    """Whether the person takes part in clearings at all."""
    return context.actor().has(*clearings.ROLES)


def _require() -> None:
    if not may_clear():
        raise NotAllowed("依规清除由本行政区的管理员和督查人员办理。")


@bp.get("/clearings")
@login_required
def index() -> str:
    """What waits, and what was decided."""
    _require()
    connection, actor = context.reading(), context.actor()
    waiting = clearings.applications(connection, actor, waiting=True)
    return render_template(
        "clearings.html",
        waiting=waiting,
        decided=clearings.applications(connection, actor, waiting=False),
        mine={a.id for a in waiting if clearings.may_decide(connection, actor, a.id)},
    )


@bp.get("/clearings/<int:clearing_id>")
@login_required
def show(clearing_id: int) -> str:
    _require()
    return _page(clearing_id)


@bp.post("/clearings/<int:clearing_id>")
@login_required
def decide(clearing_id: int) -> Answer:
    """Confirm, for good, or decline with a reason."""
    _require()
    agree = request.form.get("act") == "confirm"
    key = f"clearing-{clearing_id}"

    def perform() -> None:
        context.perform(
            forgetting(key, commands.decide_clearing),
            clearing_id,
            agree=agree,
            understood=request.form.get("understood") == "1",
            reason=forms.text("reason"),
        )
        if agree:
            release(context.database(), context.store(), context.store().digests())
            settle(context.database(), context.store())
            exports.forget(context.database(), context.store(), wall_now())  # sheets may hold what was cleared

    done = "已清除，记录里保留清除的依据和经手人。" if agree else "已告知不同意清除，内容照旧。"
    here = url_for("clearings.show", clearing_id=clearing_id)
    return _act(key, perform, lambda failed: _page(clearing_id, failed), done, here)


@bp.get("/clearings/name")
@login_required
def name() -> str:
    """The form that asks for a name to be cleared."""
    _require()
    return _name_page()


@bp.post("/clearings/name")
@login_required
def apply_for_name() -> Answer:
    _require()

    def perform() -> None:
        person_id = clearings.account(context.reading(), context.actor(), request.form.get("account", ""))
        if person_id is None:
            raise Invalid({"account": "本行政区没有这个账号，请核对。"})
        ground = forms.text("ground")
        context.perform(forgetting("clear-name", commands.apply_for_name), person_id, ground=ground)

    return _act("clear-name", perform, _name_page, _APPLIED, url_for("clearings.index"))


@bp.get("/items/<int:item_id>/records/<int:seq>/clearing")
@login_required
def text(item_id: int, seq: int) -> str:
    """The form that asks for words of one record to be cleared."""
    _require()
    return _text_page(item_id, seq)


@bp.post("/items/<int:item_id>/records/<int:seq>/clearing")
@login_required
def apply_for_text(item_id: int, seq: int) -> Answer:
    _require()
    _line(item_id, seq)
    key = f"clear-{item_id}-{seq}"

    def perform() -> None:
        fields, ground = request.form.getlist("fields"), forms.text("ground")
        context.perform(forgetting(key, commands.apply_for_text), item_id, seq, fields, ground=ground)

    def again(failed: Form) -> str:
        return _text_page(item_id, seq, failed)

    return _act(key, perform, again, _APPLIED, url_for("clearings.index"))


_APPLIED = "已申请清除，等待另一方确认；确认以前内容照旧。"


# ---------------------------------------------------------------- common to all
def _act(key: str, perform: Callable[[], Any], again: Callable[[Form], str], done: str, then: str) -> Answer:
    """Do it and go on, or show the form again: 422 with what is wrong, 409 when somebody was faster."""
    try:
        perform()
    except (NotFound, NotAllowed):
        raise
    except DubanError as error:
        context.close_reading()
        return again(forms.refused(key, request.form, error)), 422 if isinstance(error, Invalid | Questions) else 409
    flash(done)
    return redirect(then)


def _page(clearing_id: int, failed: Form | None = None) -> str:
    connection, actor = context.reading(), context.actor()
    found = clearings.application(connection, actor, clearing_id)
    key = f"clearing-{clearing_id}"
    return render_template(
        "clearing.html",
        a=found,
        line=_line(found.item_id, found.seq) if found.item_id and found.seq else None,
        may=clearings.may_decide(connection, actor, clearing_id),
        form=failed or restored([key])[key],
    )


def _name_page(failed: Form | None = None) -> str:
    return render_template("clearing-form.html", line=None, form=failed or restored(["clear-name"])["clear-name"])


def _text_page(item_id: int, seq: int, failed: Form | None = None) -> str:
    line, key = _line(item_id, seq), f"clear-{item_id}-{seq}"
    if not line.texts:
        raise NotFound("这条记录没有可以清除的内容，或者已经清除。")
    view = item_view(context.reading(), context.calendar(), context.now(), context.sight(), item_id)
    return render_template(
        "clearing-form.html",
        line=line,
        item=view.standing.item,
        fields=[(field, field_words(field, line.files)) for field in line.texts],
        form=failed or restored([key])[key],
    )


def _line(item_id: int, seq: int) -> Line:
    """The record as the actor may read it: an administrator sees that words stand there, not which.

    Raises: NotFound.
    """
    connection = context.reading()
    view = item_view(connection, context.calendar(), context.now(), context.sight(), item_id)
    found_in = view.standing.item
    reads_all = context.sight().reads_all(found_in.office, found_in.jurisdiction)
    lines = timeline(connection, records(connection, item_id), view.standing, view.readable, reads_all=reads_all)
    found = next((line for line in lines if line.seq == seq), None)
    if found is None:
        raise NotFound("没有这条办理记录。")
    return found
