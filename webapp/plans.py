"""方案: the plans in force, and one plan with its diagram lit by how its items stand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, url_for
from flask_login import login_required
from werkzeug.wrappers import Response as Redirect

from bpmn.drawing import retitled, veiled
from engine import published
from ledger.queries.changes import changes_of
from ledger.queries.figure_board import figures_of
from ledger.queries.overview import COLOURS, RunFacts, overview_of, pace_of
from ledger.queries.plans import diagram, item_count, item_ids, run_facts, titles_of, turns
from ledger.queries.standing import Standing, standings
from webapp import context, headers
from webapp.gantt import gantt
from webapp.home import ANSWER_FOR_OTHERS
from webapp.paging import number_of
from webapp.questions import LIGHT_WORDS

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
def show(run_id: int) -> str | Redirect:
    """One plan: cover, diagram, contents, Gantt chart, figures, rounds. A register has a page of its own."""
    connection = context.reading()
    facts = run_facts(connection, context.sight(), run_id)
    made = published.of_digest(connection, facts.digest)
    if made.plan.facts.intake:
        return redirect(url_for("intakes.index", kind=made.plan.facts.intake))
    headers.allow_diagram()
    stands = standings_of(facts)
    rounds = turns(connection, context.actor(), facts)
    return render_template(
        "plan.html",
        run=facts,
        cover=made.plan.facts,
        size=made.size,
        pace=pace_of(facts, context.now()),
        tally=tally_of(stands),
        sections=sections_of(stands),
        chart=gantt(stands, facts.period, context.now()),
        all_items=len(stands) if facts.is_whole else item_count(connection, run_id),
        seen=len(stands),
        figures=[f for f in figures_of(stands, context.sight()) if f.gauge.share is not None],
        recent=rounds[:RECENT_TURNS],
        older=rounds[RECENT_TURNS:],
        has_wall=context.actor().has(*ANSWER_FOR_OTHERS),
        **_words(),
    )


@bp.get("/plans/<int:run_id>/changes")
@login_required
def changes(run_id: int) -> str:
    """What has been changed of a plan since it was started."""
    connection, sight = context.reading(), context.sight()
    facts = run_facts(connection, sight, run_id)
    found = changes_of(connection, context.calendar(), context.now(), sight, facts, number_of("page"))
    return render_template("changes.html", run=facts, found=found)


@bp.get("/plans/<int:run_id>/diagram.bpmn")
@login_required
def drawing(run_id: int) -> Response:
    """The published diagram, its items under the titles that the ledger keeps; of items the person may not see only the
    number is left."""
    connection = context.reading()
    facts = run_facts(connection, context.sight(), run_id)
    xml = diagram(connection, facts.version_id)
    items = published.of_digest(connection, facts.digest).plan.items
    now = titles_of(connection, run_id)
    if other := {i.id: (i.no, now[i.id]) for i in items if now.get(i.id, i.title) != i.title}:
        xml = retitled(xml, other)
    if not facts.is_whole:
        numbers = {i.id: i.no for i in items}
        xml = veiled(xml, numbers, {s.item.element for s in standings_of(facts)})
    return Response(xml, mimetype="application/xml")


@bp.get("/plans/<int:run_id>/lights.json")
@login_required
def lights(run_id: int) -> Response:
    """Diagram element -> its light, its page and n/m, as plan.js shows them."""
    connection = context.reading()
    facts = run_facts(connection, context.sight(), run_id)
    stands = standings_of(facts)
    shown: dict[str, dict[str, str]] = {s.item.element: _lit(s) for s in stands}
    shown |= {s.element: {"nm": f"{s.done}/{len(s.items)}"} for s in sections_of(stands) if s.element}
    return jsonify(shown)


def _lit(s: Standing) -> dict[str, str]:
    word = s.light.word.split(" ")[0]
    count = {"nm": f"{s.done}/{s.total}"} if s.total > 1 else {}  # of one share the light says it all
    return count | {
        "colour": s.light.colour,
        "word": SHORT_WORDS.get(word, word),
        "shape": SHAPES[s.light.shape],
        "href": f"/items/{s.item.id}",
    }


# ---------------------------------------------------------------- what the templates show
def _words() -> dict[str, Any]:
    return {"light_words": LIGHT_WORDS, "colours": COLOURS}


def standings_of(facts: RunFacts) -> list[Standing]:
    """The items of a run that the person sees, in the order of the plan."""
    connection = context.reading()
    ids = item_ids(connection, context.sight(), facts)
    found = standings(connection, context.calendar(), context.now(), ids)
    return sorted(found.values(), key=lambda s: s.item.ord)


def tally_of(stands: Sequence[Standing]) -> dict[str, int]:
    """How many items there are of each light."""
    counted = Counter(str(s.light.colour) for s in stands)
    return {colour: counted.get(colour, 0) for colour in COLOURS}


def sections_of(stands: Sequence[Standing]) -> list[Section]:
    """The items under each heading, a 整改 with them; an item in a branch of its own stands under none."""
    grouped: dict[tuple[str | None, str], list[Standing]] = defaultdict(list)
    for s in stands:
        grouped[s.item.heading, s.item.heading_name].append(s)
    return [Section(element, name or "到期启动", items) for (element, name), items in grouped.items()]
