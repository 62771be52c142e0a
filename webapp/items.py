"""任务: the page of one item, and the forms that stand on it for this person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask import Blueprint, render_template, request
from flask_login import login_required

from bpmn.lifecycle import LOCAL, Step
from engine import published
from engine.commands import look
from engine.dating import is_undated
from engine.desk import TodoRef
from engine.moving import handed_to, step_after
from engine.splitting import lower_units
from ledger.calendar import last_day
from ledger.capacities import capacities
from ledger.people import Actor
from ledger.queries.clearings import ROLES as CLEARING_ROLES
from ledger.queries.figures import origin
from ledger.queries.intakes import of_item
from ledger.queries.items import Desk, ItemView, Petition, item_of, item_view
from ledger.queries.ledger import state_of
from ledger.queries.standing import Gauge, Part, Standing, part_light, rolled_up
from ledger.queries.time_sheet import time_sheet
from ledger.queries.timeline import (
    Changed,
    Line,
    Submission,
    gaps_to_explain,
    last_application,
    last_returns,
    last_submission,
    printed_words,
    records,
    timeline,
)
from ledger.rules.intakes import KINDS, READING
from ledger.rules.levels import splits
from ledger.rules.texts import number_words
from ledger.rules.verbs import Role, State, Verb, refusal
from webapp import context
from webapp.drafts import restored
from webapp.forms import Form
from webapp.unheld import unheld_of
from webapp.uploads import waiting
from webapp.verb_forms import OF_ITEM, OF_SHARE, VerbForm, choices, successors
from webapp.what_moves import what_moves

bp = Blueprint("items", __name__)

DECIDING = (State.SIGNING, State.REVIEWING)
RULE_WORDS = {"one": "审核", "all": "会签", "any": "或签"}


@dataclass(frozen=True)
class Together:
    """A step at which several posts decide (会签, 或签): who has agreed, and who still has to act."""

    rule: str
    agreed: Sequence[Desk]
    waiting: Sequence[Desk]

    @property
    def words(self) -> str:
        """会签 2/3 已同意; 或签，2 个岗位中一个决定即可."""
        if self.rule == "any":
            return f"或签，{len(self.waiting)} 个岗位中先办的一个决定"
        return f"会签 {len(self.agreed)}/{len(self.agreed) + len(self.waiting)} 已同意"


@dataclass(frozen=True)
class FigureChange:
    """A figure that has changed since it was applied with: 填报岗位 80 → 90 个, by whom, when, why."""

    how: str
    words: str
    who: str
    at: datetime
    reason: str


@dataclass
class Pane:
    """One tab: a form on one share (or, for 催办, on several)."""

    key: str
    kind: str  # acknowledge, report, submit, decide, confirm, urge, answer, verb
    label: str
    part: Part | None = None
    desk: Desk | None = None
    form: Form = field(default_factory=lambda: Form(""))
    verb_form: VerbForm | None = None
    submission: Submission | None = None
    changes: Sequence[FigureChange] = ()
    application: Sequence[tuple[str, str]] = ()
    returned: str = ""
    parts: tuple[Part, ...] = ()
    petition: Petition | None = None
    goes_to: str = ""  # what becomes of an application
    together: Together | None = None
    several_levels: bool = False  # others decide after this step
    moves: Sequence[str] = ()  # what becomes of a share that another unit takes over

    @property
    def ref(self) -> TodoRef:
        assert self.desk is not None
        return TodoRef(self.desk.assignment_id, self.desk.step, self.desk.arm)


@bp.get("/items/<int:item_id>")
@login_required
def show(item_id: int) -> str:
    return page(item_id)


@bp.get("/assignments/<int:assignment_id>/time")
@login_required
def time(assignment_id: int) -> str:
    """时限明细单 of one share, to be read and printed."""
    connection, calendar, now = context.reading(), context.calendar(), context.now()
    item_id = item_of(connection, context.sight(), assignment_id)
    view = item_view(connection, calendar, now, context.sight(), item_id)
    known = records(connection, item_id)
    sheet = time_sheet(view, known, view.part(assignment_id), calendar, now)
    return render_template("time.html", sheet=sheet, item=view.standing.item, now=now, records=len(known.events))


@bp.get("/items/<int:item_id>/figures/<int:indicator_id>")
@login_required
def figure(item_id: int, indicator_id: int) -> str:
    """Where a shown number comes from: who reported, checked and settled it, and what was put right."""
    connection, calendar, now = context.reading(), context.calendar(), context.now()
    view = item_view(connection, calendar, now, context.sight(), item_id)
    found = origin(connection, view, records(connection, item_id), indicator_id)
    shown = render_template("figure.html", origin=found, g=found.gauge, item=view.standing.item, s=view.standing)
    looked_at(before(view, context.actor()))
    return shown


def page(item_id: int, failed: Form | None = None) -> str:
    """The page; `failed` is a form that was refused, shown with what was typed in it. Raises: NotFound."""
    connection, actor, calendar, now = context.reading(), context.actor(), context.calendar(), context.now()
    view = item_view(connection, calendar, now, context.sight(), item_id)
    standing, known = view.standing, records(connection, item_id)
    panes = panes_of(view, actor, last_returns(known))
    _fill(panes, failed)
    _offer_steps(panes, view)
    _offer_words(panes, view)
    chosen = _chosen(panes, failed)
    lines = timeline(connection, known, standing, view.readable, reads_all=_reads_all(standing))
    if chosen and chosen.part:
        chosen.application = last_application(known, chosen.part.id) if chosen.kind == "answer" else ()
        chosen.submission = last_submission(known, chosen.part.id) if chosen.kind == "decide" else None
        chosen.changes = _changes(standing, chosen.submission, lines)
        chosen.together = together_of(view, chosen.part)
        chosen.several_levels = chosen.kind == "decide" and goes_on(standing, chosen.part, chosen.part.step or "")
        chosen.goes_to = _goes_to(view, chosen.part) if chosen.kind == "submit" else ""
        chosen.moves = what_moves(view, chosen.part, now) if _hands_over(chosen) else ()
    shown = render_template(
        "item.html",
        view=view,
        s=standing,
        item=standing.item,
        panes=panes,
        chosen=chosen,
        lost=failed if failed and failed.key not in {p.key for p in panes} else None,
        lights={p.id: part_light(p, standing.item, standing.gauges, calendar, now) for p in view.parts},
        rolled={p.id: r for p in view.parts if (r := rolled_up(standing, p.id, calendar, now))},
        drilled={p.id for p in view.parts if all(lower.id in view.readable for lower in standing.parts_of(p.id))},
        lines=lines,
        gaps=gaps_to_explain(known, standing),
        printed=printed_words(known, standing.item),
        intakes=of_item(connection, context.sight(), standing, bool(view.readable)),
        may_link=standing.item.state == "open" and actor.desk(standing.item.office, "coordinator") is not None,
        kinds=list(KINDS.values()),
        own=actor.units,
        unheld=unheld_of(view),
        state_now=state_of(standing),
        now=now,
        choices=_choices(chosen, view),
        together={p.id: found for p in view.parts if (found := together_of(view, p))},
        may_clear=any(d.role in CLEARING_ROLES and d.jurisdiction == standing.item.jurisdiction for d in actor.desks),
    )
    looked_at(before(view, actor))
    return shown


def before(view: ItemView, actor: Actor) -> list[int]:
    """The shares whose application waits for a decision of this person."""
    return [p.id for p in view.parts if p.state in DECIDING and _holds(view, p, actor)]


def looked_at(shares: Sequence[int]) -> None:
    """Whoever has been shown these applications has read them, however the page was come by; a HEAD shows nothing."""
    if shares and request.method != "HEAD":
        context.perform(look, shares)


def _changes(standing: Standing, submission: Submission | None, lines: Sequence[Line]) -> list[FigureChange]:
    """What has changed of an application's figures, as its reviewer reads it."""
    gauges, acts = {g.id: g for g in standing.gauges}, {line.seq: line for line in lines}
    return [
        FigureChange(c.how, _arrow(gauges[c.indicator_id], c), f"{act.who}{act.post}", c.at, c.reason.rstrip("。"))
        for c in (submission.changes if submission else ())
        if c.indicator_id in gauges and (act := acts.get(c.seq))
    ]


def _arrow(gauge: Gauge, c: Changed) -> str:
    old = "未报" if c.old is None else number_words(c.old)
    return f"{gauge.name} {old} → {number_words(c.new)} {gauge.measure}"


def _reads_all(standing: Standing) -> bool:
    return context.sight().reads_all(standing.item.office, standing.item.jurisdiction)


def _hands_over(pane: Pane) -> bool:
    """Whether another unit may take the share over by this form."""
    disputed = pane.petition is not None and pane.petition.kind == "objection"
    return disputed or (pane.verb_form is not None and pane.verb_form.verb is Verb.REASSIGN)


def _choices(chosen: Pane | None, view: ItemView) -> dict[str, Sequence[tuple[str, str]]]:
    """What can be chosen in the open form, by field."""
    if chosen and chosen.verb_form:
        stand = view.stand(chosen.part or view.parts[0])
        return choices(context.reading(), chosen.verb_form, stand, view, chosen.part)
    if chosen and _hands_over(chosen):
        assert chosen.part is not None
        return {"to": successors(context.reading(), view.stand(chosen.part))}
    return {}


def panes_of(view: ItemView, actor: Actor, returns: Mapping[int, str]) -> list[Pane]:
    """What this person can do here, most urgent first: decide, sign for, confirm, report, apply, urge.

    `returns`: why each share that was ever sent back was, last.
    """
    panes = [pane for part in view.parts for pane in _share_panes(view, part, actor, returns.get(part.id, ""))]
    panes += [*_confirming(view, actor), *_urging(view, actor)]
    panes += [pane for part in view.parts for pane in _verb_panes(view, part, actor)]
    panes += _item_panes(view, actor)
    order = {"answer": 0, "decide": 0, "acknowledge": 1, "confirm": 2, "report": 3, "submit": 4, "urge": 5, "verb": 6}
    panes.sort(key=lambda p: 1 if _confirms(p) else 2 if p.kind == "submit" and p.returned else order[p.kind])
    return panes


def _confirms(pane: Pane) -> bool:
    """Whether this is what the office has entered for the unit, which waits for one tap."""
    return pane.verb_form is not None and pane.verb_form.verb is Verb.CONFIRM


def _holds(view: ItemView, part: Part, actor: Actor) -> bool:
    """Whether a share stands before this person."""
    desk = view.desk(part, actor)
    plan = view.standing.item.plan
    return desk is not None and actor.seat((desk.unit, desk.role), plan, part.unit) is not None


def _share_panes(view: ItemView, part: Part, actor: Actor, last_return: str) -> list[Pane]:
    is_back = part.state in (State.WORKING, State.RETURNED)  # what another verb gave out anew was not sent back
    returned = last_return if is_back else ""
    desk, holds = view.desk(part, actor), _holds(view, part, actor)
    panes = []
    if desk and holds and part.state in DECIDING:
        panes.append(
            Pane(f"decide-{part.id}-{desk.step}-{desk.arm}", "decide", _decision(view, part, desk), part, desk)
        )
    if desk and holds and part.state == State.ACKNOWLEDGING:
        words = "阅知" if view.standing.item.lifecycle == READING else "签收"
        panes.append(
            Pane(f"acknowledge-{part.id}-{desk.arm}", "acknowledge", words + _whose(view, part, actor), part, desk)
        )
    if part.is_open:
        if may(view, part, Verb.REPORT, actor):
            words = "填报" + _whose(view, part, actor)
            panes.append(Pane(f"report-{part.id}", "report", words, part, desk, returned=returned))
        if desk and may(view, part, Verb.SUBMIT, actor):
            words = "补正后重新提交" if returned else "提交反馈" if part.role == "cooperating" else "申请办结"
            words += _whose(view, part, actor)
            panes.append(Pane(f"submit-{part.id}-{desk.arm}", "submit", words, part, desk, returned=returned))
    return panes


_ANSWERING = {"extension": "审批延期", "objection": "处理异议", "steps": "确认节点计划"}


def _verb_panes(view: ItemView, part: Part, actor: Actor) -> list[Pane]:
    """What may come at any time, on one share."""
    panes = []
    if (asked := view.petitions.get(part.id)) and may(view, part, Verb.GRANT, actor):
        words = _ANSWERING[asked.kind]
        key = f"answer-{part.id}-{asked.id}-{asked.turn}"
        panes.append(Pane(key, "answer", f"{words}（{part.unit_name}）", part, petition=asked))
    whose = f"（{part.unit_name}）" if len(view.parts) > 1 else ""
    panes += [
        Pane(f"{verb}-{part.id}", "verb", verb.label + whose, part, verb_form=made)
        for verb, made in OF_SHARE.items()
        if may(view, part, verb, actor) and _has_what_for(view, part, verb)
    ]
    return panes


def _has_what_for(view: ItemView, part: Part, verb: Verb) -> bool:
    """Whether there is anything that the verb could be done to."""
    match verb:
        case Verb.CORRECT | Verb.CHECK | Verb.SETTLE:
            return any(verb is Verb.SETTLE or (part.id, i) not in view.settled for i in part.figures)
        case Verb.CONFIRM:
            return part.id in view.unconfirmed
        case Verb.PLAN_STEPS | Verb.AMEND_DUE | Verb.AMEND_QUOTA:
            return _is_planned_for(view, part, verb)
        case Verb.STEP_DONE:
            return part.current is not None
        case Verb.REVOKE:
            above = view.above(part)
            in_hand = (State.WORKING, State.RETURNED)
            return above is None or (above.state in in_hand and above.overlay != State.SUSPENDED)
        case Verb.RESUME:
            above = view.above(part)
            return above is None or above.overlay != State.SUSPENDED
        case Verb.SPLIT:
            return splits(part.unit_kind) and bool(lower_units(context.reading(), part.unit))
    return True


def _is_planned_for(view: ItemView, part: Part, verb: Verb) -> bool:
    """Whether a share has a date of its own, where that is asked for, or a number to reach."""
    if verb is Verb.AMEND_QUOTA:
        return part.quota is not None or len(view.standing.gauges) == 1
    is_one_date = part.parent_id is not None or not view.standing.item.cadence
    return is_one_date and (verb is Verb.PLAN_STEPS or part.due_at is not None)


_OF_WHOLE = {
    Verb.TERMINATE: "终止整项任务",
    Verb.AMEND_DUE: "调整任务时限",
    Verb.AMEND_QUOTA: "调整各单位份额",
}


def _is_shared(view: ItemView) -> bool:
    """Whether several units reach a figure together."""
    figure = view.standing.counted
    return figure is not None and figure.each is None and sum(p.is_open for p in view.standing.parts) > 1


def _item_panes(view: ItemView, actor: Actor) -> list[Pane]:
    """What the office may do with the item as a whole."""
    found = view.standing.item
    if found.state != "open" or not actor.desk(found.office, "coordinator"):
        return []
    has_sense = {
        Verb.DATE: is_undated(context.reading(), found),
        Verb.AMEND_DUE: bool(found.due_at) and not found.cadence,
        Verb.AMEND_TARGET: bool(view.standing.gauges),
        Verb.AMEND_QUOTA: _is_shared(view),
        Verb.LAST: not found.lasting,
        Verb.END_LAST: found.lasting,
    }
    return [
        Pane(
            f"item_{verb}-{found.id}",
            "verb",
            _OF_WHOLE.get(verb, verb.label),
            verb_form=made,
        )
        for verb, made in OF_ITEM.items()
        if has_sense.get(verb, True)
    ]


def may(view: ItemView, part: Part, verb: Verb, actor: Actor) -> bool:
    """Whether this person may do this with a share as it stands now."""
    overlay = State(part.overlay) if part.overlay else None
    return refusal(State(part.state), verb, capacities(actor, view.stand(part)), overlay=overlay) is None


def _whose(view: ItemView, part: Part, actor: Actor) -> str:
    """The unit's name, where a person acts for several units of one item."""
    own = [p for p in view.parts if actor.desk(p.unit, "liaison", view.standing.item.plan)]
    return f"（{part.unit_name}）" if len(own) > 1 else ""


def _decision(view: ItemView, part: Part, desk: Desk) -> str:
    waiting = [d for p in view.parts for d in view.open_seats(p)]
    same = [d for d in waiting if d.step == desk.step and (d.unit, d.role) == (desk.unit, desk.role)]
    signing = part.state == State.SIGNING
    verb = "审签" if signing else "认可反馈" if part.role == "cooperating" else "审核"
    if len(view.seats[part.id]) > 1:
        verb = RULE_WORDS[rule_of(view, part)] + ("反馈" if part.role == "cooperating" else "")
    return f"{verb}（{part.unit_name}）" if len(same) > 1 or not signing else verb


def together_of(view: ItemView, part: Part) -> Together | None:
    """What is known of a step at which several decide; None where one does."""
    seats = view.seats.get(part.id, ())
    if len(seats) < 2 or part.state not in DECIDING:
        return None
    return Together(rule_of(view, part), [d for d in seats if d.closed_at], view.open_seats(part))


def step_of(view: ItemView, part: Part) -> Step:
    """The step of its lifecycle at which an open share stands."""
    return published.lifecycle(lifecycle_of(view.standing, part)).step(part.step or "")


def lifecycle_of(standing: Standing, part: Part) -> str:
    """The lifecycle of a share."""
    return LOCAL if part.parent_id else str(standing.item.lifecycle)


def rule_of(view: ItemView, part: Part) -> str:
    """How the posts of the step at which a share stands decide: one, all (会签) or any (或签)."""
    return step_of(view, part).rule


def goes_on(standing: Standing, part: Part, step: str) -> bool:
    """Whether what is agreed to at a step comes before another of the same kind: inside the unit, or behind it."""
    after = step_after(lifecycle_of(standing, part), step, part.role, part.unit_kind, {"decision": "pass"})
    return after is not None and (part.state == State.REVIEWING or after.verb == "sign")


def _goes_to(view: ItemView, part: Part) -> str:
    """Before whom an application comes first."""
    step = handed_to(lifecycle_of(view.standing, part), part.role, part.unit_kind, view.standing.item.sign_roles)
    if step.verb != "sign":
        return "提交后送审核"
    return f"送本单位{'、'.join(dict.fromkeys(Role(role).label for _, role in step.posts))}审签"


def _confirming(view: ItemView, actor: Actor) -> list[Pane]:
    """Units that the document does not name, for the coordinator to confirm."""
    if actor.desk(view.standing.item.office, "coordinator") is None:
        return []
    presumed = [p for p in view.standing.parts if p.presumed]
    whose = "（{}）" if len(presumed) > 1 else ""
    return [Pane(f"confirm-{p.id}", "confirm", "确认责任单位" + whose.format(p.unit_name), p) for p in presumed]


def _urging(view: ItemView, actor: Actor) -> list[Pane]:
    """Shares this person may urge; their own are not among them."""
    parts, plan = view.parts, view.standing.item.plan
    in_hand = tuple(p for p in parts if may(view, p, Verb.URGE, actor) and not actor.desk(p.unit, "liaison", plan))
    item_id = view.standing.item.id
    return [Pane(f"urge-{item_id}", "urge", "催办", parts=in_hand)] if in_hand else []


def _fill(panes: list[Pane], failed: Form | None) -> None:
    """Give each pane what was typed into it: the refused form, or else a draft."""
    keys = [p.key for p in panes]
    drafts, files = restored(keys), waiting({*keys, *([failed.key] if failed else [])})
    for pane in panes:
        pane.form = failed if failed and failed.key == pane.key else drafts[pane.key]
        pane.form.files = files[pane.key]
    if failed:
        failed.files = files[failed.key]


def _offer_steps(panes: Sequence[Pane], view: ItemView) -> None:
    """A plan of steps that is to be changed begins with what is still to be done of the one in force."""
    for pane in panes:
        if pane.verb_form and pane.verb_form.verb is Verb.PLAN_STEPS and pane.part and not pane.form.values:
            in_force = view.plan_in_force(pane.part)
            for k, s in enumerate(in_force.to_do if in_force else (), start=1):
                part = "" if s.share is None else number_words(s.share)
                row = {"step": s.words, "until": last_day(s.due_at).isoformat(), "who": s.who, "part": part}
                pane.form.values = {**pane.form.values, **{f"{name}-{k}": words for name, words in row.items()}}


def _offer_words(panes: Sequence[Pane], view: ItemView) -> None:
    """What is to be put right begins with what stands there."""
    for pane in panes:
        if pane.verb_form and pane.verb_form.verb is Verb.AMEND_TEXT and not pane.form.values:
            pane.form.values = {"title": view.standing.item.title, "clause": view.standing.item.clause}


def _chosen(panes: list[Pane], failed: Form | None) -> Pane | None:
    """The open tab: of the refused form, or as asked for, or of the todo one came from, or the first. What may come at
    any time (撤销办结, 暂停 ...) opens only when it is asked for."""
    asked, todo = request.args.get("tab", ""), request.args.get("todo", "")
    tests: tuple[Callable[[Pane], bool], ...] = (
        lambda p: failed is not None and p.key == failed.key,
        lambda p: p.key == asked,
        lambda p: p.part is not None and str(p.part.id) == todo,
        lambda p: p.kind != "verb",
    )
    return next((p for test in tests for p in panes if test(p)), None)
