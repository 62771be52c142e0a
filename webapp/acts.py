"""What a person does on an item: each act is one command; a refused form comes back with everything in it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, request, url_for
from flask_login import login_required
from sqlalchemy import select
from werkzeug.wrappers import Response

from engine import commands
from engine.desk import Entry, TodoRef
from ledger.errors import DubanError, Invalid, NotFound, Questions
from ledger.queries.items import require_visible
from ledger.schema import assignment, indicator
from webapp import context, forms
from webapp.drafts import drop
from webapp.items import page

bp = Blueprint("acts", __name__)

Answer = Response | tuple[str, int]


@bp.post("/assignments/<int:assignment_id>/acknowledge")
@login_required
def acknowledge(assignment_id: int) -> Answer:
    """签收."""
    arm = _whole(request.form.get("arm"))
    ref = TodoRef(assignment_id, "acknowledge", arm)
    key = f"acknowledge-{assignment_id}-{arm}"
    return _act(
        _item_of(assignment_id), key, lambda: context.perform(commands.acknowledge, ref), "已签收，请按时限办理。"
    )


@bp.post("/assignments/<int:assignment_id>/report")
@login_required
def report(assignment_id: int) -> Answer:
    """填报, or 本期无新进展 in one tap."""
    item_id = _item_of(assignment_id)
    nothing_new = request.form.get("act") == "nothing-new"

    def perform() -> None:
        entry = Entry() if nothing_new else forms.entry(request.form, _measures(item_id))
        context.perform(commands.report, assignment_id, entry, nothing_new=nothing_new, confirmed=_confirmed())

    done = "已记录：本期无新进展。" if nothing_new else "已填报。"
    return _act(item_id, f"report-{assignment_id}", perform, done)


@bp.post("/assignments/<int:assignment_id>/submit")
@login_required
def submit(assignment_id: int) -> Answer:
    """申请办结 or, for a cooperating unit, 提交反馈."""
    item_id, arm = _item_of(assignment_id), _whole(request.form.get("arm"))

    def perform() -> None:
        entry = forms.entry(request.form, _measures(item_id))
        ref = TodoRef(assignment_id, "work", arm)
        context.perform(
            commands.submit, ref, entry, summary=request.form.get("summary", "").strip(), confirmed=_confirmed()
        )

    return _act(item_id, f"submit-{assignment_id}-{arm}", perform, "已提交，送下一步审签或审核；结果会发到待办。")


@bp.post("/assignments/<int:assignment_id>/decide")
@login_required
def decide(assignment_id: int) -> Answer:
    """审签, 认可 or 审核: agree, or return with a reason."""
    item_id, arm, step = _item_of(assignment_id), _whole(request.form.get("arm")), request.form.get("step", "")
    agree = request.form.get("act") == "agree"

    def perform() -> None:
        ref = TodoRef(assignment_id, step, arm)
        context.perform(commands.decide, ref, agree=agree, reason=request.form.get("reason", "").strip())

    done = "已同意。" if agree else "已退回，理由已告知对方。"
    return _act(item_id, f"decide-{assignment_id}-{step}-{arm}", perform, done)


@bp.post("/items/<int:item_id>/urge")
@login_required
def urge(item_id: int) -> Answer:
    """催办 the ticked units."""
    require_visible(context.reading(), context.actor(), item_id)

    def perform() -> None:
        chosen = [int(i) for i in request.form.getlist("assignments") if i.isdigit()]
        if not set(chosen) <= _shares_of(item_id):
            raise NotFound("勾选的单位不在本任务里，请刷新页面后重选。")
        context.perform(commands.urge, chosen, words=request.form.get("words", "").strip())

    return _act(item_id, f"urge-{item_id}", perform, "已催办，邮件随即发出。")


# ---------------------------------------------------------------- common to all
def _act(item_id: int, key: str, perform: Callable[[], None], done: str) -> Answer:
    """Do it and go on, or show the form again: 422 with what is wrong, 409 when someone was faster."""
    try:
        perform()
    except NotFound:
        raise
    except DubanError as error:
        context.close_reading()
        form = forms.refused(key, request.form, error)
        return page(item_id, form), 422 if isinstance(error, Invalid | Questions) else 409
    drop(key)
    flash(done)
    return redirect(url_for("items.show", item_id=item_id))


def _item_of(assignment_id: int) -> int:
    """The item of a share, if the actor may see it. Raises: NotFound."""
    found = select(assignment.c.item_id).where(assignment.c.id == assignment_id)
    item_id = context.reading().execute(found).scalar_one_or_none()
    if item_id is None:
        raise NotFound("没有这项责任分工，或者它不在您的岗位可见的范围内。")
    require_visible(context.reading(), context.actor(), item_id)
    return int(item_id)


def _shares_of(item_id: int) -> set[int]:
    return set(context.reading().execute(select(assignment.c.id).where(assignment.c.item_id == item_id)).scalars())


def _measures(item_id: int) -> dict[int, str]:
    rows = context.reading().execute(select(indicator.c.id, indicator.c.measure).where(indicator.c.item_id == item_id))
    return {r.id: r.measure for r in rows}


def _confirmed() -> bool:
    return request.form.get("confirmed") == "1"


def _whole(words: str | None) -> int:
    return int(words) if words and words.isdigit() else 0
