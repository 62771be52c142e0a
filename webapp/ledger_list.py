"""台账: every item a person may see, worst first, with filters that stay in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from flask_login import login_required
from werkzeug.wrappers import Response as Answer

from ledger.directory import place_names
from ledger.queries import columns
from ledger.queries.ledger import (
    SIZES,
    Filters,
    days_of,
    heading_choices,
    ledger_page,
    runs_meant,
    unit_choices,
    without,
)
from ledger.queries.overview import Overview, RunFacts, overview_of, pace_of
from ledger.queries.words import SHARE_WORDS, STATE_WORDS
from ledger.views import views_of
from webapp import context
from webapp.questions import (
    DUE_CHOICES,
    LIGHT_CHOICES,
    LIGHT_WORDS,
    SORT_WORDS,
    STATES,
    TIMELINESS_CHOICES,
    address,
    asked_for,
    due_words,
    in_words,
    question_of,
    said,
)

bp = Blueprint("ledger", __name__)


@bp.get("/ledger")
@login_required
def show() -> Answer:
    """The table; of an answer to htmx the page takes its part and the address without empty filters. An address that
    asks nothing at all opens the person's default view."""
    now, calendar, sight = context.now(), context.calendar(), context.sight()
    kept = views_of(context.reading(), context.actor())
    if not request.args and (default := next((v for v in kept if v.is_default), None)):
        return redirect(url_for("views.show", number=default.id))
    seen = _overview()
    counts = {key: sum(tally.values()) for key, tally in seen.tallies().items()}
    runs = [r for r in seen.runs if counts[r.id]]
    asked = _settled(asked_for(request.args), runs)
    chosen = next((r for r in runs if r.id == asked.run or (asked.run is None and len(runs) == 1)), None)
    names = place_names(context.reading()) if asked.place or len({r.place for r in runs}) > 1 else {}
    page = render_template(
        "ledger.html",
        asked=asked,
        now=now,
        found=ledger_page(seen, sight, asked, now, calendar),
        runs=runs,
        chosen=chosen,
        chosen_items=counts[chosen.id] if chosen else 0,
        pace=pace_of(chosen, context.now()) if chosen else None,
        headings=heading_choices(context.reading(), sight, chosen) if chosen else [],
        columns=columns.chosen(asked.columns),
        all_columns=columns.COLUMNS,
        views=_views(asked),
        kept=kept,
        kept_now={v.id for v in kept if question_of(v.asked) == asked.question},
        everything=address(Filters()),
        offices=context.sight().names,
        exported=urlencode(said(asked)),
        question=in_words(replace(asked, columns=""), {r.id: r for r in runs}, names),
        place_choices={key: name for key, name in names.items() if key in {r.place for r in runs}},
        asked_fields=[(k, v) for k, v in said(asked).items() if k not in ("columns", "page", "after", "before")],
        link=lambda **changes: address(without(asked, **changes)),
        sizes=SIZES,
        **_words(asked),
    )
    response = make_response(page)
    if request.headers.get("HX-Request"):
        response.headers["HX-Push-Url"] = address(asked)
    return response


def _settled(asked: Filters, runs: Sequence[RunFacts]) -> Filters:
    """With the number of the plan in place of words that mean one alone; the name of the plan that was chosen before,
    which its field still says, asks for nothing else."""
    if not asked.plan:
        return asked
    if asked.run is not None and any(r.id == asked.run and r.short == asked.plan for r in runs):
        return replace(asked, plan="")
    meant = runs_meant(runs, replace(asked, run=None))
    return replace(asked, run=meant[0].id, plan="") if len(meant) == 1 else replace(asked, run=None)


@bp.get("/ledger/plans")
@login_required
def plans() -> str:
    """The plans to choose from, fetched when the filter is first entered: an inspector sees hundreds."""
    g.frameless = True
    names = {r.short: r.title for r in _overview().runs}
    return render_template("parts/plan-names.html", names=names)


@bp.get("/ledger/units")
@login_required
def units() -> str:
    """The names to choose from in the filter by unit, fetched when it is first entered: there may be thousands."""
    g.frameless = True
    return render_template("parts/units.html", units=unit_choices(_overview(), context.sight()))


def _overview() -> Overview:
    return overview_of(context.reading(), context.sight(), context.now(), context.calendar())


def _words(asked: Filters) -> dict[str, Any]:
    return {
        "light_words": LIGHT_WORDS,
        "light_choices": LIGHT_CHOICES,
        "state_choices": {s: STATE_WORDS[s] for s in STATES},
        "due_choices": DUE_CHOICES
        | ({} if asked.due in DUE_CHOICES or not asked.due else {asked.due: due_words(asked.due)}),
        "due_days": days_of(asked.due),
        "timeliness_choices": TIMELINESS_CHOICES,
        "role_choices": SHARE_WORDS,
        "sort_words": SORT_WORDS,
    }


def _views(asked: Filters) -> list[tuple[str, str, bool]]:
    """Questions often asked, as links: (words, address, whether it is the present one)."""
    questions: dict[str, dict[str, str]] = {
        "全部": {},
        "红黄灯": {"light": "warn"},
        "本月到期": {"due": "month"},
        "有人没签收": {"state": "acknowledging"},
        "待审核": {"state": "reviewing"},
        "退回补正": {"state": "returned"},
    }
    kept = Filters(run=asked.run, sort=asked.sort, size=asked.size, columns=asked.columns)
    views = {words: without(kept, **answers) for words, answers in questions.items()}
    return [(words, address(view), view == asked.question) for words, view in views.items()]
