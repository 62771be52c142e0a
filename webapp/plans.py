"""方案: the plans in force, and one plan with its diagram lit by how its items stand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, render_template
from flask_login import login_required

from bpmn.drawing import veiled
from engine import published
from ledger.queries.ledger import closed_book
from ledger.queries.overview import COLOURS, RunFacts, overview_of, pace_of
from ledger.queries.plans import diagram, item_count, item_ids, run_facts, turns
from ledger.queries.standing import Gauge, Standing, standings
from ledger.rules.lights import LightRules
from webapp import context, headers
from webapp.ledger_list import LIGHT_WORDS

bp = Blueprint("plans", __name__)

SHAPES = {"diamond": "◆", "triangle": "▲", "circle": "●", "ring": "○", "bars": "‖", "check": "☑"}
SHORT_WORDS = {"按序时推进": "按序时"}
RECENT_TURNS = 8


@dataclass(frozen=True)
class Section:
    """A heading with the items of it that the person may see, in the order of the plan."""

    element: str | None
    name: str
    items: Sequence[Standing]

    @property
    def done(self) -> int:
        return sum(s.item.state == "closed" for s in self.items)


@dataclass(frozen=True)
class Figure:
    """An indicator on the board of figures, coloured as its own pace is, with the item it belongs to."""

    gauge: Gauge
    item_id: int
    colour: str


@bp.get("/plans")
@login_required
def index() -> str:
    """The plans this person sees something of, each with its lights."""
    now = context.now()
    seen = overview_of(context.reading(), context.sight(), now, context.calendar())
    return render_template(
        "plans.html",
        writes=context.actor().has("coordinator"),
        runs=seen.runs,
        tallies=seen.tallies(),
        paces={f.id: pace_of(f, now) for f in seen.runs},
        **_words(),
    )


@bp.get("/plans/<int:run_id>")
@login_required
def show(run_id: int) -> str:
    """One plan: cover, diagram, contents, figures, rounds."""
    headers.allow_diagram()
    connection = context.reading()
    facts = run_facts(connection, context.sight(), run_id)
    stands = _standings(facts)
    rounds = turns(connection, context.actor(), facts)
    made = published.of_digest(connection, facts.digest)
    return render_template(
        "plan.html",
        run=facts,
        cover=made.plan.facts,
        size=made.size,
        pace=pace_of(facts, context.now()),
        tally=_tally(stands),
        sections=_sections(stands),
        all_items=len(stands) if facts.is_whole else item_count(connection, run_id),
        seen=len(stands),
        figures=_figures(stands),
        recent=rounds[:RECENT_TURNS],
        older=rounds[RECENT_TURNS:],
        **_words(),
    )


@bp.get("/plans/<int:run_id>/diagram.bpmn")
@login_required
def drawing(run_id: int) -> Response:
    """The published diagram; of items the person may not see only the number is left."""
    connection = context.reading()
    facts = run_facts(connection, context.sight(), run_id)
    xml = diagram(connection, facts.version_id)
    if not facts.is_whole:
        numbers = {i.id: i.no for i in published.of_digest(connection, facts.digest).plan.items}
        xml = veiled(xml, numbers, {s.item.element for s in _standings(facts)})
    return Response(xml, mimetype="application/xml")


@bp.get("/plans/<int:run_id>/lights.json")
@login_required
def lights(run_id: int) -> Response:
    """Diagram element -> its light, its page and n/m, as plan.js shows them."""
    connection = context.reading()
    facts = run_facts(connection, context.sight(), run_id)
    stands = _standings(facts)
    shown: dict[str, dict[str, str]] = {s.item.element: _lit(s) for s in stands}
    shown |= {s.element: {"nm": f"{s.done}/{len(s.items)}"} for s in _sections(stands) if s.element}
    return jsonify(shown)


def _lit(s: Standing) -> dict[str, str]:
    word = s.light.word.split(" ")[0]
    return {
        "colour": s.light.colour,
        "word": SHORT_WORDS.get(word, word),
        "shape": SHAPES[s.light.shape],
        "href": f"/items/{s.item.id}",
    }


# ---------------------------------------------------------------- what the templates show
def _words() -> dict[str, Any]:
    return {"light_words": LIGHT_WORDS, "colours": COLOURS}


def _standings(facts: RunFacts) -> list[Standing]:
    connection = context.reading()
    ids = item_ids(connection, context.sight(), facts)
    found = standings(connection, context.calendar(), context.now(), ids)
    return sorted(found.values(), key=lambda s: s.item.ord)


def _tally(stands: Sequence[Standing]) -> dict[str, int]:
    counted = Counter(str(s.light.colour) for s in stands)
    return {colour: counted.get(colour, 0) for colour in COLOURS}


def _sections(stands: Sequence[Standing]) -> list[Section]:
    """The items under each heading, a 整改 with them; an item in a branch of its own stands under none."""
    grouped: dict[tuple[str | None, str], list[Standing]] = defaultdict(list)
    for s in stands:
        grouped[s.item.heading, s.item.heading_name].append(s)
    return [Section(element, name or "到期启动", items) for (element, name), items in grouped.items()]


def _figures(stands: Sequence[Standing]) -> list[Figure]:
    """The figures to reach, for the items whose reports the person may read."""
    return [
        Figure(g, s.item.id, _gauge_colour(g, s))
        for s in stands
        if s.gauges and not closed_book(s, context.sight())
        for g in s.gauges
        if g.share is not None
    ]


def _gauge_colour(gauge: Gauge, s: Standing) -> str:
    """By the same thresholds as a light, for this figure alone; what has no date is not judged by the plan's."""
    rules = LightRules()
    if gauge.share is None or s.item.opened_at is None:
        return "grey"
    if gauge.share >= 100:
        return "blue"
    if not gauge.pace or s.due_at is None:
        return "grey"
    ratio = gauge.share / gauge.pace
    if gauge.pace <= float(rules.quiet_share) * 100 or ratio >= float(rules.yellow_below):
        return "green"
    return "yellow" if ratio >= float(rules.red_below) else "red"
