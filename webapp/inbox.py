"""待办: the page a person opens first, and signing for several things at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from engine import commands
from engine.desk import TodoRef
from ledger.errors import Conflict, DubanError, NotFound
from ledger.people import Actor
from ledger.queries import inbox as queries
from ledger.queries.arranging import WAYS, Asked
from ledger.queries.home import has_started
from ledger.queries.standing import Part, Standing, standings
from ledger.queries.words import STATE_VERBS, STEP_VERBS
from ledger.rules.intakes import READING
from ledger.rules.verbs import State
from ledger.schema import assignment, due, item, run
from ledger.visibility import visible
from webapp import context
from webapp.guard import whole

bp = Blueprint("inbox", __name__)

MOST_AT_ONCE = 500
LONGEST = 60
_next_due = select(func.min(due.c.at))


@bp.get("/inbox")
@login_required
def show() -> str:
    return _page()


@bp.post("/inbox/acknowledge")
@login_required
def acknowledge() -> Response | tuple[str, int]:
    """批量签收 of the ticked slips, or of the one whose button was pressed: as one act, or where one of them stands in
    the way each by itself, with a list of what came of it."""
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
        return (_page(str(error)) if len(refs) == 1 else _each(refs)), 409
    flash(f"已签收 {len(refs)} 件。" if len(refs) > 1 else "已签收。")
    return redirect(address(_asked(request.form)))


def _each(refs: Sequence[TodoRef]) -> str:
    """Sign for each of several by an act of its own; what was done and what was not, with why."""
    refused = {}
    for ref in refs:
        try:
            context.perform(commands.acknowledge, ref)
        except Conflict as error:
            refused[ref.assignment_id] = f"{error.happened}。"
        except DubanError as error:
            refused[ref.assignment_id] = str(error)
    context.close_reading()
    lines = shares_of([ref.assignment_id for ref in refs])
    back = address(_asked(request.form))
    return render_template("acknowledged.html", lines=lines, refused=refused, back=back)


def shares_of(numbers: Sequence[int]) -> list[tuple[Standing, Part]]:
    """Those of these shares that the person may see, in this order, with their items as they stand now."""
    found = select(assignment.c.id, assignment.c.item_id).select_from(
        assignment.join(item, item.c.id == assignment.c.item_id).join(run, run.c.id == item.c.run_id)
    )
    rows = context.reading().execute(visible(found.where(assignment.c.id.in_(numbers))), context.sight().binds).all()
    known = standings(context.reading(), context.calendar(), context.now(), {r.item_id for r in rows})
    items = {r.id: known[r.item_id] for r in rows}
    return [(items[n], items[n].part(n)) for n in dict.fromkeys(numbers) if n in items]


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


def _asked(given: Mapping[str, str]) -> Asked:
    """How an address, or a form on the page, says that the inbox is looked at."""
    by, page = given.get("by", ""), whole(given.get("page"))
    return Asked(by if by in WAYS else "", given.get("q", "").strip()[:LONGEST], max(1, page))


def address(asked: Asked, **changes: Any) -> str:
    """The address of the inbox, looked at like this but for some changes."""
    asked = replace(asked, **({"page": 1} | changes) if changes else {})
    said: dict[str, Any] = {"by": asked.by, "q": asked.words, "page": asked.page if asked.page > 1 else ""}
    return url_for("inbox.show", **{name: value for name, value in said.items() if value})


def _page(notice: str = "") -> str:
    actor, asked = context.actor(), _asked(request.form if request.method == "POST" else request.args)
    found = queries.inbox(context.reading(), context.calendar(), context.now(), actor, asked)
    runs = bool(found.everything) or has_started(context.reading())
    return render_template(
        "inbox.html",
        inbox=found,
        asked=asked,
        ways=WAYS,
        at=lambda **changes: address(asked, **changes),
        notice=notice,
        verb=_verb,
        has_post=bool(actor.desks),
        watches=_watches(actor),
        begins=actor.has("coordinator") and not runs,
        many_units=found.has_many_units or _watches(actor),
        next_at=None if found.everything or not runs else context.reading().execute(_next_due).scalar_one_or_none(),
    )


def _watches(actor: Actor) -> bool:
    return actor.has("coordinator", "inspector", "leader")


def _verb(slip: queries.Slip) -> str:
    """What the one button of a slip says; two characters are set wide."""
    words = STEP_VERBS.get(slip.step, "查看")
    if slip.kind == "assignment":
        feedback = slip.role == "cooperating" and slip.state == State.REVIEWING
        words = "认可" if feedback else STATE_VERBS.get(State(slip.state), "查看")
        if slip.standing is not None and slip.standing.item.lifecycle == READING:
            words = "阅知"
    return "　".join(words) if len(words) == 2 else words
