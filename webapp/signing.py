"""批量审签: a signer looks through what waits for a signature, and signs what is ticked in one batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from flask import Blueprint, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy import select
from werkzeug.wrappers import Response

from engine import commands
from engine.desk import TodoRef
from ledger.errors import DubanError, NotEvery, NotFound
from ledger.queries.signing import applications
from ledger.queries.standing import standings
from ledger.schema import assignment, item, run
from ledger.visibility import visible
from webapp import context
from webapp.guard import whole
from webapp.inbox import all_visible

bp = Blueprint("signing", __name__)


@bp.get("/inbox/sign")
@login_required
def show() -> str:
    return _page()


@bp.post("/inbox/sign")
@login_required
def sign() -> Response | tuple[str, int]:
    """All that is ticked, or nothing; then each that stands in the way is told why."""
    ticked = request.form.getlist("todo")
    refs = [TodoRef(number, "sign", arm) for number, arm in map(_parsed, ticked) if number and arm]
    if not refs:
        return _page(notice="请先勾选要审签的申请。", ticked=()), 422
    try:
        context.perform(commands.sign_many, refs)
    except DubanError as error:
        context.close_reading()
        if not all_visible({ref.assignment_id for ref in refs}):
            raise NotFound("没有这项责任分工，或者它不在您的岗位可见的范围内。") from error
        if not isinstance(error, NotEvery):
            return _page(notice=str(error), ticked=ticked), 409
        wrong = {f"{ref.assignment_id}.{ref.arm}": words for ref, words in error.reasons.items()}
        return _page(notice=str(error), wrong=wrong, ticked=set(ticked) - set(wrong)), 409
    return redirect(url_for("signing.done", shares="-".join(str(ref.assignment_id) for ref in refs)))


@bp.get("/inbox/signed")
@login_required
def done() -> str:
    """The result: where each of them stands now."""
    numbers = [n for n in map(whole, request.args.get("shares", "").split("-")) if n][:500]
    found = select(assignment.c.id, assignment.c.item_id).select_from(
        assignment.join(item, item.c.id == assignment.c.item_id).join(run, run.c.id == item.c.run_id)
    )
    rows = context.reading().execute(visible(found.where(assignment.c.id.in_(numbers))), context.sight().binds).all()
    known = standings(context.reading(), context.calendar(), context.now(), {r.item_id for r in rows})
    parts = {p.id: (s, p) for s in known.values() for p in s.parts}
    return render_template("signed.html", lines=[parts[n] for n in numbers if n in {r.id for r in rows}])


def _parsed(words: str) -> tuple[int, int]:
    number, _, arm = words.partition(".")
    return whole(number), whole(arm)


def _page(*, notice: str = "", wrong: Mapping[str, str] | None = None, ticked: Collection[str] | None = None) -> str:
    """`ticked`: None ticks all. What was asked for and is gone stands above with why."""
    found = applications(context.reading(), context.calendar(), context.now(), context.actor())
    there = {a.ref for a in found}
    return render_template(
        "sign.html",
        found=found,
        notice=notice,
        wrong=wrong or {},
        gone=[words for ref, words in (wrong or {}).items() if ref not in there],
        ticked=there if ticked is None else ticked,
    )
