"""The accounts of the demonstration, each a button on the login page."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, redirect, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from ledger.schema import intake, person, post, run, todo, unit
from webapp import context
from webapp.accounts import begin
from webapp.demo.people import PASSWORD

bp = Blueprint("demo_entrance", __name__)

CAN = {
    "handler": "填报、更正",
    "liaison": "签收、填报、申请办结",
    "deputy_head": "审签",
    "head": "查看，岗位空缺时收提醒",
    "section_head": "查看",
    "coordinator": "审核、退回、催办",
    "inspector": "查看全部任务，依规清除",
    "leader": "查看全部任务",
    "administrator": "账号、岗位、日志，依规清除",
}
_OFFICE_ROLES = ("coordinator", "inspector", "leader", "administrator")
_UNITS_SHOWN = 5


_left, _ended = post.alias("left"), unit.alias("ended")
_came_from = (
    select(_ended.c.short)
    .join(_left, _left.c.unit == _ended.c.key)
    .where(_left.c.person_id == post.c.person_id, _left.c.role == post.c.role, _ended.c.successor == post.c.unit)
    .order_by(_ended.c.ended_at.desc())
    .limit(1)
    .correlate(post)
    .scalar_subquery()
)


@dataclass(frozen=True)
class DemoAccount:
    login: str
    unit: str
    role: str
    can: str
    todos: int
    former: str | None  # the unit from which its post has come, where that one has ended since


@bp.post("/demo/enter")
def enter() -> Response:
    """Log in as a demo account with one click; this blueprint does not exist outside demo mode."""
    login = request.form.get("account", "")
    asked = select(person.c.id, person.c.browsers).where(person.c.login == login, person.c.active)
    found = context.reading().execute(asked).one_or_none()
    if found is None:
        abort(404)
    begin(found.id, login, found.browsers)
    return redirect(url_for("inbox.show"))


@bp.app_context_processor
def _accounts() -> dict[str, object]:
    return {"demo_accounts": _render}


def _render() -> Markup:
    people = _people()
    offices = [p for p in people if p.role in _OFFICE_ROLES]
    units = [p for p in people if p.role not in _OFFICE_ROLES]
    busiest = list(dict.fromkeys(p.unit for p in sorted(units, key=lambda p: -p.todos)))[:_UNITS_SHOWN]
    first = [p for p in units if p.unit == busiest[0]] if busiest else []
    first += offices + [p for p in units if p.unit in busiest[1:] and p.role == "liaison" and not p.former]
    others = [p for p in people if p not in first]
    registers = select(intake.c.register)
    titles = select(run.c.title).where(run.c.id.not_in(registers)).order_by(run.c.id)
    plans = context.reading().execute(titles).scalars().all()
    values = {"first": first, "others": others, "plans": plans, "now": context.now(), "password": PASSWORD}
    return Markup(render_template("demo/accounts.html", **values))


def _people() -> list[DemoAccount]:
    """Every account with its first post and the number of its open todos, in the order of the directory."""
    waiting = select(func.count()).where(
        todo.c.unit == post.c.unit, todo.c.role == post.c.role, todo.c.closed_at.is_(None)
    )
    rows = context.reading().execute(
        select(
            *(person.c.login, unit.c.short, post.c.role),
            waiting.scalar_subquery().label("todos"),
            _came_from.label("former"),
        )
        .select_from(post.join(person, person.c.id == post.c.person_id).join(unit, unit.c.key == post.c.unit))
        .where(post.c.until.is_(None), person.c.active)
        .order_by(unit.c.ord, post.c.id.desc())
    )
    by_login = {r.login: r for r in rows}
    return [
        DemoAccount(r.login, r.short, r.role, CAN.get(r.role, "查看"), r.todos, r.former) for r in by_login.values()
    ]
