"""更换邮箱: a person's own new address, confirmed by a link that is sent there."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_login import login_required
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import select
from werkzeug.wrappers import Response

from engine import corrections
from ledger.errors import DubanError, Invalid
from ledger.schema import person
from webapp import context, forms, own
from webapp.passwords import try_old

bp = Blueprint("addresses", __name__, url_prefix="/account/email")


@bp.post("")
@login_required
def ask() -> Response | tuple[str, int]:
    """更换邮箱: a link goes to the new address; who opens it there has it. Asked for with the password, for whoever
    has the address can set a new one."""
    person_id, email = context.actor().person_id, forms.text("email")
    stored = select(person.c.email, person.c.password_hash).where(person.c.id == person_id)
    account = context.reading().execute(stored).one()
    try:
        if refused := try_old(person_id, account.password_hash, request.form.get("old_password", "")):
            raise Invalid({"old_password": refused})
        link = url_for("addresses.confirm", token=_tokens().dumps([person_id, account.email, email]))
        context.perform(corrections.offer_address, email, link)
    except DubanError as error:
        context.close_reading()
        form = forms.refused("email", request.form, error)
        return own.page(form), 422 if isinstance(error, Invalid) else 409
    flash("确认邮件已发到新邮箱，请在 24 小时内打开其中的链接确认；确认之前仍用原来的邮箱。")
    return redirect(url_for("own.show"))


@bp.get("/confirm")
@login_required
def confirm() -> str | tuple[str, int]:
    """What the link from the mail opens: nothing is changed before the button is pressed, for mail servers follow
    links."""
    token = request.args.get("token", "")
    wanted = _wanted(token)
    page = render_template("email-confirm.html", email=wanted[1] if wanted else "", token_=token)
    return page if wanted or not token else (page, 410)


@bp.post("/confirm")
@login_required
def take() -> Response | tuple[str, int]:
    wanted = _wanted(request.form.get("token", ""))
    if wanted is None:
        return render_template("email-confirm.html", email="", token_="-"), 410
    try:
        context.perform(corrections.take_address, *wanted)
    except DubanError:  # the address has changed since, or the account was closed
        context.close_reading()
        return render_template("email-confirm.html", email="", token_="-"), 410
    flash("邮箱已更换，今后的邮件发到新邮箱。")
    return redirect(url_for("own.show"))


def _tokens() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="duban-address")


def _wanted(token: str) -> tuple[str, str] | None:
    """The former and the new address that a link of this person stands for, while it is good."""
    try:
        person_id, former, email = _tokens().loads(token, max_age=corrections.HOURS * 3600)
    except (BadData, ValueError, TypeError):
        return None
    return (former, email) if person_id == context.actor().person_id else None
