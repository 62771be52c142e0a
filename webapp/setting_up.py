"""初始设置: from an empty installation to the first running plan.

Without an administrator whoever has the code that `duban init` printed fills the directory and becomes the first one;
the code ends with that. From then on the page shows what is still to be done.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import Connection, func, select
from werkzeug.wrappers import Response as Answer

from bpmn.library import plan_keys, plan_xml
from bpmn.reading import read_plan
from engine import opening
from engine.directory import first_directory
from engine.drafting import require_ready
from engine.mail.rendering import address_of
from ledger import organisation
from ledger.database import Database, Tx
from ledger.directory import (
    account_faults,
    known_units,
    name_fault,
    place_name,
    register_person,
    register_units,
    take_post,
)
from ledger.errors import DubanError, Invalid, NotAllowed, NotEvery, NotFound, Refused
from ledger.pinyin import spelt
from ledger.queries.home import has_started
from ledger.rules import passwords as rules
from ledger.rules.verbs import Role
from ledger.schema import jurisdiction, person, post, unit
from ledger.tables import TableError, said_of
from webapp import accounts, context, forms, hashing
from webapp.enrolling import FILE, sheet, taken
from webapp.forms import Form
from webapp.health import is_ticking
from webapp.installing import has_administrator, only_place
from webapp.passwords import faults_of as password_faults
from webapp.passwords import known_words
from webapp.settings import Settings
from webapp.start_check import StartCheck, start_check
from webapp.unit_directory import blank_units
from webapp.units_file import COLUMNS, units_of

bp = Blueprint("setting_up", __name__, url_prefix="/setup")

HOURS = 24
_SALT = "duban-setup"
_KEY = re.compile(r"[a-z][a-z0-9-]{1,30}")


# ---------------------------------------------------------------- the code
def address(settings: Settings, db: Database) -> str | None:
    """Where the first administrator sets things up; None where there is one."""
    with db.read() as connection:
        if has_administrator(connection):
            return None
    code = _codes(settings).dumps("setup")
    return address_of(settings.base_url, f"/setup?code={code}")


def _codes(settings: Settings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.secret_key.get_secret_value(), salt=_SALT)


def _code() -> str:
    """The code of the request, while there is no administrator. Raises: NotAllowed, NotFound."""
    if has_administrator(context.reading()):
        raise NotFound("初始设置已经完成。请用管理员账号登录，其余设置在“初始设置”页面。")
    code = request.values.get("code", "")
    try:
        _codes(context.settings()).loads(code, max_age=HOURS * 3600)
    except BadData:
        raise NotAllowed(
            f"还没有管理员。请在服务器上运行 duban init，用它给出的网址进入（{HOURS} 小时内有效）。"
        ) from None
    return code


# ---------------------------------------------------------------- pages
@bp.get("")
def show() -> Answer:
    """The first step that is not done: directory, administrator; then what else there is to do."""
    if has_administrator(context.reading()):
        return make_response(_checklist()) if current_user.is_authenticated else redirect(url_for("accounts.login"))
    return make_response(_step(_code(), Form("setup")))


@bp.get("/units.xlsx")
def template() -> Answer:
    """单位表 to be filled in, before there is anybody to log in."""
    return sheet("单位表", blank_units())


@bp.post("/directory")
def directory() -> Answer:
    """单位目录: a shipped one, or a table."""
    code = _code()
    if _place():
        return redirect(url_for("setting_up.show", code=code))
    try:
        if key := forms.text("shipped"):
            _fill_shipped(key)
        else:
            _fill_from_table(forms.text("name"))
    except TableError as error:
        context.close_reading()
        return make_response(_step(code, Form("setup", forms.typed(request.form)), error.faults), 422)
    except DubanError as error:
        context.close_reading()
        return make_response(_step(code, forms.refused("setup", request.form, error)), 422)
    return redirect(url_for("setting_up.show", code=code))


@bp.post("/administrator")
def administrator() -> Answer:
    """The first administrator, who is logged in then."""
    code = _code()
    login, name, email, unit_key = (forms.text(field) for field in ("login", "name", "email", "unit"))
    new, again = (request.form.get(field, "") for field in ("new_password", "password_again"))
    faults = account_faults(login, name, email)
    chosen = _unit(unit_key)
    if chosen is None:
        faults["unit"] = "请选择您所在的单位。"
    faults |= password_faults(new, again, known_words(login, name, email, [chosen] if chosen else []))
    if faults:
        context.close_reading()
        return make_response(_step(code, Form("setup", forms.typed(request.form), faults)), 422)
    password_hash = hashing.hashed(new)
    context.close_reading()
    with context.database().write() as tx:
        if has_administrator(tx.connection):
            raise NotFound("刚刚已有人完成这一步，请用管理员账号登录。")
        person_id = register_person(tx, login=login, name=name, email=email, password_hash=password_hash)
        take_post(tx, person_id, unit_key, Role.ADMINISTRATOR)
    accounts.begin(person_id, login, 0)
    flash("管理员账号已建立，您已登录。")
    return redirect(url_for("setting_up.show"))


@bp.post("/plan")
@login_required
def plan() -> Answer:
    """启动第一份方案 of the library, by the administrator, who has seen what it would meet (`seen`: of this plan)."""
    _require_administrator()
    key = forms.text("plan")
    if key not in _library(context.reading()):
        raise Invalid({"plan": "方案库里没有这份方案。"})
    if has_started(context.reading()):
        raise Refused(_STARTED)
    check = start_check(read_plan(plan_xml(key)))
    if not check.is_clean and forms.text("seen") != key:
        return make_response(_checklist(Form("start", {"plan": key}), check))
    try:
        run_id = context.perform(_start_first, plan_xml(key), knowing=request.form.get("knowing") == "1")
    except Invalid as error:
        context.close_reading()
        return make_response(_checklist(forms.refused("start", request.form, error), check), 422)
    flash("方案已启动，任务已交办。")
    return redirect(url_for("plans.show", run_id=run_id))


_STARTED = "已经有方案在实施，以后的方案由专班办在“方案”页面发布和启动。"


def _start_first(tx: Tx, xml: bytes, *, knowing: bool) -> int:
    """Raises: Refused where a plan has been started before, or cannot be; Invalid as `require_ready`."""
    tx.desk = tx.actor.first(Role.ADMINISTRATOR)
    if has_started(tx.connection):
        raise Refused(_STARTED)
    require_ready(tx, read_plan(xml), knowing=knowing)
    return opening.start_run(tx, opening.publish(tx, xml))


# ---------------------------------------------------------------- what is filled in
def _fill_shipped(key: str) -> None:
    if key not in organisation.shipped():
        raise Invalid({"shipped": "请选择一个单位目录。"})
    context.close_reading()
    with context.database().write() as tx:
        register_units(tx, organisation.load(key))


def _fill_from_table(name: str) -> None:
    """Raises: TableError, Invalid."""
    if fault := name_fault(name, 40, "行政区名称"):
        raise Invalid({"name": fault})
    rows, numbers = units_of(*taken(FILE))
    if not rows:
        raise TableError(["表里没有单位，请在第一行标题下面逐行填写。"])
    context.close_reading()
    try:
        with context.database().write() as tx:
            first_directory(tx, key_of(name), name, rows)
    except NotEvery as error:
        raise TableError(said_of(error.reasons, numbers)) from None
    except Invalid as error:
        raise TableError(list(error.fields.values())) from None


def key_of(name: str) -> str:
    """What a place goes by in diagrams and records: 荆州市 as jingzhou."""
    typed = spelt(re.sub(r"(?<=..)[市县区]$", "", name)).lower()
    found = _KEY.match(re.sub(r"[^a-z0-9]", "", typed))
    return found[0] if found else "place"


# ---------------------------------------------------------------- what there is
def _place() -> str:
    """The key of the jurisdiction whose directory is there; empty for none."""
    return str(context.reading().execute(select(jurisdiction.c.key).limit(1)).scalar() or "")


def _unit(key: str) -> tuple[str, str, str] | None:
    columns = select(unit.c.key, unit.c.name, unit.c.short).where(unit.c.key == key)
    return context.reading().execute(columns).first()


def _library(connection: Connection) -> dict[str, str]:
    """The plans of the library that are of a place whose directory is here, by key: their titles."""
    here = set(connection.execute(select(jurisdiction.c.key)).scalars())
    plans = {key: read_plan(plan_xml(key)).facts for key in plan_keys()}
    return {key: facts.title for key, facts in plans.items() if facts.jurisdiction in here}


def _step(code: str, form: Form, faults: list[str] | None = None) -> str:
    if not (place := _place()):
        return render_template(
            "setup-directory.html",
            code=code,
            form=form,
            faults=faults or [],
            shipped=[(key, organisation.load(key).name) for key in organisation.shipped()],
            columns=[c.heading for c in COLUMNS],
        )
    known = known_units(context.reading(), place)
    return render_template(
        "setup-administrator.html",
        code=code,
        form=form,
        place=known.name,
        count=len(known.units),
        units=[(u.key, u.short) for u in known.units],
        least=rules.MIN_LENGTH,
    )


@dataclass(frozen=True)
class Todo:
    """One thing to do: what it is, how it stands, where it is done."""

    words: str
    is_done: bool
    says: str
    href: str
    does: str


def _checklist(form: Form | None = None, check: StartCheck | None = None) -> str:
    """`form`: that of a start, with the plan that was chosen and what was found about it (`check`)."""
    _require_administrator()
    connection, settings = context.reading(), context.settings()
    started = has_started(connection)
    return render_template(
        "setup.html",
        todos=_todos(connection, settings, started=started),
        started=started,
        library=_library(connection),
        form=form or Form("start"),
        check=check,
        ticks=is_ticking(connection, context.now()),
    )


def _todos(connection: Connection, settings: Settings, *, started: bool) -> list[Todo]:
    units = connection.execute(select(func.count()).select_from(unit).where(unit.c.ended_at.is_(None))).scalar_one()
    people = connection.execute(select(func.count()).select_from(person).where(person.c.active)).scalar_one()
    held = set(connection.execute(select(post.c.role).where(post.c.until.is_(None)).distinct()).scalars())
    missing = [r.label for r in (Role.COORDINATOR, Role.LIAISON, Role.INSPECTOR) if r.value not in held]
    ticks = is_ticking(connection, context.now())
    directory_name = place_name(connection, only_place(connection))
    mails = f"发信服务器 {settings.smtp_host}" if settings.smtp_host else "还没有设置发信服务器，邮件都留在发件箱里"
    return [
        Todo("单位目录", True, f"{directory_name}，{units} 个单位", url_for("units.index"), "查看和补充"),
        Todo(
            "人员和岗位",
            not missing,
            f"{people} 个账号" + (f"，还没有{'、'.join(missing)}" if missing else ""),
            url_for("enrolling.show"),
            "开通账号",
        ),
        Todo(
            "发信",
            bool(settings.smtp_host),
            mails,
            url_for("outgoing.index"),
            "发一封试信" if settings.smtp_host else "看怎么设置",
        ),
        Todo("定时服务", ticks, "正在运行" if ticks else _STILL, "", ""),
        Todo(
            "第一份方案", started, "已启动" if started else "还没有启动", url_for("plans.index"), "查看方案" * started
        ),
    ]


_STILL = "没有运行，提醒、期次和邮件都不会发出。请技术人员在服务器上启动它（见下面）。"


def _require_administrator() -> None:
    if not current_user.is_authenticated or not context.actor().has("administrator"):
        raise NotAllowed("初始设置由管理员办理。")
