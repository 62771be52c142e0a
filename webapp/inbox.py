"""待办: the page a person opens first, and signing for several things at once."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from engine import commands
from engine.desk import TodoRef
from ledger.errors import DubanError
from ledger.people import Actor
from ledger.queries import inbox as queries
from ledger.queries.words import STEP_VERBS
from ledger.schema import due
from webapp import context

bp = Blueprint("inbox", __name__)


@bp.get("/inbox")
@login_required
def show() -> str:
    return _page()


@bp.post("/inbox/acknowledge")
@login_required
def acknowledge() -> Response | tuple[str, int]:
    """批量签收 of the ticked slips, or of the one whose button was pressed."""
    one = request.form.get("one")
    refs = [TodoRef(*parts) for parts in map(_parsed, [one] if one else request.form.getlist("todo")) if parts]
    if not refs:
        return _page("请先勾选要签收的任务，再点“批量签收”。"), 422
    try:
        context.perform(commands.acknowledge_many, refs)
    except DubanError as error:
        context.close_reading()
        return _page(str(error)), 409
    flash(f"已签收 {len(refs)} 件。" if len(refs) > 1 else "已签收。")
    return redirect(url_for("inbox.show"))


def _parsed(words: str) -> tuple[int, str, int] | None:
    """The assignment, step and arm of a slip: 12.acknowledge.1."""
    match words.split("."):
        case [assignment_id, "acknowledge" as step, arm] if assignment_id.isdigit() and arm.isdigit():
            return int(assignment_id), step, int(arm)
    return None


def _page(notice: str = "") -> str:
    actor = context.actor()
    found = queries.inbox(context.reading(), context.calendar(), context.now(), actor)
    return render_template(
        "inbox.html",
        inbox=found,
        notice=notice,
        verb=_verb,
        to_sign_for=sum(s.step == "acknowledge" for s in found.slips),
        many_units=len({s.unit_name for s in found.slips}) > 1 or _watches(actor),
        next_at=context.reading().execute(select(func.min(due.c.at))).scalar_one_or_none(),
    )


def _watches(actor: Actor) -> bool:
    return actor.has("coordinator", "inspector", "leader")


def _verb(slip: queries.Slip) -> str:
    """What the one button of a slip says; two characters are set wide."""
    words = "补正" if slip.state == "returned" and slip.step == "work" else STEP_VERBS.get(slip.step, "查看")
    return "　".join(words) if len(words) == 2 else words
