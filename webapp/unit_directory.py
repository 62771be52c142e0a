"""单位目录: for administrators, entering units one by one or from a table, what they are, and groups of them."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_login import login_required
from werkzeug.wrappers import Response as Answer

from engine import directory as engine
from engine.directory import UnitFacts
from ledger.directory import listed_units
from ledger.errors import DubanError, Invalid, NotEvery, NotFound
from ledger.organisation import KINDS, Group
from ledger.queries import units as queries
from ledger.tables import TableError, blank_table, said_of
from webapp import context, forms, units
from webapp.enrolling import FILE, sheet, taken
from webapp.forms import Form
from webapp.units_file import COLUMNS, names_in, units_of

bp = Blueprint("unit_directory", __name__, url_prefix="/units")


# ---------------------------------------------------------------- entering
@bp.get("/new")
@login_required
def show() -> str:
    return _page(Form("unit_new"))


@bp.post("/new")
@login_required
def one() -> Answer:
    """登记一个单位."""
    units.require_administrator()
    try:
        context.perform(engine.enter_units, [_typed(forms.text("name"), forms.text("short"))])
    except NotEvery as error:
        return _refused(Form("unit_new", forms.typed(request.form), notice="".join(error.reasons.values())), 422)
    except DubanError as error:
        return _refused(forms.refused("unit_new", request.form, error), 422 if isinstance(error, Invalid) else 409)
    flash("已登记。")
    return redirect(url_for("units.index"))


@bp.post("/import")
@login_required
def many() -> Answer:
    """导入单位表: all lines, or none and what is wrong with each."""
    units.require_administrator()
    try:
        rows, numbers = units_of(*taken(FILE))
        done = context.perform(engine.enter_units, rows)
    except TableError as error:
        return _refused(Form("unit_new"), 422, error.faults)
    except NotEvery as error:
        return _refused(Form("unit_new"), 422, said_of(error.reasons, numbers))
    except DubanError as error:
        return _refused(Form("unit_new"), 422, [str(error)])
    flash(f"新增 {done.new} 个单位，更新 {done.changed} 个。")
    return redirect(url_for("units.index"))


@bp.get("/template.xlsx")
@login_required
def template() -> Response:
    """单位表 to be filled in."""
    units.require_administrator()
    return sheet("单位表", blank_units())


def blank_units() -> bytes:
    return blank_table("单位", COLUMNS, {"kind": list(KINDS.values())})


@bp.post("/<key>/describe")
@login_required
def describe(key: str) -> Answer:
    """What a unit is, where it stands, what else it is called."""
    units.require_administrator()
    every = queries.units(context.reading(), context.actor())
    line = next((u for u in every if u.key == key and u.ended_at is None), None)
    if line is None:
        raise NotFound("没有这个单位，或者它不归您管理。")
    form = Form(f"unit_facts-{key}")
    try:
        context.perform(engine.enter_units, [_typed(line.name, line.short)])
    except DubanError as error:
        context.close_reading()
        form = forms.refused(form.key, request.form, error)
        if isinstance(error, NotEvery):
            form.notice = "".join(error.reasons.values())
        return make_response(units.page(key, Form(f"unit_change-{key}"), about=form), 422)
    flash("已保存。")
    return redirect(url_for("units.show", key=key))


def _typed(name: str, short: str) -> UnitFacts:
    kind, parent, host = (forms.text(field) for field in ("kind", "parent", "host"))
    return UnitFacts(name, short, kind, parent, host, names_in(request.form.get("aliases", "")))


# ---------------------------------------------------------------- groups
@bp.get("/groups")
@login_required
def groups() -> str:
    return _groups(Form("group"))


@bp.post("/groups")
@login_required
def keep_group() -> Answer:
    """单位组: add, or say anew whom it means."""
    units.require_administrator()
    try:
        context.perform(engine.keep_group, _group())
    except DubanError as error:
        context.close_reading()
        return make_response(_groups(forms.refused("group", request.form, error)), 422)
    flash("已保存。")
    return redirect(url_for("unit_directory.groups"))


@bp.post("/groups/remove")
@login_required
def remove_group() -> Answer:
    units.require_administrator()
    context.perform(engine.remove_group, forms.text("name"))
    flash("已删除；已经交办的任务不变。")
    return redirect(url_for("unit_directory.groups"))


def _group() -> Group:
    """Raises: Invalid for members that are no units."""
    connection = context.reading()
    known = listed_units(connection, engine.place_of(connection, context.actor()))
    named = names_in(request.form.get("members", ""))
    found = {name: r.units for name in named if (r := known.resolve(name)) is not None}
    if unknown := [name for name in named if name not in found]:
        listed = "、".join(f"“{name}”" for name in unknown)
        raise Invalid({"members": f"单位目录中没有{listed}，请写全称或简称，用顿号或逗号分开。"})
    members = dict.fromkeys(u.key for name in named for u in found[name])
    aliases, is_open = names_in(request.form.get("aliases", "")), request.form.get("open") == "1"
    return Group(forms.text("name"), aliases, () if is_open else tuple(members), is_open)


# ---------------------------------------------------------------- pages
def _refused(form: Form, status: int, faults: Sequence[str] = ()) -> Answer:
    context.close_reading()
    return make_response(_page(form, faults), status)


def _page(form: Form, faults: Sequence[str] = ()) -> str:
    units.require_administrator()
    return render_template(
        "unit-new.html", form=form, faults=faults, kinds=list(KINDS.items()), columns=[c.heading for c in COLUMNS]
    )


def _groups(form: Form) -> str:
    units.require_administrator()
    connection = context.reading()
    known = listed_units(connection, engine.place_of(connection, context.actor()))
    shorts = {u.key: u.short for u in known.units}
    lines = [(g, [shorts[key] for key in g.members]) for g in known.groups]
    if (name := request.args.get("name")) and not form.is_dirty:
        chosen = next(((g, shown) for g, shown in lines if g.name == name), None)
        if chosen:
            group, shown = chosen
            values = {"name": group.name, "aliases": "、".join(group.aliases), "members": "、".join(shown)}
            form.values = values | ({"open": "1"} if group.open else {})
    return render_template("unit-groups.html", form=form, groups=lines)
