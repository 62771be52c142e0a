"""What a person does on an item: each act is one command; a refused form comes back with everything in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from flask import Blueprint, flash, redirect, request, url_for
from flask_login import login_required
from sqlalchemy import bindparam, select
from werkzeug.wrappers import Response

from engine import commands
from engine.desk import Entry, TodoRef
from engine.splitting import lower_units
from engine.urging import Asked
from ledger import prepared
from ledger.calendar import SHANGHAI
from ledger.errors import AlreadySent, DubanError, Invalid, NotFound, Questions
from ledger.people import holders_in
from ledger.queries.items import item_of, require_visible, shares_seen
from ledger.rules.verbs import Verb
from ledger.schema import assignment, indicator
from webapp import context, forms, uploads
from webapp.drafts import forgetting, once
from webapp.guard import whole
from webapp.items import page
from webapp.verb_forms import OF_ITEM, OF_SHARE, Known, VerbForm

bp = Blueprint("acts", __name__)

Answer = Response | tuple[str, int]


@bp.post("/assignments/<int:assignment_id>/acknowledge")
@login_required
def acknowledge(assignment_id: int) -> Answer:
    """签收."""
    arm = whole(request.form.get("arm"))
    key = f"acknowledge-{assignment_id}-{arm}"

    def perform() -> int:
        return context.perform(commands.acknowledge, TodoRef(assignment_id, "acknowledge", arm))

    done = "已阅知。" if request.form.get("act") == "read" else "已签收，请按时限办理。"
    return _act(assignment_id, key, perform, done)


@bp.post("/assignments/<int:assignment_id>/report")
@login_required
def report(assignment_id: int) -> Answer:
    """填报, or 本期无新进展 in one tap."""
    nothing_new = request.form.get("act") == "nothing-new"
    key = f"report-{assignment_id}"

    def perform() -> int:
        files = () if nothing_new else uploads.handed_in(key)
        entry = Entry() if nothing_new else forms.entry(request.form, _measures(assignment_id), files)
        return context.perform(
            once(forgetting(key, commands.report)),
            assignment_id,
            entry,
            nothing_new=nothing_new,
            confirmed=_confirmed(),
        )

    return _act(assignment_id, key, perform, "已记录：本期无新进展。" if nothing_new else "已填报。")


@bp.post("/assignments/<int:assignment_id>/submit")
@login_required
def submit(assignment_id: int) -> Answer:
    """申请办结 or, for a cooperating unit, 提交反馈."""
    arm = whole(request.form.get("arm"))
    key = f"submit-{assignment_id}-{arm}"

    def perform() -> int:
        entry = forms.entry(request.form, _measures(assignment_id), uploads.handed_in(key))
        summary = forms.text("summary")
        ref = TodoRef(assignment_id, "work", arm)
        return context.perform(forgetting(key, commands.submit), ref, entry, summary=summary, confirmed=_confirmed())

    return _act(assignment_id, key, perform, "已提交，送下一步审签或审核；结果会发到待办。")


@bp.post("/assignments/<int:assignment_id>/decide")
@login_required
def decide(assignment_id: int) -> Answer:
    """审签, 认可 or 审核: agree, or return with a reason."""
    arm, step = whole(request.form.get("arm")), request.form.get("step", "")
    agree = request.form.get("act") == "agree"
    key = f"decide-{assignment_id}-{step}-{arm}"

    def perform() -> int:
        ref, files = TodoRef(assignment_id, step, arm), uploads.handed_in(key)
        seen = forms.figures_seen(request.form["seen"]) if "seen" in request.form else None
        reason, command = forms.text("reason"), forgetting(key, commands.decide)
        return context.perform(command, ref, agree=agree, reason=reason, files=files, seen=seen)

    return _act(assignment_id, key, perform, "已同意。" if agree else "已退回，理由已告知对方。")


@bp.post("/assignments/<int:assignment_id>/confirm")
@login_required
def confirm_unit(assignment_id: int) -> Answer:
    """确认责任单位."""

    def perform() -> int:
        return context.perform(commands.confirm_unit, assignment_id)

    return _act(assignment_id, f"confirm-{assignment_id}", perform, "责任单位已确认。")


@bp.post("/assignments/<int:assignment_id>/verbs/<verb>")
@login_required
def share_verb(assignment_id: int, verb: str) -> Answer:
    """What may come at any time: a row of `verb_forms.OF_SHARE`."""
    made = _form_of(OF_SHARE, verb)
    key = f"{verb}-{assignment_id}"
    return _act(
        assignment_id,
        key,
        lambda: context.perform(
            forgetting(key, made.command), assignment_id, **made.values(_known(assignment_id), key)
        ),
        made.done,
    )


@bp.post("/items/<int:item_id>/verbs/<verb>")
@login_required
def item_verb(item_id: int, verb: str) -> Answer:
    """The same for a whole item: a row of `verb_forms.OF_ITEM`."""
    made = _form_of(OF_ITEM, verb)
    require_visible(context.reading(), context.sight(), item_id)
    key = f"item_{verb}-{item_id}"
    try:
        context.perform(forgetting(key, made.command), item_id, **made.values(_known_of_item(item_id), key))
    except DubanError as error:
        return _refused(item_id, key, error)
    return _done(item_id, made.done)


def _form_of(table: Mapping[Verb, VerbForm], verb: str) -> VerbForm:
    made = next((made for known, made in table.items() if known == verb), None)
    if made is None:
        raise NotFound("没有这种办理。")
    return made


@bp.post("/assignments/<int:assignment_id>/answer")
@login_required
def answer(assignment_id: int) -> Answer:
    """审批 of 申请延期, 处理 of 提出异议: agree, or decline with a reason."""
    petition, turn = whole(request.form.get("petition")), whole(request.form.get("turn"))
    agree = request.form.get("act") == "agree"
    key = f"answer-{assignment_id}-{petition}-{turn}"

    def perform() -> int:
        ref = commands.PetitionRef(assignment_id, petition, turn)
        reason, to = forms.text("reason"), forms.text("to")
        decided = forgetting(key, commands.answer)
        return context.perform(decided, ref, agree=agree, reason=reason, to=to, confirmed=_confirmed())

    return _act(assignment_id, key, perform, "已同意。" if agree else "已答复不同意，理由已告知对方。")


@bp.post("/items/<int:item_id>/urge")
@login_required
def urge(item_id: int) -> Answer:
    """催办 the ticked units."""
    require_visible(context.reading(), context.sight(), item_id)
    key = f"urge-{item_id}"
    try:
        chosen = [i for i in map(whole, request.form.getlist("assignments")) if i]
        if not set(chosen) <= shares_seen(context.reading(), context.sight(), item_id):
            raise NotFound("勾选的单位不在本任务里，请刷新页面后重选。")
        call = _call()
        asked = context.perform(once(forgetting(key, commands.urge)), chosen, words=forms.text("words"), call=call)
    except DubanError as error:
        return _refused(item_id, key, error)
    return _done(item_id, "已登记电话催办。" if call else _reached(asked))


def _call() -> commands.Call | None:
    """What was typed of a call that has been made; none where nothing was. Raises: Invalid."""
    said = {name: forms.text(name) for name in ("spoke_to", "answer", "caller")}
    when = forms.text("called_at")
    if not (when or any(said.values())):
        return None
    try:
        return commands.Call(at=datetime.fromisoformat(when).replace(tzinfo=SHANGHAI) if when else None, **said)
    except ValueError as error:
        raise Invalid({"called_at": "通话时间请填到分钟，如 2025-06-03 10:20。"}) from error


def _reached(asked: Sequence[Asked]) -> str:
    """Who gets a mail of an urging, and who has nobody to get it."""
    answering = holders_in(context.reading(), {place for _, places in asked for place in places})
    nobody = [name for name, places in asked if not any(answering[place] for place in places)]
    told = [name for name, _ in asked if name not in nobody]
    settings = context.settings()
    mails = "邮件随即发出" if settings.smtp_host or settings.demo else "没有设置发信服务器，邮件留在发件箱，请电话联系"
    words = f"已催办{'、'.join(told)}，{mails}。" if told else ""
    if nobody:
        words += f"{'、'.join(nobody)}没有联络员，也没有主要负责人，没有人收到：请管理员开通账号，或电话联系。"
    return words


# ---------------------------------------------------------------- common to all
def _act(assignment_id: int, key: str, perform: Callable[[], int], done: str) -> Answer:
    """Do it and go on to its item. Who may act may see; only when it fails is asked who may know why."""
    try:
        item_id = perform()
    except DubanError as error:
        context.close_reading()
        return _refused(item_of(context.reading(), context.sight(), assignment_id), key, error)
    return _done(item_id, done)


def _done(item_id: int, words: str) -> Answer:
    flash(words)
    return redirect(url_for("items.show", item_id=item_id))


def _refused(item_id: int, key: str, error: DubanError) -> Answer:
    """The form again: 422 with what is wrong, 409 when someone was faster; not for what had been done before."""
    if isinstance(error, NotFound):
        raise error
    if isinstance(error, AlreadySent):
        return _done(item_id, str(error))
    context.close_reading()
    form = forms.refused(key, request.form, error)
    return page(item_id, form), 422 if isinstance(error, Invalid | Questions) else 409


_measured = (
    select(indicator.c.id, indicator.c.measure)
    .join(assignment, assignment.c.item_id == indicator.c.item_id)
    .where(assignment.c.id == bindparam("b_id"))
)


def _measures(assignment_id: int) -> dict[int, str]:
    """The units of measure of the figures that a share's form asks for."""
    if not any(name.startswith("figure-") or name == "quota" for name in request.form):
        return {}
    return {r.id: r.measure for r in prepared.rows(context.reading(), _measured, {"b_id": assignment_id})}


def _known(assignment_id: int) -> Known:
    """What the form of a share may name."""
    if "unit-1" not in request.form:
        return Known(_measures(assignment_id))
    connection = context.reading()
    measures = {r.id: r.measure for r in connection.execute(_measured, {"b_id": assignment_id})}
    holder = select(assignment.c.unit).where(assignment.c.id == assignment_id)
    rows = lower_units(connection, connection.execute(holder).scalar_one_or_none() or "")
    return Known(measures, {r.key: (r.short, r.name) for r in rows})


_measured_of_item = select(indicator.c.id, indicator.c.measure, indicator.c.sum_rule).where(
    indicator.c.item_id == bindparam("b_item")
)


def _known_of_item(item_id: int) -> Known:
    """What the form of an item may name: the indicator that it is about, or that its quotas are of."""
    chosen = whole(request.form["indicator"]) if request.form.get("indicator") else None
    if chosen is None and not any(name.startswith("quota-") for name in request.form):
        return Known()
    rows = context.reading().execute(_measured_of_item, {"b_item": item_id})
    return Known({r.id: r.measure for r in rows if (r.sum_rule == "sum" if chosen is None else r.id == chosen)})


def _confirmed() -> bool:
    return request.form.get("confirmed") == "1"
