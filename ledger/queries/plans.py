"""Plans in force (方案实施) as pages show them: their cover, who may see them whole, their rounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, or_, select

from ledger.errors import NotFound
from ledger.people import Actor
from ledger.queries.ledger import seen_items
from ledger.schema import AnyRow, item, plan_source, plan_version, round_, run, share, unit
from ledger.visibility import visible_runs


@dataclass(frozen=True)
class RunFacts:
    """A run's cover. `is_whole`: the person sees all of it, not only the items their unit takes part in."""

    id: int
    version_id: int
    number: int
    title: str
    short: str
    office: str
    period: tuple[date, date]
    started_at: datetime
    ended_at: datetime | None
    is_whole: bool


def runs(connection: Connection, actor: Actor, run_id: int | None = None) -> list[RunFacts]:
    """The runs of which the person may see something, running ones first."""
    takes_part = run.c.id.in_(select(item.c.run_id).where(item.c.id.in_(seen_items(actor))))
    whole = visible_runs(actor)
    chosen = (
        select(
            run.c.id, run.c.version_id, plan_version.c.number, run.c.title, run.c.short, unit.c.name.label("office"),
            run.c.period_start, run.c.period_end, run.c.started_at, run.c.ended_at, whole.label("is_whole"),
        )
        .join(plan_version, plan_version.c.id == run.c.version_id)
        .outerjoin(unit, unit.c.key == run.c.office)
        .where(or_(takes_part, whole))
        .order_by(run.c.ended_at.is_not(None), run.c.id.desc())
    )  # fmt: skip
    if run_id is not None:
        chosen = chosen.where(run.c.id == run_id)
    return [_facts(r) for r in connection.execute(chosen)]


def run_facts(connection: Connection, actor: Actor, run_id: int) -> RunFacts:
    """One run. Raises: NotFound when there is none or the person may not know of it."""
    found = runs(connection, actor, run_id)
    if not found:
        raise NotFound("没有这个方案，或者您的单位没有参与它。")
    return found[0]


def _facts(r: AnyRow) -> RunFacts:
    period = (r.period_start, r.period_end)
    return RunFacts(
        r.id,
        r.version_id,
        r.number,
        r.title,
        r.short,
        r.office or "",
        period,
        r.started_at,
        r.ended_at,
        bool(r.is_whole),
    )


def diagram(connection: Connection, version_id: int) -> bytes:
    """The published diagram, byte for byte. Raises: NotFound."""
    xml = connection.execute(
        select(plan_source.c.xml)
        .join(plan_version, plan_version.c.digest == plan_source.c.digest)
        .where(plan_version.c.id == version_id)
    ).scalar_one_or_none()
    if xml is None:
        raise NotFound("没有找到这个方案的流程图。")
    return str(xml).encode()


def item_ids(connection: Connection, actor: Actor, run_id: int) -> list[int]:
    """The items of a run that the person may see, in the order of the plan."""
    chosen = seen_items(actor).where(item.c.run_id == run_id).order_by(item.c.ord)
    return list(connection.execute(chosen).scalars())


def item_count(connection: Connection, run_id: int) -> int:
    """How many items a run has, seen or not."""
    return len(connection.execute(select(item.c.id).where(item.c.run_id == run_id)).all())


# ---------------------------------------------------------------- rounds
@dataclass(frozen=True)
class Turn:
    """A round (期次) with the units that owe it or missed it; `title` names the recurring item it is a turn of."""

    id: int
    name: str
    n: int
    n_last: int
    item_id: int | None
    title: str | None
    opens_at: datetime
    due_at: datetime
    done: int
    total: int
    owing: Sequence[str]
    missed: Sequence[str]

    @property
    def is_complete(self) -> bool:
        return self.done >= self.total


def turns(connection: Connection, actor: Actor, run_facts: RunFacts, limit: int = 60) -> list[Turn]:
    """The rounds of a run, newest first: all to who sees the plan whole, else those asked of the own units."""
    chosen = (
        select(round_, item.c.title)
        .outerjoin(item, item.c.id == round_.c.item_id)
        .where(round_.c.run_id == run_facts.id)
        .order_by(round_.c.opens_at.desc(), round_.c.id.desc())
        .limit(limit)
    )
    if not run_facts.is_whole:
        chosen = chosen.where(round_.c.id.in_(select(share.c.round_id).where(share.c.unit.in_(sorted(actor.units)))))
    rows = connection.execute(chosen).all()
    behind = _behind(connection, actor, run_facts, [r.id for r in rows])
    return [
        Turn(
            r.id, r.name, r.n, r.n_last, r.item_id, r.title, r.opens_at, r.due_at, r.n_done, r.n_total,
            behind[r.id]["owed"], behind[r.id]["missed"],
        )
        for r in rows
    ]  # fmt: skip


def _behind(
    connection: Connection, actor: Actor, run_facts: RunFacts, ids: Sequence[int]
) -> dict[int, dict[str, list[str]]]:
    """Round -> the units that owe it and those that missed it; of others only who sees the plan whole is told."""
    found: dict[int, dict[str, list[str]]] = defaultdict(lambda: {"owed": [], "missed": []})
    chosen = (
        select(share.c.round_id, share.c.state, unit.c.short)
        .join(unit, unit.c.key == share.c.unit)
        .where(share.c.round_id.in_(ids), share.c.state != "reported")
        .order_by(unit.c.ord)
    )
    if not run_facts.is_whole:
        chosen = chosen.where(share.c.unit.in_(sorted(actor.units)))
    for r in connection.execute(chosen):
        found[r.round_id][r.state].append(r.short)
    return found
