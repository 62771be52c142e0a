"""What is done with a case (批示件 ...): 登记, 拟办, 审定, 呈报. What lies between, 承办, is the work on its item.

A case belongs to an item: one that its registration plans in the register (登记簿) of its office and its decision hands
out, or one that was there before. Everything stands in the item's stream.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import String, and_, bindparam, cast, func, literal, select

from bpmn.lifecycle import Step
from engine import instances, published
from engine.adjusting import item_row
from engine.carrying import Next, following, place, record_step, tell_next
from engine.chasing import arm as arm_ladder
from engine.chasing import parse_ladder
from engine.desk import limit_texts
from engine.filing import handed_in
from engine.notices import Notice, tell
from engine.registers import register_of
from ledger.calendar import local_day
from ledger.database import Tx, head_columns
from ledger.directory import answering, known_units
from ledger.errors import Conflict, DubanError, Invalid, NotAllowed, NotFound, Refused
from ledger.events import canonical
from ledger.people import Actor, Desk
from ledger.rules.due import Due, DueRule, resolve
from ledger.rules.intakes import (
    ELEMENT,
    KINDS,
    MOST_TITLE,
    READ_DAYS,
    READING,
    Capacity,
    Kind,
    Outcome,
    State,
    Verb,
    faults_of,
    refusal,
)
from ledger.rules.personal import refusal_of
from ledger.rules.texts import as_seen, month_day
from ledger.rules.verbs import Role
from ledger.schema import AnyRow, intake, item, run, stream, todo, unit

MOST_DAYS = 366  # working days that a proposal may give


@dataclass(frozen=True)
class IntakeRef:
    """What the todo of a case is called."""

    intake_id: int
    step: str
    arm: int


# ---------------------------------------------------------------- 登记
def register(
    tx: Tx, kind_key: str, *, office: str, title: str, values: Mapping[str, str], files: Sequence[int] = ()
) -> int:
    """登记: a case of a kind with its item, which is not handed out yet; returns the case's id. `office`: in whose
    register.

    Raises: Invalid, NotAllowed, Refused.
    """
    kind, desk = _kind(kind_key), _sit_down(tx, office)
    values = kind.completed(values)
    title = as_seen(title).strip()
    faults = {**_title_faults(title), **faults_of(kind, values, local_day(tx.now))}
    if faults:
        raise Invalid(faults)
    register_run, no = _number(tx, kind, desk)
    item_id = tx.allocate("item")[0]
    _plan_item(tx, item_id, register_run, no, title)
    first = published.intake_cycle(kind.key).step(instances.entry(published.intake_version(kind.key)))
    return _record(tx, _New(kind, desk, item_id, register_run, register_run, no, first), values, files)


def register_on(tx: Tx, item_id: int, kind_key: str, *, values: Mapping[str, str], files: Sequence[int] = ()) -> int:
    """登记 upon an item that is under way: the work on it is what is asked, so it goes on at 承办. Returns the case's
    id.

    Raises: Invalid, NotAllowed, NotFound, Refused.
    """
    kind, found = _kind(kind_key), item_row(tx, item_id)
    desk = _sit_down(tx, found.office)
    if found.state != "open":
        raise Refused("这项任务不在办理中，不能再关联来件；请从登记簿另行登记。")
    values = kind.completed(values)
    if faults := faults_of(kind, values, local_day(tx.now)):
        raise Invalid(faults)
    register_run, no = _number(tx, kind, desk)
    carrying = next(s for s in published.intake_cycle(kind.key).steps if s.verb == Verb.CARRY)
    return _record(tx, _New(kind, desk, item_id, found.run_id, register_run, no, carrying, True), values, files)


def _kind(key: str) -> Kind:
    if key not in KINDS:
        raise NotFound("没有这一类来件。")
    return KINDS[key]


def _sit_down(tx: Tx, office: str) -> Desk:
    desk = tx.actor.desk(office, "coordinator")
    if desk is None:
        raise NotAllowed("来件由专班办工作人员登记；如有来件，请转交专班办。")
    tx.desk = desk
    return desk


def _title_faults(title: str) -> dict[str, str]:
    if not title:
        return {"title": "请填写事项名称，承办单位在台账里看到的就是它。"}
    if len(title) > MOST_TITLE or "\n" in title:
        return {"title": f"事项名称请写成一行，不超过 {MOST_TITLE} 字。"}
    # A title stands in the chain itself, as those of a plan do.
    return {"title": f"“事项名称”{said.removeprefix('文字里')}"} if (said := refusal_of(title)) else {}


def _number(tx: Tx, kind: Kind, desk: Desk) -> tuple[int, str]:
    """The register's run, and the next number in it of this year."""
    run_id, year = register_of(tx, kind, desk), local_day(tx.now).year
    return run_id, kind.number(year, tx.allocate(f"intake {run_id} {year}")[0])


_last_ord = select(func.coalesce(func.max(item.c.ord), 0)).where(item.c.run_id == bindparam("b_run"))


def _plan_item(tx: Tx, item_id: int, run_id: int, no: str, title: str) -> None:
    ord_ = tx.connection.execute(_last_ord, {"b_run": run_id}).scalar_one() + 1
    facts = {
        "item": item_id,
        "run": run_id,
        "element": f"{ELEMENT}{item_id}",
        "ord": ord_,
        "no": no,
        "title": title,
        "clause": "",
        "heading": None,
        "heading_name": "",
        "completion": "all",
        "gated": True,
        "lifecycle": "standard",
        "cadence": None,
        "needs_steps": False,
        "due_at": None,
        "due_text": "",
        "due_steps": "[]",
        "open_units": "[]",
        "indicators": [],
    }
    tx.record(f"item:{item_id}", "item.planned", facts)


@dataclass(frozen=True)
class _New:
    """A case that is being registered: its item with the run of that, the register's run, where it begins."""

    kind: Kind
    desk: Desk
    item_id: int
    run_id: int
    register_run: int
    no: str
    step: Step
    linked: bool = False


def _record(tx: Tx, new: _New, values: Mapping[str, str], files: Sequence[int]) -> int:
    intake_id, kind = tx.allocate("intake")[0], new.kind
    to = place(tx, new.step, new.desk.unit, new.desk.jurisdiction, 1)
    payload = {
        "intake": intake_id,
        "item": new.item_id,
        "run": new.run_id,
        "register": new.register_run,
        "kind": kind.key,
        "no": new.no,
        "linked": new.linked,
        "outcome": Outcome.FILE if new.linked else None,
        "facts": {f.name: values[f.name] for f in kind.fields if not f.is_text},
        **to.payload,
    }
    texts = {f.name: values[f.name] for f in kind.texts}
    # Such a file belongs to the item: there is no share of it yet.
    tx.record(f"item:{new.item_id}", "intake.registered", payload, texts, handed_in(tx, 0, files))
    tell_next(tx, intake_id, new.run_id, new.item_id, to)
    return intake_id


# ---------------------------------------------------------------- the case as it stands
_cases = (
    select(
        intake,
        item.c.title,
        item.c.state.label("item_state"),
        run.c.office,
        run.c.jurisdiction,
        run.c.plan,
        run.c.ladder,
        todo.c.unit.label("todo_unit"),
        todo.c.role.label("todo_role"),
        unit.c.short.label("todo_name"),
        *head_columns,
    )
    .select_from(
        intake.join(item, item.c.id == intake.c.item_id)
        .join(run, run.c.id == intake.c.run_id)
        .join(stream, stream.c.name == literal("item:").concat(cast(intake.c.item_id, String)))
        .outerjoin(
            todo, and_(todo.c.owner_kind == "intake", todo.c.owner_id == intake.c.id, todo.c.closed_at.is_(None))
        )
        .outerjoin(unit, unit.c.key == todo.c.unit)
    )
    .where(intake.c.id == bindparam("b_id"))
    .with_for_update(of=stream)
)


def _case_for(tx: Tx, ref: IntakeRef, verb: Verb) -> AnyRow:
    """The case, its item's stream locked, if the actor may do this now. Raises: NotFound, Conflict, NotAllowed,
    Refused."""
    rows = tx.read_locked(_cases, {"b_id": ref.intake_id})
    if not rows:
        raise NotFound("没有这件来件。")
    row = rows[0]
    mine = capacities_in(tx.actor, row.office, row.todo_unit, row.todo_role, row.plan)
    holder = f"{row.todo_name}{Role(row.todo_role).label}" if row.todo_role else ""
    if words := refusal(State(row.state), verb, mine, kind=KINDS[row.kind].name, holder=holder):
        raise _refused(State(row.state), verb, words)
    if (row.step, row.arm) != (ref.step, ref.arm):
        raise Conflict("另一位经办人", None, "办理了这一步")
    tx.desk = next(iter(mine.values()))
    return row


def _refused(state: State, verb: Verb, words: str) -> DubanError:
    return NotAllowed(words) if refusal(state, verb, set(Capacity)) is None else Refused(words)


def capacities_in(
    actor: Actor, office: str, todo_unit: str | None, todo_role: str | None, plan: str
) -> dict[Capacity, Desk]:
    """The capacities in which an actor meets a case, each with the post that gives it; the holder first."""
    found = {
        Capacity.HOLDER: actor.seat((todo_unit, todo_role), plan, "") if todo_unit and todo_role else None,
        Capacity.OFFICE: actor.desk(office, "coordinator", plan),
    }
    return {capacity: desk for capacity, desk in found.items() if desk}


# ---------------------------------------------------------------- 拟办
def propose(
    tx: Tx,
    ref: IntakeRef,
    *,
    outcome: str,
    leads: str = "",
    others: str = "",
    readers: str = "",
    until: date | None = None,
    days: int | None = None,
    opinion: str,
) -> int:
    """拟办: 立项 with leads, cooperating units (`others`) and a date or working days, or 阅知 with `readers`; names as
    they are printed. Returns the case's id. Raises: Invalid, Conflict, NotAllowed, Refused, NotFound.
    """
    row = _case_for(tx, ref, Verb.PROPOSE)
    limit_texts(opinion=opinion)
    faults = {} if opinion.strip() else {"opinion": "请写明拟办意见，审定人据此决定。"}
    units: list[tuple[str, str]] = []
    if outcome not in (Outcome.FILE, Outcome.READ):
        faults["outcome"] = "请选择建议立项还是阅知。"
    elif outcome == Outcome.READ:
        units, wrong = _named(tx, row.jurisdiction, {"readers": ("responsible", readers)})
        faults |= wrong or ({} if units else {"readers": "请写明由哪些单位阅知。"})
    else:
        roles = {"leads": ("lead", leads), "others": ("cooperating", others)}
        units, wrong = _named(tx, row.jurisdiction, roles)
        faults |= wrong
        if "leads" not in wrong and not any(role == "lead" for _, role in units):
            faults["leads"] = "请写明牵头承办的单位。"
        faults |= _due_faults(tx, until, days)
    if faults:
        raise Invalid(faults)
    proposal = {"outcome": outcome, "units": units, "until": until, "days": days}
    record_step(tx, row, "intake.proposed", following(tx, row, None), {"proposal": proposal}, {"opinion": opinion})
    return int(row.id)


def _due_faults(tx: Tx, until: date | None, days: int | None) -> dict[str, str]:
    if (until is None) == (days is None):
        return {"until": "请填写办结日期，或者填写工作日数，二者填一项。"}
    if until is not None and until < local_day(tx.now):
        return {"until": "办结日期已经过去，请填写今天或以后的日期。"}
    if days is not None and not 1 <= days <= MOST_DAYS:
        return {"days": f"工作日数请填 1 到 {MOST_DAYS}。"}
    return {}


_BETWEEN = re.compile(r"[、，,；;\n](?![^（(]*[）)])")  # not within brackets: 各县(市、区)


def _named(
    tx: Tx, jurisdiction: str, asked: Mapping[str, tuple[str, str]]
) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """(unit, role) of printed names, by field with its role; and what is wrong with them, by field. A unit named twice
    keeps its first role."""
    known = known_units(tx.connection, jurisdiction)
    found: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name, (role, words) in asked.items():
        for printed in filter(None, (part.strip() for part in _BETWEEN.split(words))):
            resolution = known.resolve(printed)
            if resolution is None:
                wrong[name] = f"单位目录中没有“{printed}”，请写单位全称或简称，几个单位之间用顿号分开。"
            elif resolution.ended is not None:
                wrong[name] = f"{resolution.ended.words}。"
            elif early := next((u for u in resolution.units if u.valid_from is not None), None):
                wrong[name] = f"“{early.short}”自 {early.valid_from} 起启用，请届时再交办，或改选别的单位。"
            elif not resolution.units:
                wrong[name] = f"“{printed}”没有列明是哪些单位，请写出单位名称。"
            else:
                for one in resolution.units:
                    found.setdefault(one.key, role)
    return list(found.items()), wrong


# ---------------------------------------------------------------- 审定
def decide_intake(tx: Tx, ref: IntakeRef, *, outcome: str, ground: str, decider: str = "") -> int:
    """审定: 立项 or 阅知 as was proposed, 存档, or 退回重拟, with its ground. A coordinator records what a leader has
    decided and names who it was (`decider`). Returns the case's id.

    Raises: Invalid, Conflict, NotAllowed, Refused, NotFound.
    """
    row = _case_for(tx, ref, Verb.DECIDE)
    limit_texts(ground=ground)
    faults = {} if ground.strip() else {"ground": "请写明决定的理由和依据。"}
    if outcome not in tuple(Outcome):
        faults["outcome"] = "请选择怎样办理。"
    elif outcome in (Outcome.FILE, Outcome.READ) and json.loads(row.proposal)["outcome"] != outcome:
        faults["outcome"] = f"拟办意见没有按“{Outcome(outcome).label}”提出单位；请选“退回重拟”，写明改办的意见。"
    elif outcome in (Outcome.FILE, Outcome.READ) and _is_past(tx, json.loads(row.proposal)):
        faults["outcome"] = "拟办意见写的时限已经过了；请选“退回重拟”，改定时限。"
    is_recorded = tx.desk is not None and tx.desk.role == "coordinator"
    if is_recorded and not decider.strip():
        faults["decider"] = "代录审定意见，请写明由哪位领导审定。"
    if len(decider) > 60:
        faults["decider"] = "审定人请写姓名和职务，不超过 60 字。"
    if faults:
        raise Invalid(faults)
    to = following(tx, row, outcome)
    texts = {"ground": ground, "decider": decider if is_recorded else ""}
    record_step(tx, row, "intake.decided", to, {"outcome": None if outcome == Outcome.RETURN else outcome}, texts)
    if outcome == Outcome.SHELVE:
        tx.record(f"item:{row.item_id}", "item.terminated", {"item": row.item_id, "withdrawn": [], "owed": []})
    elif outcome != Outcome.RETURN:
        _hand_out(tx, row, to)
    return int(row.id)


def _hand_out(tx: Tx, row: AnyRow, to: Next) -> None:
    """The item as it was proposed: a share with a todo for each unit, its ladder armed, its units told."""
    proposal = json.loads(row.proposal)
    is_read = proposal["outcome"] == Outcome.READ
    cycle = READING if is_read else "standard"
    first = published.lifecycle(cycle).step(instances.entry(published.lifecycle_version(cycle)))
    limit = _limit(tx, proposal)
    units = _those_answering(tx, proposal["units"])
    ids = tx.allocate("assignment", len(units))
    shares: list[dict[str, Any]] = [
        {"id": i, "unit": key, "role": role, "ord": n, "quota": None, "presumed": False}
        for n, (i, (key, role)) in enumerate(zip(ids, units, strict=True), start=1)
    ]
    opened = {
        "item": row.item_id,
        "run": row.run_id,
        "step": first.id,
        "state": "acknowledging",
        "role": first.role,
        "due_at": limit.at,
        "due_steps": canonical(limit.steps),
        "assignments": shares,
        "completion": "all" if is_read else "lead",
        "item_lifecycle": cycle,
    }
    tx.record(f"item:{row.item_id}", "item.opened", opened)
    arm_ladder(tx, "assignment", ids, limit.at, parse_ladder(row.ladder))
    handed = [
        Notice("assignment", s["id"], 1, "handed", s["unit"], first.role, row.run_id, row.item_id, immediate=True)
        for s in shares
    ]
    tell(tx, handed)


def _is_past(tx: Tx, proposal: Mapping[str, Any]) -> bool:
    """Whether the date that was proposed has passed while it waited for a decision."""
    return bool(proposal["until"]) and date.fromisoformat(proposal["until"]) < local_day(tx.now)


def _those_answering(tx: Tx, units: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Units as they were proposed, each by whoever has succeeded it since; the first role of one holds."""
    now = answering(tx.connection, {key for key, _ in units})
    found: dict[str, str] = {}
    for key, role in units:
        found.setdefault(now[key], role)
    return list(found.items())


def _limit(tx: Tx, proposal: Mapping[str, Any]) -> Due:
    """By when: the date that was proposed, or working days from the decision."""
    if proposal["until"]:
        day = date.fromisoformat(proposal["until"])
        rule = DueRule("by", f"{month_day(day)}前", date=day)
    else:
        days = proposal["days"] or READ_DAYS
        rule = DueRule("within", f"{days}个工作日内", days=days, working=True, anchor="run")
    limit = resolve(rule, tx.calendar, anchor=tx.now)
    assert limit is not None
    said = tuple((label, words.replace("方案启动", "审定")) for label, words in limit.steps)
    return replace(limit, steps=said)


# ---------------------------------------------------------------- 呈报
def present(tx: Tx, ref: IntakeRef, *, account: str, on: date | None, further: str = "") -> int:
    """呈报: what has become of it, reported to whoever gave it, on which day, and what was said to that (`further`).
    The case has ended. Returns its id. Raises: Invalid, Conflict, NotAllowed, Refused, NotFound.
    """
    row = _case_for(tx, ref, Verb.PRESENT)
    limit_texts(account=account, further=further)
    faults = {} if account.strip() else {"account": "请写明办理结果，领导据此了解落实情况。"}
    if on is None:
        faults["on"] = "请填写呈报日期。"
    elif on > local_day(tx.now):
        faults["on"] = "呈报日期不能晚于今天。"
    if faults:
        raise Invalid(faults)
    texts = {"account": account, "further": further}
    record_step(tx, row, "intake.presented", following(tx, row, row.outcome), {"on": on}, texts)
    return int(row.id)
