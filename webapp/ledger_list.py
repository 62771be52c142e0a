"""台账: every item a person may see, worst first, with filters that stay in the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, make_response, render_template, request
from flask_login import login_required
from werkzeug.datastructures import MultiDict

from ledger.queries import columns
from ledger.queries.ledger import SIZES, SORTS, Filters, heading_choices, ledger_page, unit_choices, without
from ledger.queries.overview import Overview, overview_of, pace_of
from ledger.queries.words import SHARE_WORDS, STATE_WORDS
from ledger.rules.verbs import State
from webapp import context
from webapp.guard import whole

bp = Blueprint("ledger", __name__)

LIGHT_WORDS = {
    "red": "逾期或严重滞后",
    "yellow": "滞后或临期",
    "green": "按序时推进",
    "grey": "未启动、未定时限",
    "blue": "已办结",
}
LIGHT_CHOICES = {"warn": "红灯和黄灯"} | LIGHT_WORDS
STATES = tuple(state.value for state in State if state is not State.WITHDRAWN)
DUE_CHOICES = {
    "late": "已逾期",
    "soon": "3 个工作日内到期",
    "week": "本周到期",
    "month": "本月到期",
    "none": "未定时限",
    "on_time": "按期办结",
    "extended": "延期内办结",
    "late_closed": "逾期办结",
}
SORT_WORDS = {"light": "灯、时限", "no": "序号", "due": "时限"}
LONGEST = 60


@bp.get("/ledger")
@login_required
def show() -> Response:
    """The table; of an answer to htmx the page takes its part and the address without empty filters."""
    now, calendar, sight = context.now(), context.calendar(), context.sight()
    asked = asked_for(request.args)
    seen = _overview()
    counts = {key: sum(tally.values()) for key, tally in seen.tallies().items()}
    runs = [r for r in seen.runs if counts[r.id]]
    chosen = next((r for r in runs if r.id == asked.run or (asked.run is None and len(runs) == 1)), None)
    page = render_template(
        "ledger.html",
        asked=asked,
        found=ledger_page(seen, sight, asked, now, calendar),
        runs=runs,
        chosen=chosen,
        chosen_items=counts[chosen.id] if chosen else 0,
        pace=pace_of(chosen, context.now()) if chosen else None,
        headings=heading_choices(context.reading(), sight, chosen) if chosen else [],
        columns=columns.chosen(asked.columns),
        all_columns=columns.COLUMNS,
        views=_views(asked),
        exported=urlencode(said(asked)),
        asked_fields=[(k, v) for k, v in said(asked).items() if k != "columns"],
        link=lambda **changes: address(without(asked, **changes)),
        sizes=SIZES,
        **_words(),
    )
    response = make_response(page)
    if request.headers.get("HX-Request"):
        response.headers["HX-Push-Url"] = address(asked)
    return response


@bp.get("/ledger/units")
@login_required
def units() -> str:
    """The names to choose from in the filter by unit, fetched when it is first entered: there may be thousands."""
    g.frameless = True
    return render_template("parts/units.html", units=unit_choices(_overview(), context.sight()))


def _overview() -> Overview:
    return overview_of(context.reading(), context.sight(), context.now(), context.calendar())


def _words() -> dict[str, Any]:
    return {
        "light_words": LIGHT_WORDS,
        "light_choices": LIGHT_CHOICES,
        "state_choices": {s: STATE_WORDS[s] for s in STATES},
        "due_choices": DUE_CHOICES,
        "role_choices": SHARE_WORDS,
        "sort_words": SORT_WORDS,
    }


def asked_for(args: MultiDict[str, str]) -> Filters:
    """The filters of an address; what is not understood is left out rather than refused."""
    size = whole(args.get("size"))
    # ticked in the list of columns in the order they have there, or named by the address
    wanted = columns.SEPARATOR.join(args.getlist("column")) or args.get("columns", "")
    return Filters(
        run=whole(args.get("run")) or None,
        heading=_text(args, "heading"),
        unit=_text(args, "unit"),
        role=_one_of(args, "role", SHARE_WORDS),
        light=_one_of(args, "light", LIGHT_CHOICES),
        state=_one_of(args, "state", STATES),
        due=_one_of(args, "due", DUE_CHOICES),
        words=_text(args, "words"),
        sort=_one_of(args, "sort", SORTS) or "light",
        page=max(1, whole(args.get("page"))),
        size=size if size in SIZES else SIZES[0],
        columns=columns.named(columns.chosen(wanted)),
    )


def filters_of(kept: Mapping[str, Any]) -> Filters:
    """Filters that were kept as they were asked."""
    return Filters(**{name: kept[name] for name in vars(Filters()) if name in kept})


def address(asked: Filters) -> str:
    """The address of the ledger with these filters; what says nothing is left out."""
    fields = said(asked)
    return f"/ledger?{urlencode(fields)}" if fields else "/ledger"


def said(asked: Filters) -> dict[str, Any]:
    """What these filters say; what says nothing is left out."""
    return {k: v for k, v in vars(asked).items() if v != _NOTHING_ASKED[k]}


_NOTHING_ASKED = vars(Filters())


def _text(args: Mapping[str, str], name: str) -> str:
    return args.get(name, "").strip()[:LONGEST]


def _one_of(args: Mapping[str, str], name: str, known: Any) -> str:
    value = args.get(name, "")
    return value if value in known else ""


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
    return [(words, address(view), view == without(asked)) for words, view in views.items()]
