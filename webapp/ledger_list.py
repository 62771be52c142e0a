"""台账: every item a person may see, worst first, with filters that stay in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_login import login_required

from ledger.calendar import local_day
from ledger.queries.ledger import (
    SIZES,
    SORTS,
    Filters,
    RunChoice,
    heading_choices,
    ledger_page,
    run_choices,
    unit_choices,
    without,
)  # fmt: skip
from ledger.queries.words import SHARE_WORDS, STATE_WORDS
from ledger.rules.lights import share_of_time
from webapp import context

bp = Blueprint("ledger", __name__)

LIGHT_WORDS = {
    "red": "逾期或严重滞后",
    "yellow": "滞后或临期",
    "green": "按序时推进",
    "grey": "未启动、未定时限",
    "blue": "已办结",
}
LIGHT_CHOICES = {"warn": "红灯和黄灯"} | LIGHT_WORDS
STATES = ("pending", "acknowledging", "working", "signing", "reviewing", "returned", "closed")
DUE_CHOICES = {
    "late": "已逾期",
    "soon": "3 个工作日内到期",
    "week": "本周到期",
    "month": "本月到期",
    "none": "未定时限",
}
SORT_WORDS = {"light": "灯、时限", "no": "序号", "due": "时限"}
LONGEST = 60


@bp.get("/ledger")
@login_required
def show() -> Response:
    """The table; of an answer to htmx the page takes its part and the address without empty filters."""
    connection, actor, now, calendar = context.reading(), context.actor(), context.now(), context.calendar()
    asked = asked_for(request.args)
    runs = run_choices(connection, actor)
    chosen = next((r for r in runs if r.id == asked.run or (asked.run is None and len(runs) == 1)), None)
    page = render_template(
        "ledger.html",
        asked=asked,
        found=ledger_page(connection, actor, asked, now, calendar),
        runs=runs,
        chosen=chosen,
        pace=_pace(chosen) if chosen else None,
        headings=heading_choices(connection, actor, asked.run),
        units=unit_choices(connection, actor),
        views=_views(asked),
        link=lambda **changes: address(without(asked, **changes)),
        sizes=SIZES,
        **_words(),
    )
    response = make_response(page)
    if request.headers.get("HX-Request"):
        response.headers["HX-Push-Url"] = address(asked)
    return response


def _words() -> dict[str, Any]:
    return {
        "light_words": LIGHT_WORDS,
        "light_choices": LIGHT_CHOICES,
        "state_choices": {s: STATE_WORDS[s] for s in STATES},
        "due_choices": DUE_CHOICES,
        "role_choices": SHARE_WORDS,
        "sort_words": SORT_WORDS,
    }


def asked_for(args: Mapping[str, str]) -> Filters:
    """The filters of an address; what is not understood is left out rather than refused."""
    size = _number(args.get("size"), SIZES[0])
    return Filters(
        run=_number(args.get("run"), 0) or None,
        heading=_text(args, "heading"),
        unit=_text(args, "unit"),
        role=_one_of(args, "role", SHARE_WORDS),
        light=_one_of(args, "light", LIGHT_CHOICES),
        state=_one_of(args, "state", STATES),
        due=_one_of(args, "due", DUE_CHOICES),
        words=_text(args, "words"),
        sort=_one_of(args, "sort", SORTS) or "light",
        page=max(1, _number(args.get("page"), 1)),
        size=size if size in SIZES else SIZES[0],
    )


def address(asked: Filters) -> str:
    """The address of the ledger with these filters; what says nothing is left out."""
    plain = asdict(Filters())
    return url_for("ledger.show", **{k: v for k, v in asdict(asked).items() if v != plain[k]})


def _text(args: Mapping[str, str], name: str) -> str:
    return args.get(name, "").strip()[:LONGEST]


def _one_of(args: Mapping[str, str], name: str, known: Any) -> str:
    value = args.get(name, "")
    return value if value in known else ""


def _number(value: str | None, otherwise: int) -> int:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 10 else otherwise


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
    kept = Filters(run=asked.run, sort=asked.sort, size=asked.size)
    views = {words: without(kept, **answers) for words, answers in questions.items()}
    return [(words, address(view), view == without(asked)) for words, view in views.items()]


def _pace(chosen: RunChoice) -> tuple[float, int, int]:
    """(share of the plan's time in percent, days gone, all days)."""
    first, last = chosen.period
    share = share_of_time(first, last, local_day(context.now()))
    days = (last - first).days + 1
    return round(float(share) * 100, 1), int(share * days), days
