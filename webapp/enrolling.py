"""开通账号: for administrators, one person by a form or many by a table; the passwords that are made are shown once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO

from flask import Blueprint, Response, make_response, render_template, request, send_file, url_for
from flask_login import login_required
from werkzeug.wrappers import Response as Answer

from engine import enrolling as engine
from engine.directory import place_of
from engine.enrolling import Enrolment
from ledger.directory import account_faults, known_units
from ledger.errors import DubanError, Invalid, NotAllowed, NotEvery
from ledger.queries import accounts as queries
from ledger.queries.words import ROLE_WORDS
from ledger.tables import TableError, blank_table, said_of
from webapp import context, forms
from webapp.forms import Form
from webapp.installing import passwords_for
from webapp.people_file import COLUMNS, people_of

bp = Blueprint("enrolling", __name__, url_prefix="/people")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILE = "table"


@bp.get("/new")
@login_required
def show() -> str:
    """`unit` in the address: where somebody is wanted."""
    return _page(Form("enrol", {"unit": request.args.get("unit", "")}))


@bp.post("/new")
@login_required
def one() -> Answer:
    """One person, with a first post."""
    _require()
    given = Enrolment(*(forms.text(name) for name in ("login", "name", "email", "unit", "role")))
    faults = account_faults(given.login, given.name, given.email)
    if not given.unit:
        faults["unit"] = "请选择单位。"
    if given.role not in ROLE_WORDS:
        faults["role"] = "请选择岗位。"
    try:
        if faults:
            raise Invalid(faults)
        return _enrol([given], lambda reasons: list(reasons.values()))
    except TableError as error:
        context.close_reading()
        return make_response(_page(Form("enrol", forms.typed(request.form), notice=str(error))), 409)
    except DubanError as error:
        context.close_reading()
        status = 422 if isinstance(error, Invalid) else 409
        return make_response(_page(forms.refused("enrol", request.form, error)), status)


@bp.post("/import")
@login_required
def many() -> Answer:
    """导入人员表: all lines, or none and what is wrong with each."""
    _require()
    try:
        name, content = taken(FILE)
        known = known_units(context.reading(), place_of(context.reading(), context.actor()))
        people, numbers = people_of(name, content, known)
        if not people:
            raise TableError(["表里没有人员，请在第一行标题下面逐行填写。"])
        return _enrol(people, lambda reasons: said_of(reasons, numbers))
    except TableError as error:
        context.close_reading()
        return make_response(_page(Form("enrol"), error.faults), 422)
    except DubanError as error:
        context.close_reading()
        return make_response(_page(Form("enrol"), [str(error)]), 409)


@bp.get("/template.xlsx")
@login_required
def template() -> Response:
    """人员表 to be filled in, with the units and posts there are."""
    _require()
    units = [short for _, short in queries.unit_choices(context.reading(), context.actor())]
    choices = {"unit": units, "role": list(ROLE_WORDS.values())}
    return sheet("人员表", blank_table("人员", [c for c in COLUMNS if c.required], choices))


# ---------------------------------------------------------------- common to all
def taken(field: str) -> tuple[str, bytes]:
    """The name and the bytes of the table that came with a form. Raises: TableError."""
    file = request.files.get(field)
    if file is None or not file.filename:
        raise TableError(["请选择要导入的文件（.xlsx 或 .csv）。"])
    return file.filename, file.read()


def sheet(name: str, content: bytes) -> Response:
    """A workbook to be kept under a name."""
    return send_file(BytesIO(content), XLSX, as_attachment=True, download_name=f"{name}.xlsx")


def _require() -> None:
    if not context.actor().has("administrator"):
        raise NotAllowed("只有管理员可以开通账号。")


def _enrol(people: Sequence[Enrolment], said: Callable[[dict[int, str]], list[str]]) -> Answer:
    """Raises: TableError with what is wrong, DubanError."""
    context.close_reading()  # no view is kept open while passwords are hashed
    made, hashes = passwords_for(people)
    try:
        done = context.perform(engine.enrol, people, hashes)
    except NotEvery as error:
        raise TableError(said(error.reasons)) from None
    units = dict(queries.unit_choices(context.reading(), context.actor()))
    first = {one.login: one for one in reversed(people)}
    page = render_template(
        "enrolled.html",
        lines=[(first[login], units[first[login].unit], made.get(login)) for login in done.accounts],
        posts=done.posts,
        address=context.settings().base_url,
        words=ROLE_WORDS,
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(form: Form, faults: Sequence[str] = ()) -> str:
    _require()
    return render_template(
        "enrol.html",
        form=form,
        faults=faults,
        units=queries.unit_choices(context.reading(), context.actor()),
        roles=list(ROLE_WORDS.items()),
        columns=[c.heading for c in COLUMNS if c.required],
        template=url_for("enrolling.template"),
    )
