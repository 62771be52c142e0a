"""视图: questions to the ledger kept under a name; opened, named anew, shared, made the one the ledger opens with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_required
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as Answer

from ledger import views
from ledger.directory import place_names
from ledger.errors import DubanError, NotAllowed, NotFound
from ledger.queries.ledger import Filters, heading_choices
from ledger.queries.overview import overview_of
from webapp import context
from webapp.forms import text
from webapp.questions import PARTS, address, asked_for, in_words, question_of

bp = Blueprint("views", __name__)


@bp.get("/ledger/views")
@login_required
def index() -> str:
    return _page()


@bp.post("/ledger/views")
@login_required
def keep() -> Answer | tuple[str, int]:
    """存为视图: what an address of the ledger asks."""
    asked = asked_for(MultiDict(parse_qsl(request.form.get("asked", ""), keep_blank_values=True))).question
    try:
        context.perform(views.keep, text("name"), asked, _shared(), as_default=request.form.get("default") == "1")
    except DubanError as error:
        return _refused(error)
    flash(f"视图“{text('name')}”已存。")
    return redirect(address(asked))


@bp.get("/ledger/views/<int:number>")
@login_required
def show(number: int) -> Answer:
    """Open a view: what it names and is not there any more, or not for this person, is left out and said."""
    found = views.view_of(context.reading(), context.actor(), number)
    asked, gone = _there(found.asked)
    if gone:
        flash(f"视图“{found.name}”里的{'、'.join(gone)}已经没有了，或者不在您的岗位可见的范围内；现按其余条件列出。")
    return redirect(address(asked))


@bp.post("/ledger/views/<int:number>")
@login_required
def rename(number: int) -> Answer | tuple[str, int]:
    try:
        context.perform(views.rename, number, text("name"), _shared())
    except DubanError as error:
        return _refused(error)
    flash("已保存。")
    return redirect(url_for("views.index"))


@bp.post("/ledger/views/<int:number>/default")
@login_required
def set_default(number: int) -> Answer:
    is_on = request.form.get("on") == "1"
    context.perform(views.set_default, number, on=is_on)
    flash("以后打开台账先看这个视图。" if is_on else "以后打开台账先看全部任务。")
    return redirect(url_for("views.index"))


@bp.post("/ledger/views/<int:number>/remove")
@login_required
def remove(number: int) -> Answer:
    context.perform(views.remove, number)
    flash("视图已删除。")
    return redirect(url_for("views.index"))


def _shared() -> str | None:
    return text("unit") or None


def _refused(error: DubanError) -> tuple[str, int]:
    if isinstance(error, NotFound | NotAllowed):
        raise error
    context.close_reading()
    return _page(str(error)), 422


def _page(notice: str = "") -> str:
    found = views.views_of(context.reading(), context.actor())
    runs = {r.id: r for r in overview_of(context.reading(), context.sight(), context.now(), context.calendar()).runs}
    places = place_names(context.reading())
    lines = [(v, in_words(question_of(v.asked), runs, places)) for v in found]
    offices = context.sight().names
    return render_template("views.html", lines=lines, notice=notice, offices=offices, longest=views.LONGEST)


def _there(kept: Mapping[str, object]) -> tuple[Filters, list[str]]:
    """(what can still be asked of what was kept, what of it is gone)."""
    asked = question_of(kept)
    gone = [words for part, words in PARTS.items() if kept.get(part) and str(kept[part]) != str(getattr(asked, part))]
    if asked.run is not None:
        seen = overview_of(context.reading(), context.sight(), context.now(), context.calendar())
        run = next((r for r in seen.runs if r.id == asked.run), None)
        if run is None:
            gone.append(PARTS["run"])
            asked = replace(asked, run=None, heading="")
        elif asked.heading and asked.heading not in heading_choices(context.reading(), context.sight(), run):
            gone.append(PARTS["heading"])
            asked = replace(asked, heading="")
    return asked, list(dict.fromkeys(gone))
