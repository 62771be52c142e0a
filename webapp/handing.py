"""交接: handing a post over to a colleague in one step, and receiving it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_required
from werkzeug.wrappers import Response

from engine import commands
from engine.handing_over import post_to_hand_over, preview
from ledger.errors import Conflict, DubanError, Invalid, NotAllowed, NotFound
from ledger.queries.accounts import posts_of
from ledger.queries.handovers import seats
from ledger.rules.verbs import Role
from webapp import context, doors, forms, hashing
from webapp.drafts import forgetting, restored
from webapp.forms import Form

bp = Blueprint("handing", __name__)

Answer = Response | tuple[str, int]
FIELDS = ("login", "name", "email", "note")


@bp.get("/posts")
@login_required
def index() -> str:
    """本单位岗位, for the unit's head."""
    if not context.actor().has(Role.HEAD):
        raise NotAllowed("本单位岗位由主要负责人查看；您自己的岗位，请到“我的账号”交接。")
    return render_template("posts.html", seats=seats(context.reading(), context.actor()))


@bp.get("/posts/<int:post_id>/hand-over")
@login_required
def show(post_id: int) -> str:
    return _page(post_id, restored([_key(post_id)])[_key(post_id)])


@bp.post("/posts/<int:post_id>/hand-over")
@login_required
def hand_over(post_id: int) -> Answer:
    """One step: the post, its todos, drafts and files go; sessions end."""
    person_id, key = context.actor().person_id, _key(post_id)
    given = {name: forms.text(name) for name in FIELDS}
    hashed = hashing.hashed(hashing.made()) if given["name"] else ""
    try:
        command = forgetting(key, commands.hand_over)
        left, closed = context.perform(command, post_id, **given, password_hash=hashed)
    except NotFound:
        raise
    except DubanError as error:
        context.close_reading()
        return _page(post_id, forms.refused(key, request.form, error)), 422 if isinstance(error, Invalid) else 409
    if left == person_id:
        doors.go_out()
        words = "您的账号没有其他岗位，已停用。" if closed else "您在各处的登录已结束，请重新登录。"
        flash(f"岗位已交接，待办和草稿转给接任人。{words}")
        return redirect(url_for("accounts.login"))
    flash("岗位已交接，待办和草稿转给接任人" + ("；原任职人没有其他岗位，账号已停用。" if closed else "。"))
    if context.actor().has(Role.ADMINISTRATOR):
        return redirect(url_for("people.show", person_id=left))
    return redirect(url_for("handing.index"))


@bp.post("/handovers/<int:handover_id>/receive")
@login_required
def receive(handover_id: int) -> Answer:
    """接收确认."""
    try:
        context.perform(commands.receive, handover_id)
    except Conflict:
        flash("这项交接已经确认接收。")
    else:
        flash("已确认接收。")
    return redirect(url_for("inbox.show"))


def _key(post_id: int) -> str:
    return f"handover-{post_id}"


def _page(post_id: int, form: Form) -> str:
    """Raises: NotFound, Refused."""
    connection, actor = context.reading(), context.actor()
    found, _ = post_to_hand_over(connection, actor, post_id)
    line = next(p for p in posts_of(connection, [found.person_id])[found.person_id] if p.id == post_id)
    return render_template(
        "hand-over.html",
        form=form,
        post=line,
        holder=found.name,
        moved=preview(connection, found),
        own=found.person_id == actor.person_id,
    )
