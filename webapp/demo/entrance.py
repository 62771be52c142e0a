"""The accounts of the demonstration, each a button on the login page."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_login import login_user
from markupsafe import Markup
from sqlalchemy import select
from werkzeug.wrappers import Response

from ledger.schema import person, post, run, unit
from webapp import context
from webapp.accounts import Account, load_account

bp = Blueprint("demo_entrance", __name__)

CAN = {
    "liaison": "签收、填报、申请办结",
    "deputy_head": "审签",
    "head": "查看，岗位空缺时收提醒",
    "section_head": "查看",
    "coordinator": "审核、退回、催办",
    "inspector": "查看全部任务",
    "leader": "查看全部任务",
    "administrator": "单位、岗位、日历",
}
SHOWN = 9
_ORDER = ("coordinator", "inspector", "leader", "administrator")


@dataclass(frozen=True)
class DemoAccount:
    login: str
    unit: str
    role: str
    can: str


@bp.post("/demo/enter")
def enter() -> Response:
    """Log in as a demo account with one click; this blueprint does not exist outside demo mode."""
    found = select(person.c.id).where(person.c.login == request.form.get("account", ""), person.c.active)
    person_id = context.reading().execute(found).scalar_one_or_none()
    account: Account | None = load_account(str(person_id)) if person_id is not None else None
    if account is None:
        abort(404)
    login_user(account)
    return redirect(url_for("inbox.show"))


@bp.app_context_processor
def _accounts() -> dict[str, object]:
    return {"demo_accounts": _render}


def _render() -> Markup:
    people = _people()
    offices = [p for p in people if p.role in _ORDER]
    units = [p for p in people if p.role not in _ORDER]
    first = offices[:3] + units[: SHOWN - min(3, len(offices))]
    others = [p for p in people if p not in first]
    plans = context.reading().execute(select(run.c.title).order_by(run.c.id)).scalars().all()
    return Markup(render_template("demo/accounts.html", first=first, others=others, plans=plans, now=context.now()))


def _people() -> list[DemoAccount]:
    rows = context.reading().execute(
        select(person.c.login, unit.c.short, post.c.role)
        .select_from(post.join(person, person.c.id == post.c.person_id).join(unit, unit.c.key == post.c.unit))
        .where(post.c.until.is_(None), person.c.active)
        .order_by(unit.c.ord, post.c.id)
    )
    return [DemoAccount(r.login, r.short, r.role, CAN.get(r.role, "查看")) for r in rows]
