"""批量审签: a signer looks through what waits for a signature, and signs what is ticked in one batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from flask import Blueprint, redirect, render_template, request, url_for
from flask_login import login_required
from werkzeug.wrappers import Response

from engine import commands
from engine.desk import TodoRef
from ledger.errors import DubanError, NotEvery, NotFound
from ledger.queries.signing import applications
from webapp import context, forms
from webapp.guard import whole
from webapp.inbox import all_visible, shares_of
from webapp.items import goes_on, looked_at

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
    refs = [ref for ref in map(_parsed, ticked) if ref.assignment_id and ref.arm]
    if not refs:
        return _page(notice="请先勾选要审签的申请。", ticked=()), 422
    try:
        context.perform(commands.sign_many, refs, seen=_seen(refs))
    except DubanError as error:
        context.close_reading()
        if not all_visible({ref.assignment_id for ref in refs}):
            raise NotFound("没有这项责任分工，或者它不在您的岗位可见的范围内。") from error
        if not isinstance(error, NotEvery):
            return _page(notice=str(error), ticked=ticked), 409
        wrong = {f"{ref.assignment_id}.{ref.step}.{ref.arm}": words for ref, words in error.reasons.items()}
        return _page(notice=str(error), wrong=wrong, ticked=set(ticked) - set(wrong)), 409
    return redirect(url_for("signing.done", shares="-".join(str(ref.assignment_id) for ref in refs)))


@bp.get("/inbox/signed")
@login_required
def done() -> str:
    """The result: where each of them stands now."""
    numbers = [n for n in map(whole, request.args.get("shares", "").split("-")) if n][:500]
    return render_template("signed.html", lines=shares_of(numbers))


def _parsed(words: str) -> TodoRef:
    """12.sign.1; zeros for what is none."""
    number, _, rest = words.partition(".")
    step, _, arm = rest.rpartition(".")
    return TodoRef(whole(number), step[:40], whole(arm))


def _seen(refs: Sequence[TodoRef]) -> dict[int, dict[int, Decimal]]:
    """The figures that stood on the page beside what was ticked."""
    return {
        ref.assignment_id: forms.figures_seen(request.form[name])
        for ref in refs
        if (name := f"seen-{ref.assignment_id}") in request.form
    }


def _page(*, notice: str = "", wrong: Mapping[str, str] | None = None, ticked: Collection[str] | None = None) -> str:
    """`ticked`: None ticks all. What was asked for and is gone stands above with why."""
    found = applications(context.reading(), context.calendar(), context.now(), context.actor())
    there = {a.ref for a in found}
    shown = render_template(
        "sign.html",
        found=found,
        notice=notice,
        wrong=wrong or {},
        gone=[words for ref, words in (wrong or {}).items() if ref not in there],
        ticked=there if ticked is None else ticked,
        leave_unit=not any(goes_on(a.standing, a.part, a.step) for a in found),
    )
    looked_at([a.assignment_id for a in found])
    return shown
