"""Starting a plan: publishing a diagram, starting a run of it, opening items when the diagram reaches them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from bpmn.plan import Item, Plan
from engine import instances, published
from engine.admission import require_clean
from engine.chasing import arm, disarm, wake
from engine.moments import Moment, opening_moment, timer_moments
from engine.notices import Notice, tell
from engine.rounds import schedule_rounds
from ledger.calendar import WorkCalendar
from ledger.database import Tx
from ledger.directory import directory_of, known_units
from ledger.errors import Refused
from ledger.events import canonical
from ledger.organisation import Organisation
from ledger.rules.due import Due, DueRule, resolve
from ledger.rules.verbs import ENDED
from ledger.schema import indicator, item, plan_source, plan_version, run_state, unit
from ledger.schema import run as run_table

ADMIN = "admin"


def publish(tx: Tx, xml: bytes, ground: str = "") -> int:
    """Publish a diagram as the next immutable version of its plan and return the version's id.

    `ground` says why, in the words of whoever publishes. The same bytes published again are the same version.

    Raises: Refused for what the linter refuses; nobody else is trusted to have asked it.
    """
    require_clean(xml, directory_of(tx.connection))
    made = published.register(xml)
    digest, plan = made.digest, made.plan
    known = tx.connection.execute(select(plan_version.c.id).where(plan_version.c.digest == digest)).scalar_one_or_none()
    if known is not None:
        return int(known)
    version_id = tx.allocate("plan_version")[0]
    last = select(func.max(plan_version.c.number)).where(plan_version.c.plan == plan.facts.key)
    number = (tx.connection.execute(last).scalar_one_or_none() or 0) + 1
    tx.connection.execute(insert(plan_source), {"digest": digest, "xml": xml.decode()})
    facts = {
        "plan": plan.facts.key,
        "number": number,
        "title": plan.facts.title,
        "jurisdiction": plan.facts.jurisdiction,
    }
    tx.record(ADMIN, "plan.published", {"version": version_id, "digest": digest, **facts}, {"ground": ground})
    tx.flush()
    return version_id


def start_run(tx: Tx, version_id: int) -> int:
    """Start a published version now: its items are copied into the ledger, those the diagram reaches are opened."""
    made = published.of_version(tx.connection, version_id)
    plan = made.plan
    run_id = tx.allocate("run")[0]
    kept_elsewhere = _kept_elsewhere(tx, plan)
    known = known_units(tx.connection, plan.facts.jurisdiction)
    tx.record(f"run:{run_id}", "run.started", _run_facts(known, plan, run_id, version_id))
    tx.flush()
    for item_id, (ord_, planned) in zip(
        tx.allocate("item", len(plan.items)), enumerate(plan.items, start=1), strict=True
    ):
        _plan_item(tx, plan, known, run_id, item_id, ord_, planned, kept_elsewhere)
    tx.flush()
    instance = instances.start(made.version)
    tx.connection.execute(insert(run_state), {"run_id": run_id, "state": instances.dump(instance), "version": 1})
    schedule_rounds(tx, plan, run_id)
    schedule_timers(tx, run_id, instance)
    open_waits(tx, run_id, plan, instances.waits(instance))
    return run_id


def _run_facts(known: Organisation, plan: Plan, run_id: int, version_id: int) -> dict[str, Any]:
    facts = plan.facts
    return {
        "run": run_id,
        "version": version_id,
        "plan": facts.key,
        "title": facts.title,
        "short": facts.short,
        "jurisdiction": facts.jurisdiction,
        "office": _unit_key(known, facts.office),
        "period_start": facts.period[0],
        "period_end": facts.period[1],
        "sign_roles": " ".join(facts.sign_roles),
        "mend_days": facts.mend_days,
        "mail": facts.mail,
        "ladder": " ".join(str(tier) for tier in facts.ladder),
        "extends": " ".join(facts.extends),
    }


# The indicators of plans under way that one unit (or its successor) fills for all; the first of each key and unit holds
# the readings.
_fills = func.coalesce(unit.c.successor, unit.c.key)
_sources = (
    select(indicator.c.key, _fills.label("reporter"), func.min(indicator.c.id).label("id"))
    .join(item, item.c.id == indicator.c.item_id)
    .join(run_table, run_table.c.id == item.c.run_id)
    .join(unit, unit.c.key == indicator.c.reporter)
    .where(
        run_table.c.jurisdiction == bindparam("b_jurisdiction"),
        run_table.c.ended_at.is_(None),
        item.c.state.in_(("pending", "open")),
        indicator.c.same_as.is_(None),
    )
    .group_by(indicator.c.key, _fills)
)


def _kept_elsewhere(tx: Tx, plan: Plan) -> dict[tuple[str, str], int]:
    """一数一源: which indicator of another plan already holds the readings, by key and reporting unit."""
    if not any(i.reporter for planned in plan.items for i in planned.indicators):
        return {}
    rows = tx.connection.execute(_sources, {"b_jurisdiction": plan.facts.jurisdiction})
    return {(r.key, r.reporter): r.id for r in rows}


def _unit_key(known: Organisation, printed: str, what: str = "统筹单位") -> str:
    found = known.resolve(printed)
    if found is not None and found.ended is not None:
        raise Refused(f"方案的{what}{found.ended.words}；请发布新版本，再启动方案。")
    if found is None or len(found.units) != 1:
        raise Refused(f"方案的{what}“{printed}”不是一个单位，请先在单位目录中登记，再启动方案。")
    return found.units[0].key


def _plan_item(
    tx: Tx,
    plan: Plan,
    known: Organisation,
    run_id: int,
    item_id: int,
    ord_: int,
    planned: Item,
    kept_elsewhere: Mapping[tuple[str, str], int],
) -> None:
    _require_there(known, planned)
    limit = _due(tx, plan, run_id, planned)
    headings = {h.id: h.name for h in plan.headings}
    reporters = [i.reporter and _unit_key(known, i.reporter, "填报单位") for i in planned.indicators]
    indicator_ids = tx.allocate("indicator", len(planned.indicators)) if planned.indicators else ()
    tx.record(
        f"item:{item_id}",
        "item.planned",
        {
            "item": item_id,
            "run": run_id,
            "element": planned.id,
            "ord": ord_,
            "no": planned.no,
            "title": planned.title,
            "clause": planned.clause,
            "heading": planned.heading,
            "heading_name": headings.get(planned.heading or "", ""),
            "completion": planned.completion,
            "gated": planned.gated,
            "lifecycle": planned.lifecycle,
            "cadence": planned.cadence,
            "needs_steps": plan.needs_steps(planned),
            "due_at": limit.at if limit else None,
            "due_text": planned.due.text if planned.due else "",
            "due_steps": canonical(limit.steps if limit else ()),
            **({"lasting": True} if planned.due and planned.due.kind == "lasting" else {}),
            "open_units": canonical(
                [s.unit for s in planned.shares if (r := known.resolve(s.unit)) is not None and r.open]
            ),
            "indicators": [
                {
                    "id": indicator_id,
                    "key": i.key,
                    "name": i.name,
                    "op": i.op,
                    "target": i.value,
                    "target_max": i.value_max,
                    "measure": i.unit,
                    "per": i.per,
                    "by": i.by,
                    "each": i.unit_name,
                    "among": _among(known, i.unit_name),
                    "sum_rule": i.sum,
                    "definition": i.definition,
                    "source": i.source,
                    "as_of": i.as_of,
                    "reporter": reporter,
                    "same_as": kept_elsewhere.get((i.key, reporter)) if reporter else None,
                }
                for indicator_id, i, reporter in zip(indicator_ids, planned.indicators, reporters, strict=True)
            ],
        },
    )


def _among(known: Organisation, each: str | None) -> list[str] | None:
    """The units that a norm (每个县) is for, where that is what it names."""
    found = known.resolve(each) if each else None
    return [u.key for u in found.units] if found else None


def _due(tx: Tx, plan: Plan, run_id: int, planned: Item) -> Due | None:
    """The due date as it stands; one counted from an anchor that has not come yet is not known."""
    return _resolved(plan, planned.due, tx.calendar, partial(_anchor, tx.connection, run_id))


def opens_at(connection: Connection, calendar: WorkCalendar, plan: Plan, run_id: int, planned: Item) -> Moment | None:
    """The date an item waits for, where its *opens* rule knows one."""
    return opening_of(plan, planned, calendar, partial(_anchor, connection, run_id))


Anchors = Callable[[str | None], datetime | None]


def opening_of(plan: Plan, planned: Item, calendar: WorkCalendar, anchor_at: Anchors) -> Moment | None:
    """The same, from the instants that rules count from, as far as they have come."""
    opens = _resolved(plan, planned.opens, calendar, anchor_at)
    return None if opens is None else opening_moment(opens.day)


def due_of(plan: Plan, planned: Item, calendar: WorkCalendar, anchor_at: Anchors) -> Due | None:
    """When an item would be due, from the instants that rules count from, as far as they are known."""
    return _resolved(plan, planned.due, calendar, anchor_at)


def _resolved(plan: Plan, rule: DueRule | None, calendar: WorkCalendar, anchor_at: Anchors) -> Due | None:
    if rule is None:
        return None
    first, last = plan.facts.period
    period = (first, last) if last is not None else None
    return resolve(rule, calendar, anchor=anchor_at(rule.anchor), period=period)


def _anchor(connection: Connection, run_id: int, anchor: str | None) -> datetime | None:
    """The instant a rule counts from: the run's start or another item's closing. 签收 is each share's own."""
    kind, _, element = (anchor or "").partition(":")
    found = {
        "run": select(run_table.c.started_at).where(run_table.c.id == run_id),
        "item": select(item.c.closed_at).where(item.c.run_id == run_id, item.c.element == element),
    }.get(kind)
    at: datetime | None = None if found is None else connection.execute(found).scalar_one_or_none()
    return at


def schedule_timers(tx: Tx, run_id: int, instance: instances.Instance) -> None:
    """A due row for every timer the diagram waits at; one that stands already is left as it is."""
    wake(tx, "run", [run_id], timer_moments(instance))


def open_waits(tx: Tx, run_id: int, plan: Plan, waits: Iterable[str]) -> None:
    """Open what the diagram has reached: the items of a heading, or an item in a branch. What is open already stays
    so."""
    reached = set(waits)
    rows = tx.connection.execute(select(item.c.id, item.c.element, item.c.state).where(item.c.run_id == run_id)).all()
    ids = {r.element: r.id for r in rows}
    state = {r.element: r.state for r in rows}
    opening = []
    for planned in plan.items:
        if state[planned.id] != "pending" or (planned.heading or planned.id) not in reached:
            continue
        if any(state[other] not in ENDED for other in planned.opens_after):
            continue
        opens = opens_at(tx.connection, tx.calendar, plan, run_id, planned)
        if opens is not None and opens.at > tx.now:
            wake(tx, "item", [ids[planned.id]], [opens])
            continue
        if opens is not None:  # its own row may be due this very instant
            disarm(tx, [("item", ids[planned.id])])
        opening.append(planned)
    if opening:
        known = known_units(tx.connection, plan.facts.jurisdiction)
        for planned in opening:
            open_item(tx, run_id, plan, known, planned, ids[planned.id])
    tx.flush()


def open_item(tx: Tx, run_id: int, plan: Plan, known: Organisation, planned: Item, item_id: int) -> None:
    """Hand an item out: a share with a todo for each unit, its ladder armed, its units told."""
    first = published.lifecycle(planned.lifecycle).step(instances.entry(published.lifecycle_version(planned.lifecycle)))
    limit = _due(tx, plan, run_id, planned)
    shares = _shares(known, planned)
    ids = tx.allocate("assignment", len(shares)) if shares else range(0)
    tx.record(
        f"item:{item_id}",
        "item.opened",
        {
            "item": item_id,
            "run": run_id,
            "step": first.id,
            "state": "acknowledging",
            "role": first.role,
            "due_at": limit.at if limit else None,
            "due_steps": canonical(limit.steps if limit else ()),
            "assignments": [{"id": i, **s} for i, s in zip(ids, shares, strict=True)],
        },
    )
    if limit and not planned.cadence:  # a recurring item is chased by its occurrences alone
        arm(tx, "assignment", ids, limit.at, plan.facts.ladder)
    handed = [
        Notice("assignment", i, 1, "handed", s["unit"], first.role, run_id, item_id, immediate=True)
        for i, s in zip(ids, shares, strict=True)
    ]
    tell(tx, handed)


def _require_there(known: Organisation, planned: Item) -> None:
    """Nothing is handed to a unit that was given up (撤销) since the plan was published. Raises: Refused."""
    for share in planned.shares:
        if (found := known.resolve(share.unit)) is not None and found.ended is not None:
            raise Refused(f"第 {planned.no} 项的单位{found.ended.words}；请发布新版本，再启动方案。")


def _shares(known: Organisation, planned: Item) -> list[dict[str, Any]]:
    """The units behind the printed names, in printed order; a unit named twice keeps its first role."""
    found: dict[str, dict[str, Any]] = {}
    for share in planned.shares:
        resolution = known.resolve(share.unit)
        if resolution is None:
            raise Refused(f"第 {planned.no} 项的单位“{share.unit}”不在单位目录中，请先登记，再启动方案。")
        for named in resolution.units:
            facts = {"role": share.role, "ord": len(found) + 1, "quota": share.quota, "presumed": share.presumed}
            found.setdefault(named.key, {"unit": named.key, **facts})
    return list(found.values())


def reopen_state(tx: Tx, run_id: int) -> tuple[Plan, instances.Instance]:
    """A run's plan and its engine instance, locked for this transaction."""
    made = published.of_run(tx.connection, run_id)
    stored = tx.connection.execute(
        select(run_state.c.state).where(run_state.c.run_id == run_id).with_for_update()
    ).scalar_one()
    return made.plan, instances.restore(made.version, stored)


def save_state(tx: Tx, run_id: int, instance: instances.Instance) -> None:
    """Store the engine's state beside what it caused."""
    values = {"state": instances.dump(instance), "version": run_state.c.version + 1}
    tx.connection.execute(update(run_state).where(run_state.c.run_id == run_id).values(**values))
