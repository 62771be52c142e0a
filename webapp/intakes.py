"""批示件 and other cases: the register, the form of a new one, one case with its chain and what is next, 呈批单."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_required
from werkzeug.wrappers import Response

from engine import commands
from engine.intakes import IntakeRef, capacities_in
from ledger.errors import AlreadySent, DubanError, Invalid, NotAllowed, NotFound, Questions
from ledger.people import Actor, Desk
from ledger.queries import intakes as queries
from ledger.queries.items import item_view
from ledger.rules.intakes import KINDS, Kind, Outcome, State, Verb, refusal
from webapp import context, forms, uploads
from webapp.drafts import forgetting, once, restored
from webapp.forms import Form
from webapp.guard import whole

bp = Blueprint("intakes", __name__)

Answer = Response | tuple[str, int]
READERS = ("coordinator", "inspector", "leader")  # to whom the navigation shows the register


# ---------------------------------------------------------------- the register
@bp.get("/intakes")
@login_required
def index() -> str:
    """登记簿, narrowed by leader, state and lateness."""
    given = request.args
    state = given.get("state", "")
    asked = queries.Asked(
        given.get("kind", "") if given.get("kind") in KINDS else "",
        given.get("leader", "")[:60],
        state if state in tuple(State) else "",
        given.get("late") == "1",
        whole(given.get("page")) or 1,
    )
    found = queries.register(context.reading(), context.calendar(), context.now(), context.sight(), asked)
    return render_template(
        "intakes.html",
        found=found,
        asked=asked,
        states=[(s.value, s.label) for s in State],
        kinds=list(KINDS.values()),
        may_register=context.actor().has("coordinator"),
        link=lambda **changed: _link(asked, changed),
    )


def _link(asked: queries.Asked, changed: Mapping[str, Any]) -> str:
    values: dict[str, Any] = {"kind": asked.kind, "leader": asked.leader, "state": asked.state}
    values |= {"late": "1" if asked.late else "", **changed}
    query = urlencode({k: v for k, v in values.items() if v})
    return url_for("intakes.index") + (f"?{query}" if query else "")


# ---------------------------------------------------------------- 登记
@bp.get("/intakes/new/<kind_key>")
@login_required
def new(kind_key: str) -> str:
    """The form of a new case; with `?item=` upon an item that is under way."""
    return _new_page(_kind(kind_key), whole(request.args.get("item")))


@bp.post("/intakes/new/<kind_key>")
@login_required
def register(kind_key: str) -> Answer:
    """登记."""
    kind, item_id = _kind(kind_key), whole(request.form.get("item"))
    key = _new_key(kind, item_id)

    def perform() -> int:
        files, values = uploads.handed_in(key), {f.name: forms.text(f.name) for f in kind.fields}
        if item_id:
            command = once(forgetting(key, commands.register_on, for_good=True))
            return context.perform(command, item_id, kind.key, values=values, files=files)
        office = forms.text("office") or _offices(context.actor())[0].unit
        command_new = once(forgetting(key, commands.register, for_good=True))
        title = forms.text("title")
        return context.perform(command_new, kind.key, office=office, title=title, values=values, files=files)

    done = "已登记，由本任务承办。" if item_id else "已登记，请提出拟办意见。"
    return _act(key, perform, lambda failed: _new_page(kind, item_id, failed), done)


def _kind(key: str) -> Kind:
    if key not in KINDS:
        raise NotFound("没有这一类来件。")
    if not context.actor().has("coordinator"):
        raise NotAllowed("来件由专班办工作人员登记；如有来件，请转交专班办。")
    return KINDS[key]


def _new_key(kind: Kind, item_id: int) -> str:
    return f"intake_on-{item_id}-{kind.key}" if item_id else f"intake_new-{kind.key}"


def _offices(actor: Actor) -> list[Desk]:
    return list({d.unit: d for d in actor.desks if d.role == "coordinator"}.values())


def _new_page(kind: Kind, item_id: int, failed: Form | None = None) -> str:
    key = _new_key(kind, item_id)
    view = None
    if item_id:
        view = item_view(context.reading(), context.calendar(), context.now(), context.sight(), item_id)
    form = failed or restored([key])[key]
    form.files = uploads.waiting({key})[key]
    return render_template(
        "intake-new.html",
        kind=kind,
        form=form,
        item=view.standing.item if view else None,
        offices=[(d.unit, context.sight().names.get(d.unit, d.unit)) for d in _offices(context.actor())],
        leaders=queries.leaders_known(context.reading(), context.sight(), context.actor()),
    )


# ---------------------------------------------------------------- one case
@bp.get("/intakes/<int:intake_id>")
@login_required
def show(intake_id: int) -> str:
    return _page(intake_id)


@bp.get("/intakes/<int:intake_id>/sheet")
@login_required
def sheet(intake_id: int) -> str:
    """呈批单, to be printed and laid before the leader."""
    view = _view(intake_id)
    if not view.reads_all:
        raise NotAllowed("呈批单由专班办、督查人员和领导查看。")
    return render_template("intake-sheet.html", v=view, now=context.now(), verbs=Verb)


@bp.post("/intakes/<int:intake_id>/propose")
@login_required
def propose(intake_id: int) -> Answer:
    """拟办."""

    def values() -> dict[str, Any]:
        until, days = forms.text("until"), forms.text("days")
        if days and not whole(days):
            raise Invalid({"days": "工作日数请填整数，如 10。"})
        names = {name: forms.text(name) for name in ("outcome", "leads", "others", "readers", "opinion")}
        if names["outcome"] == Outcome.READ:
            return names
        return {**names, "until": _day("until", until), "days": whole(days) if days else None}

    return _step(intake_id, Verb.PROPOSE, commands.propose, values, "拟办意见已报审定。")


@bp.post("/intakes/<int:intake_id>/decide")
@login_required
def decide(intake_id: int) -> Answer:
    """审定: 立项, 阅知, 存档 or 退回重拟."""

    def values() -> dict[str, Any]:
        return {name: forms.text(name) for name in ("outcome", "ground", "decider")}

    done = {"file": "已立项，任务交办到承办单位。", "read": "已送有关单位阅知。", "shelve": "已存档。"}
    said = done.get(forms.text("outcome"), "已退回重拟。")
    return _step(intake_id, Verb.DECIDE, commands.decide_intake, values, said)


@bp.post("/intakes/<int:intake_id>/present")
@login_required
def present(intake_id: int) -> Answer:
    """呈报."""

    def values() -> dict[str, Any]:
        return {"account": forms.text("account"), "further": forms.text("further"), "on": _day("on", forms.text("on"))}

    return _step(intake_id, Verb.PRESENT, commands.present, values, "已呈报，办理完毕。")


def _day(name: str, words: str) -> date | None:
    """Raises: Invalid."""
    try:
        return date.fromisoformat(words) if words else None
    except ValueError:
        raise Invalid({name: "请从日历中选择日期。"}) from None


def _step(
    intake_id: int, verb: Verb, command: Callable[..., int], values: Callable[[], dict[str, Any]], done: str
) -> Answer:
    _view(intake_id)  # what may not be seen is not there
    arm = whole(request.form.get("arm"))
    key = f"intake-{intake_id}-{verb}-{arm}"

    def perform() -> int:
        ref = IntakeRef(intake_id, forms.text("step"), arm)
        return context.perform(forgetting(key, command), ref, **values())

    return _act(key, perform, lambda failed: _page(intake_id, failed), done)


def _act(key: str, perform: Callable[[], int], again: Callable[[Form], str], done: str) -> Answer:
    """Do it and go to the case, or show the form again with everything in it."""
    try:
        intake_id = perform()
    except AlreadySent as error:
        context.close_reading()
        flash(str(error))
        return redirect(url_for("intakes.index"))
    except (NotFound, NotAllowed):
        raise
    except DubanError as error:
        context.close_reading()
        return again(forms.refused(key, request.form, error)), 422 if isinstance(error, Invalid | Questions) else 409
    flash(done)
    return redirect(url_for("intakes.show", intake_id=intake_id))


def _view(intake_id: int) -> queries.IntakeView:
    return queries.intake_view(context.reading(), context.calendar(), context.now(), context.sight(), intake_id)


def _page(intake_id: int, failed: Form | None = None) -> str:
    view, actor = _view(intake_id), context.actor()
    verb = _verb_of(view, actor)
    key = f"intake-{intake_id}-{verb}-{view.row.arm}" if verb else ""
    form = failed or (restored([key])[key] if verb else Form(""))
    desk = next(iter(_capacities(view, actor).values()), None)
    return render_template(
        "intake.html",
        v=view,
        verb=verb,
        form=form,
        lost=failed if failed and failed.key != key else None,
        is_recorded=desk is not None and desk.role == "coordinator",
        today=context.now(),
        leaders=queries.leaders_known(context.reading(), context.sight(), actor) if verb == Verb.DECIDE else (),
        outcomes=_outcomes(view),
    )


def _capacities(view: queries.IntakeView, actor: Actor) -> Mapping[Any, Desk]:
    unit, role = view.holder or (None, None)
    return capacities_in(actor, view.row.office, unit, role, view.row.plan)


def _verb_of(view: queries.IntakeView, actor: Actor) -> Verb | None:
    """What this person can do with the case as it stands."""
    mine = _capacities(view, actor)
    return next((verb for verb in Verb if refusal(view.state, verb, set(mine)) is None), None)


def _outcomes(view: queries.IntakeView) -> list[tuple[str, str]]:
    """What can be decided: as was proposed, or neither."""
    if view.proposal is None:
        return []
    words = {Outcome.FILE: "同意立项，交承办单位办理", Outcome.READ: "同意阅知，送有关单位"}
    rest = [(Outcome.SHELVE.value, "存档备查，不再办理"), (Outcome.RETURN.value, "退回重拟")]
    return [(view.proposal.outcome.value, words[view.proposal.outcome]), *rest]
