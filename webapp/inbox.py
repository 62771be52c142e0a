"""待办: the page a person opens first, and signing for several things at once."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from engine import commands
from engine.desk import TodoRef
from ledger.errors import DubanError, NotFound
from ledger.people import Actor
from ledger.queries import inbox as queries
from ledger.queries.words import STEP_VERBS
from ledger.schema import assignment, due, item, run
from ledger.visibility import visible
from webapp import context
from webapp.guard import whole

bp = Blueprint("inbox", __name__)

MOST_AT_ONCE = 500
_next_due = select(func.min(due.c.at))


@bp.get("/inbox")
@login_required
def show() -> str:
    return _page()


@bp.post("/inbox/acknowledge")
@login_required
def acknowledge() -> Response | tuple[str, int]:
    """批量签收 of the ticked slips, or of the one whose button was pressed."""
    one = request.form.get("one")
    ticked = [one] if one else request.form.getlist("todo")[:MOST_AT_ONCE]
    refs = [TodoRef(*parts) for parts in map(_parsed, ticked) if parts]
    if not refs:
        return _page("请先勾选要签收的任务，再点“批量签收”。"), 422
    try:
        context.perform(commands.acknowledge_many, refs)
    except DubanError as error:
        context.close_reading()
        if not all_visible({r.assignment_id for r in refs}):
            raise NotFound("没有这项责任分工，或者它不在您的岗位可见的范围内。") from error
        return _page(str(error)), 409
    flash(f"已签收 {len(refs)} 件。" if len(refs) > 1 else "已签收。")
    return redirect(url_for("inbox.show"))


def all_visible(ids: set[int]) -> bool:
    """Whether the person may know of every one of these shares: who was faster is told to nobody else."""
    shares = select(func.count()).select_from(
        assignment.join(item, item.c.id == assignment.c.item_id).join(run, run.c.id == item.c.run_id)
    )
    seen = visible(shares.where(assignment.c.id.in_(sorted(ids))))
    return bool(context.reading().execute(seen, context.sight().binds).scalar_one() == len(ids))


def _parsed(words: str) -> tuple[int, str, int] | None:
    """The assignment, step and arm of a slip: 12.acknowledge.1."""
    match words.split("."):
        case [assignment_id, "acknowledge" as step, arm] if whole(assignment_id) and whole(arm):
            return whole(assignment_id), step, whole(arm)
    return None


def _page(notice: str = "") -> str:
    actor, page = context.actor(), request.args.get("page", "1")
    found = queries.inbox(
        context.reading(),
        context.calendar(),
        context.now(),
        actor,
        int(page) if page.isdecimal() and len(page) < 6 else 1,
    )
    return render_template(
        "inbox.html",
        inbox=found,
        notice=notice,
        verb=_verb,
        many_units=found.has_many_units or _watches(actor),
        next_at=None if found.total else context.reading().execute(_next_due).scalar_one_or_none(),
    )


def _watches(actor: Actor) -> bool:
    return actor.has("coordinator", "inspector", "leader")


def _verb(slip: queries.Slip) -> str:
    """What the one button of a slip says; two characters are set wide."""
    words = "补正" if slip.state == "returned" and slip.step == "work" else STEP_VERBS.get(slip.step, "查看")
    return "　".join(words) if len(words) == 2 else words
