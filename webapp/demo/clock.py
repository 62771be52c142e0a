"""The clock control: the page writes a target, the scheduler moves business time to it, due instant by due instant."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request
from flask_login import login_required
from werkzeug.wrappers import Response as BaseResponse

from engine import clockwork
from ledger.calendar import local_day, moment
from ledger.clock import set_target, target_of
from webapp import context
from webapp.doors import local_path

bp = Blueprint("demo_clock", __name__)

# A day is looked at after its morning's mails have gone out.
MORNING = time(9, 30)


@bp.post("/demo/clock")
@login_required
def move() -> BaseResponse:
    target = _target(request.form.get("to", ""), context.now())
    if target is None:
        flash("后面没有别的事件了。")
    else:
        context.close_reading()
        with context.database().write(context.actor()) as tx:
            set_target(tx.connection, target)
    if request.headers.get("HX-Request"):
        return _fragment()
    return redirect(local_path(request.form.get("back", "")))


@bp.get("/demo/clock")
@login_required
def show() -> BaseResponse:
    """The control while the clock moves; once it has arrived, htmx fetches the whole page anew."""
    return _fragment()


def _target(to: str, now: datetime) -> datetime | None:
    today = local_day(now)
    match to:
        case "event":
            return clockwork.next_due(context.reading(), now)
        case "week":
            return moment(today + timedelta(days=7 - today.weekday()), MORNING)
        case _:
            return moment(today + timedelta(days=1), MORNING)


def _fragment() -> Response:
    demo_clock, back = target_of(context.reading()), local_path(request.values.get("back", ""))
    response = make_response(render_template("demo/clock.html", demo_clock=demo_clock, back=back))
    if demo_clock and demo_clock[0] >= demo_clock[1]:
        response.headers["HX-Redirect"] = back  # not a reload, which would send a refused form a second time
    return response
