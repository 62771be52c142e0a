"""期次报送: one form for everything a unit is asked in a round; what has not changed is already filled in."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_required
from werkzeug.wrappers import Response

from engine import commands
from engine.desk import Entry
from ledger.errors import DubanError, Invalid, NotFound, Questions
from ledger.queries.rounds import Asked, RoundReport, owed, round_report
from ledger.queries.standing import words_left
from ledger.rules.texts import number_words
from webapp import context, forms
from webapp.drafts import forgetting, restored
from webapp.forms import Form
from webapp.home import ANSWER_FOR_OTHERS

bp = Blueprint("rounds", __name__)


@bp.get("/rounds")
@login_required
def choose() -> str:
    """Every report that is owed, where there are several."""
    found = owed(context.reading(), context.actor())
    left = {r.id: words_left(r.due_at, context.calendar(), context.now()) for r in found}
    return render_template(
        "rounds.html", found=found, left=left, answers_for_others=context.actor().has(*ANSWER_FOR_OTHERS)
    )


@bp.get("/rounds/<int:share_id>")
@login_required
def show(share_id: int) -> str:
    return _page(share_id)


@bp.post("/rounds/<int:share_id>")
@login_required
def report(share_id: int) -> Response | tuple[str, int]:
    found = _report(share_id)
    return _hand_in(share_id, found, nothing_new=request.form.get("act") == "nothing-new")


@bp.post("/rounds/<int:share_id>/nothing-new")
@login_required
def nothing_new(share_id: int) -> Response | tuple[str, int]:
    """本期无新进展 in one tap, from the inbox or the report."""
    return _hand_in(share_id, _report(share_id), nothing_new=True)


def _hand_in(share_id: int, found: RoundReport, *, nothing_new: bool) -> Response | tuple[str, int]:
    key = f"round-{share_id}"
    try:
        entries = {} if nothing_new else _entries(found)
        kept = nothing_new or (not entries and _all_kept(found))
        confirmed = request.form.get("confirmed") == "1"
        command = forgetting(key, commands.report_round)
        context.perform(command, share_id, entries, nothing_new=kept, confirmed=confirmed)
    except NotFound:
        raise
    except DubanError as error:
        context.close_reading()
        form = forms.refused(key, request.form, error)
        return _page(share_id, form), 422 if isinstance(error, Invalid | Questions) else 409
    said = "本期无新进展" if kept else f"{len(entries)} 项有变化"
    flash(f"已报送第{found.share.n}期{found.share.name}：{said}。")
    return redirect(url_for("inbox.show"))


def _report(share_id: int) -> RoundReport:
    return round_report(context.reading(), context.calendar(), context.now(), context.actor(), share_id)


def _entries(found: RoundReport) -> dict[int, Entry]:
    """What differs from the last report, by assignment; a value that was kept is not said again. Raises: Invalid."""
    entries, wrong = {}, {}
    for asked in found.asked:
        try:
            entry = _entry(asked)
        except Invalid as error:
            wrong.update(error.fields)
            continue
        if not entry.is_empty:
            entries[asked.part.id] = entry
    if wrong:
        raise Invalid(wrong)
    return entries


def _entry(asked: Asked) -> Entry:
    typed = forms.figures(request.form, {g.id: g.measure for g in asked.standing.gauges}, f"-{asked.part.id}")
    last = _last(asked)
    changed = {i: value for i, value in typed.items() if value != last.get(i)}
    progress, problem = (forms.text(f"{name}-{asked.part.id}") for name in ("progress", "problem"))
    return Entry(changed, progress, problem)


def _all_kept(found: RoundReport) -> bool:
    """Every figure that was asked stands as it was: there is no new progress, whichever button was pressed."""
    figures = [(a, g.id) for a in found.asked if a.may_report for g in a.standing.gauges]
    return bool(figures) and all(i in a.part.figures for a, i in figures)


def _last(asked: Asked) -> Mapping[int, Decimal]:
    return {i: r.value for i, r in asked.part.figures.items()}


def _page(share_id: int, failed: Form | None = None) -> str:
    found = _report(share_id)
    form = failed or restored([f"round-{share_id}"])[f"round-{share_id}"]
    last = {
        f"figure-{i}-{a.part.id}": number_words(r.value).replace(",", "")
        for a in found.asked
        for i, r in a.part.figures.items()
    }
    # What the lower units have come to is proposed, as the last report is.
    summed = {
        f"figure-{g.id}-{a.part.id}": number_words(value).replace(",", "")
        for a in found.asked
        for g in a.standing.gauges
        if (value := a.standing.summed_up(a.part.id, g)) is not None
    }
    form.values = {**last, **summed, **form.values}
    left = words_left(found.share.due_at, context.calendar(), context.now())
    return render_template(
        "report.html", report=found, share=found.share, form=form, last=last, left=left, headings=_headings(found)
    )


def _headings(found: RoundReport) -> list[tuple[str, list[Asked]]]:
    """The items under the headings of their plan, in its order."""
    headings: dict[str, list[Asked]] = {}
    for asked in found.asked:
        headings.setdefault(asked.standing.item.heading_name or asked.standing.item.plan_short, []).append(asked)
    return list(headings.items())
