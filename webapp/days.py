"""工作日历: a year of days, its table, and what an administrator decides, looked through before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from hashlib import sha256
from io import BytesIO

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, send_file, url_for
from flask_login import login_required
from werkzeug.wrappers import Response as Answered

from engine import days as engine
from ledger.calendar import local_day, newest_published_year
from ledger.day_tables import decisions_table, read_decisions, year_table
from ledger.errors import DubanError, Invalid, NotAllowed
from ledger.queries.days import decisions as decided
from ledger.rules import days as rules
from ledger.rules.days import Decision, Kind
from ledger.rules.texts import as_seen
from ledger.tables import MOST_BYTES, TableError
from webapp import context, forms
from webapp.forms import Form

bp = Blueprint("days", __name__, url_prefix="/calendar")

Answer = Answered | str | tuple[str, int]
YEARS_BACK = 5
LINES = 20  # of what was decided
TURNS = 40  # of rounds that would move, shown one by one
WORDS = {"work": True, "off": False, "published": None}
CHOICES = [(key, rules.words_of(working)) for key, working in WORDS.items()]
UPLOAD = "table"


@bp.get("")
@login_required
def show() -> str:
    _require_administrator()
    return _page(Form("days"))


@bp.get("/<int:year>.csv")
@login_required
def table(year: int) -> Response:
    """The year as a table."""
    _require_administrator()
    if year not in _years():
        abort(404)
    text = "\ufeff" + year_table(context.calendar(), year)  # by its mark Excel knows UTF-8
    answer = send_file(BytesIO(text.encode()), "text/csv", as_attachment=True, download_name=f"工作日历{year}.csv")
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("")
@login_required
def decide() -> Answer:
    """Look decisions through, or make them."""
    _require_administrator()
    if engine.desk_for(context.reading(), context.actor()) is None:
        raise NotAllowed(engine.NOT_ALLOWED)
    form = Form("days", forms.typed(request.form))
    try:
        asked = _asked()
    except TableError as error:
        form.errors = {UPLOAD: "\n".join(error.faults)}
        return _page(form), 422
    except Invalid as error:
        form.errors = error.fields
        return _page(form), 422
    if request.form.get("act") != "confirm" or request.form.get("seen") != mark_of(asked):
        return _looked_through(form, asked)  # what was changed since it was looked through is looked through again
    try:
        done = context.perform(engine.decide_days, asked)
    except DubanError as error:
        context.close_reading()
        form = forms.refused("days", request.form, error)
        return _page(form, asked), 422 if isinstance(error, Invalid) else 409
    flash(f"已设定 {done} 天，有关提醒和期次已按新的日历安排。")
    return redirect(url_for("days.show", year=min(d.day for d in asked).year))


# ---------------------------------------------------------------- common to all
def _require_administrator() -> None:
    if not context.actor().has("administrator"):
        raise NotAllowed("只有管理员可以查看和设定工作日历。")


def _asked() -> list[Decision]:
    """What the form asks for: the days ticked and those from one day to another, or a table. Raises: TableError,
    Invalid."""
    file, ground = request.files.get(UPLOAD), forms.text("ground")
    if file and file.filename:
        name, content = as_seen(file.filename), file.stream.read(MOST_BYTES + 1)
    else:
        name, content = "表格", request.form.get("lines", "").encode()
    if content or (file and file.filename):
        found = read_decisions(name, content)
        return [Decision(d.day, d.working, d.ground or ground, d.line) for d in found]
    word = request.form.get("word", "")
    if word not in WORDS:
        raise Invalid({"word": "请选择上班、休息或按国家公布。"})
    return [Decision(day, WORDS[word], ground) for day in sorted(_ticked() | _span())]


def _ticked() -> set[date]:
    return {day for words in request.form.getlist("days") if (day := _day(words))}


def _span() -> set[date]:
    """The days from one to another. Raises: Invalid."""
    given = [request.form.get(name, "") for name in ("first", "last")]
    if not any(given):
        return set()
    first, last = (_day(words) for words in given)
    last = last if given[1] else first
    if first is None or last is None:
        raise Invalid({"first": "请填写起止日期；只有一天的，填起始日期即可。"})
    if not 0 <= (last - first).days <= rules.MOST_DAYS:
        raise Invalid({"first": "结束日期早于起始日期，请核对。" if last < first else "起止日期相隔太远，请分次设定。"})
    return {first + timedelta(days=n) for n in range((last - first).days + 1)}


def _day(words: str) -> date | None:
    try:
        return date.fromisoformat(words)
    except ValueError:
        return None


def mark_of(asked: Sequence[Decision]) -> str:
    """What tells decisions that were looked through from others."""
    return sha256(repr([(d.day, d.working) for d in asked]).encode()).hexdigest()


def _looked_through(form: Form, asked: Sequence[Decision]) -> tuple[str, int]:
    calendar, now = context.calendar(), context.now()
    looked = engine.look_through(calendar, now, asked)
    if looked.faults:
        form.errors = looked.faults
        return _page(form, asked), 422
    return _page(form, asked, engine.preview(context.reading(), calendar, now, looked), looked), 200


def _years() -> range:
    today = local_day(context.now())
    return range(today.year - YEARS_BACK, today.year + rules.YEARS_AHEAD + 1)


def _year(asked: Sequence[Decision]) -> int:
    years, today = _years(), local_day(context.now())
    given = str(min(d.day for d in asked).year) if asked else request.values.get("year", "")
    return int(given) if given.isdecimal() and len(given) == 4 and int(given) in years else today.year


def _page(
    form: Form,
    asked: Sequence[Decision] = (),
    preview: engine.Preview | None = None,
    looked: engine.Looked | None = None,
) -> str:
    calendar, today, years = context.calendar(), local_day(context.now()), _years()
    year = _year(asked)
    from_table = any(d.line for d in asked)
    return render_template(
        "calendar.html",
        year=year,
        before=year - 1 if year - 1 in years else None,
        after=year + 1 if year + 1 in years else None,
        today=today,
        months=[(lines, rules.notes_of(lines)) for lines in rules.months_of(calendar, year)],
        is_published=year <= newest_published_year(),
        kinds=list(Kind),
        decides=engine.desk_for(context.reading(), context.actor()) is not None,
        form=form,
        ticked=set() if from_table else _ticked(),
        lines=decisions_table(asked) if from_table else "",
        choices=CHOICES,
        preview=preview,
        days=rules.spans({d.day: d.working for d in looked.changed}) if looked else (),
        turns=TURNS,
        seen=mark_of(asked) if preview else "",
        decided=[(line, rules.spans(line.days)) for line in decided(context.reading(), LINES)],
    )
