"""指标总览: every figure of every plan a person sees something of, worst first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, url_for
from flask_login import login_required

from ledger.queries.figure_board import Asked, figure_board
from ledger.queries.overview import COLOURS
from webapp import context
from webapp.guard import whole
from webapp.paging import number_of
from webapp.questions import LONGEST

bp = Blueprint("figures", __name__)

# What a light says of a figure; `Figure.word` says it more closely where it is grey.
WORDS = {"red": "严重滞后", "yellow": "滞后", "green": "按序时推进", "grey": "不比序时", "blue": "已达到"}


@bp.get("/figures")
@login_required
def show() -> str:
    """The board, narrowed by plan, by the unit that fills them, and by light."""
    given = request.args
    light = given.get("light", "")
    asked = Asked(
        whole(given.get("run")) or None,
        given.get("plan", "").strip()[:LONGEST],
        given.get("unit", "").strip()[:LONGEST],
        light if light in COLOURS else "",
        number_of("page"),
    )
    found = figure_board(context.reading(), context.calendar(), context.now(), context.sight(), asked)
    return render_template(
        "figures.html",
        found=found,
        asked=asked,
        now=context.now(),
        plan=asked.plan or next((r.short for r in found.runs if r.id == asked.run), ""),
        colours=COLOURS,
        light_words=WORDS,
        link=lambda **changed: _link(asked, changed),
    )


def _link(asked: Asked, changed: Mapping[str, Any]) -> str:
    values: dict[str, Any] = {"run": asked.run, "plan": asked.plan, "unit": asked.unit, "light": asked.light, **changed}
    query = urlencode({k: v for k, v in values.items() if v})
    return url_for("figures.show") + (f"?{query}" if query else "")
