"""挂图作战: one plan on one wall. The page fetches itself anew every minute; warroom.js turns its boards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from flask import Blueprint, g, redirect, render_template, url_for
from flask_login import login_required
from werkzeug.wrappers import Response

from engine import published
from ledger.calendar import local_day
from ledger.errors import NotAllowed
from ledger.queries.changes import Week, week_of
from ledger.queries.figure_board import Figure, courses, figures_of, urgency
from ledger.queries.overview import COLOURS, pace_of
from ledger.queries.plans import run_facts
from ledger.queries.standing import Gauge, Standing
from ledger.queries.unit_ranks import unit_ranks
from ledger.rules.figures import Reading, share_of_target
from ledger.rules.lights import share_of_time
from webapp import context, headers
from webapp.boards import boards, chunks
from webapp.home import ANSWER_FOR_OTHERS
from webapp.plans import sections_of, standings_of, tally_of
from webapp.questions import LIGHT_NAMES, LIGHT_WORDS

bp = Blueprint("warroom", __name__)

PLOTS, RANKS, CHANGES = 4, 8, 6  # how many stand on one board, at the sizes of `warroom.css`


@dataclass(frozen=True)
class Point:
    """Where a figure stood on a day, in percent of its target, and where it was to stand (None: it has no date)."""

    day: date
    value: Decimal
    share: float
    pace: float | None


@dataclass(frozen=True)
class Plot:
    """A figure over the days of its plan, from its first one to the figure's last (None: it has no date)."""

    figure: Figure
    first: date
    points: Sequence[Point]


@dataclass(frozen=True)
class Change:
    """A line of what has changed: what befell an item, and which units."""

    kind: str
    item: Standing
    units: Sequence[str]


@bp.get("/plans/<int:run_id>/warroom")
@login_required
def show(run_id: int) -> str | Response:
    """The plan for a projector: read from five metres, no person's name on it."""
    connection, now, sight = context.reading(), context.now(), context.sight()
    facts = run_facts(connection, sight, run_id)
    if not context.actor().has(*ANSWER_FOR_OTHERS):
        raise NotAllowed("挂图作战由专班办、督查人员、领导和单位负责人打开。")
    made = published.of_digest(connection, facts.digest)
    if made.plan.facts.intake:
        return redirect(url_for("intakes.index", kind=made.plan.facts.intake))
    headers.allow_diagram()
    g.frameless = True
    stands = standings_of(facts)
    sections = sections_of(stands)
    ranks = unit_ranks(stands, sight, context.calendar(), now)
    week = week_of(connection, facts, stands, now)
    return render_template(
        "warroom.html",
        run=facts,
        now=now,
        pace=pace_of(facts, now),
        left=(facts.period[1] - local_day(now)).days if facts.period[1] else None,
        tally=tally_of(stands),
        sections=sections,
        task_boards=boards((s, s.items) for s in sections),
        plot_boards=chunks(_plots(stands, facts.period[0]), PLOTS),
        rank_boards=[
            (name, board)
            for name, lines in (("县(市、区)", ranks.counties), ("单位", ranks.others))
            for board in chunks(lines, RANKS)
        ],
        week=week,
        change_boards=chunks(_changes(week), CHANGES),
        colours=COLOURS,
        light_words=LIGHT_WORDS,
        light_names=LIGHT_NAMES,
    )


# ---------------------------------------------------------------- what the template shows
def _plots(stands: Sequence[Standing], first: date) -> list[Plot]:
    """Every figure that has a share to reach, worst first."""
    figures = sorted((f for f in figures_of(stands, context.sight()) if f.gauge.share is not None), key=urgency)
    grown = courses(context.reading(), [f.gauge for f in figures])
    today = local_day(context.now())
    return [Plot(f, first, points_of(f.gauge, grown[f.gauge.id], first, today)) for f in figures]


def points_of(gauge: Gauge, grown: Sequence[Reading], first: date, today: date) -> list[Point]:
    """A point for each day on which something was reported, and for today."""
    by_day = {local_day(r.at): r.value for r in grown} | {today: gauge.value or Decimal(0)}
    return [
        Point(day, value, _percent(share_of_target(value, gauge.target, gauge.op)), _pace_on(day, first, gauge.until))
        for day, value in sorted(by_day.items())
    ]


def _pace_on(day: date, first: date, last: date | None) -> float | None:
    return None if last is None else _percent(share_of_time(first, max(first, last), day))


def _percent(share: Fraction | None) -> float:
    return round(float(share or 0) * 100, 1)


def _changes(week: Week) -> list[Change]:
    """What stands on the boards of changes, the bad news first."""
    return [
        *(Change("late", s, ()) for s in week.late),
        *(Change("returned", s, units) for s, units in week.returned),
        *(Change("extended", s, units) for s, units in week.extended),
        *(Change("closed", s, ()) for s in week.closed),
    ]
