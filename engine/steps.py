"""节点计划: a unit breaks its share into dated steps, whoever handed it out confirms them, the unit reports each as
done.

A plan of steps is a petition (`engine.petitions`) that the office decides on, or the unit above where the share was
handed down. A changed one is another petition: what is done stays as it was, and until it is confirmed the former one
holds. A step is chased by the plan's ladder from its confirmation until it is done, is replaced, or the share ends;
while its share stands still (暂停计时) it does, too, and goes on under the share's next arm. A plan of steps that is
still owed is not asked for meanwhile, and anew when time goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import and_, bindparam, delete, or_, select

from engine.chasing import disarm, parse_ladder, wake, wake_each
from engine.desk import Case, case_of, limit_texts, permit
from engine.filing import handed_in
from engine.moments import planning_moments, step_moments
from engine.notices import Notice, tell
from ledger.calendar import end_of, last_day, local_day
from ledger.database import Tx
from ledger.errors import Invalid, Questions, Refused
from ledger.rules import timeliness
from ledger.rules.figures import share_of_target
from ledger.rules.levels import inner
from ledger.rules.texts import due_words, number_words, percent_words
from ledger.rules.verbs import Verb
from ledger.schema import AnyRow, due, figure, indicator, step

MOST = 20  # steps of one plan
_LONGEST = 200  # characters of a step's words, and of who is responsible


@dataclass(frozen=True)
class StepDraft:
    """A step as it was typed: what, until when, who in the unit (a post or a name), and how much of the target in per
    cent is to be reached with it."""

    words: str
    until: date | None
    who: str = ""
    share: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.until or self.who or self.share is not None)


# The steps of a plan in force.
_steps = select(step).where(step.c.petition_id == bindparam("b_petition")).order_by(step.c.n)


def planned(tx: Tx, case: Case, steps: Sequence[StepDraft], ground: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What a petition says of a plan of steps: its payload and its texts. Raises: Invalid, Refused."""
    if case.cadence:
        raise Refused("本任务按期次报送，每期各自计时，不需要另报节点计划。")
    known = tx.read(_steps, {"b_petition": case.steps_in_force}) if case.steps_in_force else ()
    done = [s for s in known if s.done_at is not None]
    filled = [s for s in steps if not s.is_empty]
    _require_steps(tx, case, filled, ground, done)
    ids = tx.allocate("step", len(done) + len(filled))
    kept = [_said(i, s.due_at, s.share, s.field, s.seq, s.done_at, s.done_seq) for i, s in zip(ids, done, strict=False)]
    new = [
        _said(i, end_of(s.until), s.share, k)
        for k, (i, s) in enumerate(zip(ids[len(done) :], filled, strict=True), start=1)
        if s.until
    ]
    texts = {"ground": ground}
    for k, s in enumerate(filled, start=1):
        texts |= {f"step-{k}": s.words, f"who-{k}": s.who}
    return {"steps": [*kept, *new]}, texts


def _said(
    step_id: int,
    due_at: datetime,
    share: Decimal | None,
    field: int,
    seq: int | None = None,
    done_at: datetime | None = None,
    done_seq: int | None = None,
) -> dict[str, Any]:
    """A step in an event; `seq` names the event on which its words hang, None: this one."""
    placed = {"id": step_id, "due_at": due_at, "share": share, "field": field, "seq": seq}
    return placed | {"done_at": done_at, "done_seq": done_seq}


def _require_steps(tx: Tx, case: Case, filled: Sequence[StepDraft], ground: str, done: Sequence[AnyRow]) -> None:
    limit_texts(ground=ground)
    faults: dict[str, str] = {}
    if case.steps_in_force and not ground.strip():
        faults["ground"] = "节点计划已经确认过，请写明为什么要调整、依据是什么。"
    if not filled:
        faults["step-1"] = "请至少填写一个节点。"
    if len(filled) + len(done) > MOST:
        faults["step-1"] = f"一份节点计划最多 {MOST} 个节点，请合并。"
    last = max((last_day(s.due_at) for s in done), default=None)
    for k, s in enumerate(filled, start=1):
        faults |= _faults(tx, case, k, s, last)
        last = s.until or last
    if faults:
        raise Invalid(faults)


def _faults(tx: Tx, case: Case, k: int, s: StepDraft, before: date | None) -> dict[str, str]:
    """What is wrong with the k-th step, by its fields."""
    faults = {}
    if not s.words.strip():
        faults[f"step-{k}"] = f"第 {k} 个节点没有写明要完成什么。"
    if not s.who.strip():
        faults[f"who-{k}"] = f"第 {k} 个节点没有写明责任人，可以写岗位或姓名。"
    for name, words in ((f"step-{k}", s.words), (f"who-{k}", s.who)):
        if len(words) > _LONGEST:
            faults[name] = f"文字过长（{len(words)} 字），请压缩到 {_LONGEST} 字以内。"
    if s.share is not None and not 0 < s.share <= 100:
        faults[f"part-{k}"] = "占目标的百分比请填 0 以上、100 以内的数，不考核数字的留空。"
    day = f"until-{k}"
    if s.until is None:
        faults[day] = f"请填写第 {k} 个节点的完成日期。"
    elif s.until < local_day(tx.now):
        faults[day] = "日期已经过去，请填写今天或以后的日期。"
    elif before and s.until < before:
        faults[day] = "节点请按日期先后排列，这个日期早于前一个节点。"
    elif case.due_at and s.until > last_day(case.due_at):
        faults[day] = f"不能晚于本任务的时限（{due_words(case.due_at)}）。"
    return faults


def confirm_steps(tx: Tx, case: Case, settles: Mapping[str, Any] | None, texts: Mapping[str, str]) -> None:
    """They are confirmed: these steps hold from now on and are chased, the former ones no more."""
    payload = {"assignment": case.id, "item": case.item_id, "run": case.run_id, "petition": case.petition_id}
    tx.record(f"item:{case.item_id}", "assignment.steps_confirmed", {**payload, "settles": settles}, texts)
    if case.steps_in_force:
        forget_steps(tx, [case.id])
    to_do = [s for s in tx.read(_steps, {"b_petition": case.petition_id}) if s.done_at is None]
    _chase(tx, [(s.id, s.due_at) for s in to_do], case.ladder)
    tier = f"steps_confirmed:{case.petition_id}"
    tell(tx, [Notice("assignment", case.id, case.arm, tier, case.unit, "liaison", case.run_id, case.item_id, True)])


def taken_over(tx: Tx, case: Case, within: datetime | None) -> dict[str, Any]:
    """What an event says of the plan of steps that goes on in another share, due by `within`, from now on chased there
    unless time stands still; nothing where none is in force. For what is late its new unit has some days, too."""
    if not case.steps_in_force:
        return {}
    known = tx.read(_steps, {"b_petition": case.steps_in_force})
    dates = _dates_anew(tx, case, known, within)
    said = [
        _said(i, due_at, s.share, s.field, s.seq, s.done_at, s.done_seq)
        for i, s, due_at in zip(tx.allocate("step", len(known)), known, dates, strict=True)
    ]
    if not case.suspended_at:
        to_do = [(s["id"], s["due_at"]) for s in said if s["done_at"] is None]
        _chase(tx, to_do, case.ladder)
    late = sum(due_at != s.due_at for s, due_at in zip(known, dates, strict=True))
    return {"petition": tx.allocate("petition")[0], "steps": said, "late_steps": late}


def _dates_anew(tx: Tx, case: Case, steps: Sequence[AnyRow], within: datetime | None) -> list[datetime]:
    """The dates of steps for whoever takes them over, in their order still."""
    at, dates = case.suspended_at or tx.now, list[datetime]()
    for s in steps:
        due_at = s.due_at
        if s.done_at is None:
            again = timeliness.taken_over(s.due_at, at, case.mend_days, tx.calendar)
            due_at = max([inner(again, within, s.due_at) or s.due_at, *dates[-1:]])
        dates.append(due_at)
    return dates


def _chase(tx: Tx, steps: Sequence[tuple[int, datetime]], ladder: str, turn: int = 1) -> None:
    """Arm the reminders of steps (id, due instant) that lie ahead."""
    tiers = parse_ladder(ladder)
    wake_each(
        tx,
        "step",
        [(i, m) for i, due_at in steps for m in step_moments(due_at, tiers, tx.calendar, tx.now, arm=turn)],
    )


# ---------------------------------------------------------------- 暂停计时
_to_move = (
    select(step)
    .where(
        step.c.petition_id.in_(bindparam("petitions", expanding=True)),
        or_(step.c.done_at.is_(None), step.c.done_at > bindparam("b_since", type_=step.c.done_at.type)),
    )
    .order_by(step.c.id)
)


def standing_still(tx: Tx, shares: Sequence[Case]) -> Mapping[int, Sequence[AnyRow]]:
    """The steps that stood still with these shares, those done meanwhile among them, by share."""
    found: dict[int, list[AnyRow]] = defaultdict(list)
    since = {s.id: s.suspended_at for s in shares if s.steps_in_force}
    if plans := sorted(s.steps_in_force for s in shares if s.steps_in_force):
        for r in tx.connection.execute(_to_move, {"petitions": plans, "b_since": min(since.values())}):
            if r.done_at is None or r.done_at > since[r.assignment_id]:
                found[r.assignment_id].append(r)
    return found


_to_do_after = (
    select(step)
    .where(
        step.c.petition_id.in_(bindparam("petitions", expanding=True)),
        step.c.done_at.is_(None),
        step.c.due_at > bindparam("b_until", type_=step.c.due_at.type),
    )
    .order_by(step.c.id)
)


def to_do_after(tx: Tx, shares: Sequence[Case], until: datetime) -> Mapping[int, Sequence[AnyRow]]:
    """The steps of these shares that are due after an instant and still to be done, by share."""
    found: dict[int, list[AnyRow]] = defaultdict(list)
    if plans := sorted(s.steps_in_force for s in shares if s.steps_in_force):
        for r in tx.connection.execute(_to_do_after, {"petitions": plans, "b_until": until}):
            found[r.assignment_id].append(r)
    return found


def go_on(tx: Tx, steps: Sequence[AnyRow], dates: Mapping[int, datetime], ladder: str, turn: int) -> None:
    """Steps of a share are chased again by their new dates, under its present arm."""
    _chase(tx, [(s.id, dates[s.id]) for s in steps if s.done_at is None], ladder, turn)


_forget = delete(due).where(
    due.c.owner_kind == "step",
    due.c.owner_id.in_(select(step.c.id).where(step.c.assignment_id == bindparam("b_share"))),
)


def forget_steps(tx: Tx, shares: Sequence[int]) -> None:
    """Nothing of the steps of these shares is chased any more."""
    tx.writes.write(_forget, [{"b_share": i} for i in shares])


def let_go(tx: Tx, needs_steps: bool, shares: Sequence[Case | AnyRow]) -> None:
    """Shares that end or stand still: neither their steps are chased, nor the plan of steps that they may owe."""
    if planned := [s.id for s in shares if s.steps_in_force]:
        forget_steps(tx, planned)
    if needs_steps:
        disarm(tx, [("planning", s.id) for s in shares if s.parent_id is None])


def ask_for_steps(tx: Tx, case: Case, turn: int = 0) -> None:
    """Where the plan wants it: the unit owes a plan of steps from now on, while its time runs. `turn`: the petition
    that came to nothing before, 0 for none."""
    if _owes_steps(case) and not case.suspended_at:
        _ask_from_now_on(tx, case, turn)


def ask_again(tx: Tx, case: Case) -> dict[str, int]:
    """Time goes on for whoever has signed for a share and owes a plan of steps: it has the days for it anew. Says what
    the event tells of that, the turn under which it is asked for: a number of petitions, so that none is given
    twice."""
    if not (_owes_steps(case) and case.acknowledged_at):
        return {}
    turn = tx.allocate("petition")[0]
    _ask_from_now_on(tx, case, turn)
    return {"asked": turn}


def _owes_steps(case: Case) -> bool:
    """Where the plan wants it and none is in force; what was handed down owes none."""
    is_wanted = case.needs_steps and case.parent_id is None and case.role != "cooperating"
    return is_wanted and case.steps_in_force is None


def _ask_from_now_on(tx: Tx, case: Case, turn: int) -> None:
    wake(tx, "planning", [case.id], planning_moments(tx.now, parse_ladder(case.ladder), tx.calendar, turn))


# ---------------------------------------------------------------- what was done
_open_steps = select(step).where(
    step.c.id == bindparam("b_step"), step.c.petition_id == bindparam("b_petition"), step.c.done_at.is_(None)
)
_reached = (
    select(indicator.c.name, indicator.c.op, indicator.c.target, indicator.c.measure, figure.c.value)
    .outerjoin(figure, and_(figure.c.indicator_id == indicator.c.id, figure.c.assignment_id == bindparam("b_share")))
    .where(indicator.c.item_id == bindparam("b_item"), indicator.c.sum_rule == "sum")
    .order_by(indicator.c.id)
)


def step_done(
    tx: Tx, assignment_id: int, *, step: int, words: str, files: Sequence[int] = (), confirmed: bool = False
) -> int:
    """报节点完成: a step of the plan in force is done; returns the item's id. Where a share of the target goes with it
    and the figures do not reach it, it is asked first.

    Raises: Invalid, Questions, Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.STEP_DONE)
    limit_texts(words=words)
    if not case.steps_in_force:
        raise Refused("本单位还没有经过确认的节点计划，请先报节点计划。")
    found = tx.read(_open_steps, {"b_step": step, "b_petition": case.steps_in_force})
    faults = {} if words.strip() else {"words": "请写明完成情况和结果。"}
    if not found:
        faults["step"] = "请选择一个还没有完成的节点；可能已由同事报过，请刷新页面查看。"
    if faults:
        raise Invalid(faults)
    if found[0].share is not None and not confirmed:
        _ask(tx, case, found[0])
    payload = {"assignment": case.id, "item": case.item_id, "step": step, "n": found[0].n}
    payload |= {"late": (case.suspended_at or tx.now) > found[0].due_at}
    tx.record(
        f"item:{case.item_id}", "assignment.step_done", payload, {"achieved": words}, handed_in(tx, case.id, files)
    )
    disarm(tx, [("step", step)])
    return int(case.item_id)


def _ask(tx: Tx, case: Case, found: AnyRow) -> None:
    """Raises: Questions, where the figures are behind what the step promised."""
    rows = tx.read(_reached, {"b_share": case.id, "b_item": case.item_id})
    own = case.quota if len(rows) == 1 else None  # a quota is part of the one figure that adds up
    for r in rows:
        share = share_of_target(r.value or Decimal(0), r.target if own is None else own, r.op)
        if share is not None and share * 100 < Fraction(found.share):
            said = f"{r.name}累计 {number_words(r.value or Decimal(0))} {r.measure}，为目标的 {percent_words(share)}"
            asked = f"这个节点应达到 {number_words(found.share)}%，{said}；是否确认节点已经完成？"
            raise Questions({"step": asked})
