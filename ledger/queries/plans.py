"""Plans in force (方案实施) as pages show them: their cover, who may see them whole, their rounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, func, select

from ledger import prepared
from ledger.errors import NotFound
from ledger.people import Actor
from ledger.queries.overview import RunFacts, facts_of, run_covers
from ledger.schema import AnyRow, assignment, item, plan_source, plan_version, round_, run, share, todo, unit
from ledger.visibility import OWN_ITEMS, OWN_UNIT, WHOLE_RUN, Sight

_takes_part = (
    select(assignment.c.id).where(assignment.c.run_id == run.c.id, OWN_UNIT).correlate(run).exists().label("takes_part")
)
_run = run_covers.add_columns(WHOLE_RUN.label("is_whole"), _takes_part).where(run.c.id == bindparam("run_id"))


def run_facts(connection: Connection, sight: Sight, run_id: int) -> RunFacts:
    """One run. Raises: NotFound when there is none or the person may not know of it."""
    found = next(iter(prepared.rows(connection, _run, {**sight.binds, "run_id": run_id})), None)
    if found is None or not (found.is_whole or found.takes_part):
        raise NotFound("没有这个方案，或者您的单位没有参与它。")
    return facts_of(found, is_whole=bool(found.is_whole))


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


_items = select(item.c.id).where(item.c.run_id == bindparam("run_id")).order_by(item.c.ord)
_own_items = _items.where(item.c.id.in_(OWN_ITEMS.where(assignment.c.run_id == bindparam("run_id"))))
_count = select(func.count()).select_from(item).where(item.c.run_id == bindparam("run_id"))


def item_ids(connection: Connection, sight: Sight, facts: RunFacts) -> list[int]:
    """The items of a run that the person may see, in the order of the plan."""
    chosen = _items if facts.is_whole else _own_items
    return list(connection.execute(chosen, {**sight.binds, "run_id": facts.id}).scalars())


_titles = select(item.c.element, item.c.title).where(item.c.run_id == bindparam("run_id"))


def titles_of(connection: Connection, run_id: int) -> dict[str, str]:
    """The titles of a run's items as the ledger keeps them, by the diagram's element."""
    return {r.element: r.title for r in prepared.rows(connection, _titles, {"run_id": run_id})}


def item_count(connection: Connection, run_id: int) -> int:
    """How many items a run has, seen or not."""
    return int(connection.execute(_count, {"run_id": run_id}).scalar_one())


# ---------------------------------------------------------------- rounds
@dataclass(frozen=True)
class Turn:
    """A round (期次) with the units that owe it or missed it; `title` names the recurring item it is a turn of."""

    id: int
    run_id: int
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
    let_off: Sequence[str]  # who was asked and need not report any more

    @property
    def is_complete(self) -> bool:
        return self.done >= self.total


_turns = (
    select(round_, item.c.title)
    .outerjoin(item, item.c.id == round_.c.item_id)
    .where(round_.c.run_id == bindparam("run_id"))
    .order_by(round_.c.opens_at.desc(), round_.c.id.desc())
    .limit(bindparam("most"))
)
_own = share.c.unit.in_(bindparam("units", expanding=True))
_own_turns = _turns.where(select(share.c.id).where(share.c.round_id == round_.c.id, _own).correlate(round_).exists())
_not_reported = (
    select(share.c.round_id, share.c.unit, share.c.state, unit.c.short)
    .join(unit, unit.c.key == share.c.unit)
    .where(share.c.round_id.in_(bindparam("rounds", expanding=True)), share.c.state != "reported")
    .order_by(unit.c.ord)
)
_own_not_reported = _not_reported.where(_own)


def turns(connection: Connection, actor: Actor, run_facts: RunFacts, limit: int = 60) -> list[Turn]:
    """The rounds of a run, newest first: all to who sees the plan whole, else those asked of the own units."""
    chosen, missing = (_turns, _not_reported) if run_facts.is_whole else (_own_turns, _own_not_reported)
    whose = {} if run_facts.is_whole else {"units": sorted(actor.units)}
    rows = connection.execute(chosen, {"run_id": run_facts.id, "most": limit, **whose}).all()
    return _told(rows, connection.execute(missing, {"rounds": [r.id for r in rows], **whose}) if rows else ())


_of_whole_runs = (
    select(round_.c.id)
    .join(run, run.c.id == round_.c.run_id)
    .where(WHOLE_RUN, round_.c.closed_at.is_(None), round_.c.n_done < round_.c.n_total)
)
_owed_by_own = (  # `+ ""` keeps SQLite off the todos' key, of which the kind is the first part
    select(share.c.round_id)
    .join(todo, and_(todo.c.owner_kind + "" == "share", todo.c.owner_id == share.c.id))
    .where(
        todo.c.unit.in_(bindparam("sight_units", expanding=True)),
        todo.c.role == "liaison",  # whose every report is
        todo.c.closed_at.is_(None),
    )
)
_open_turns = (
    select(round_, item.c.title, run.c.short, WHOLE_RUN.label("is_whole"))
    .join(run, run.c.id == round_.c.run_id)
    .outerjoin(item, item.c.id == round_.c.item_id)
    .where(round_.c.id.in_(_of_whole_runs.union(_owed_by_own)), round_.c.closed_at.is_(None))
    .order_by(round_.c.due_at, round_.c.id)
    .limit(bindparam("most"))
)


def owed_turns(connection: Connection, sight: Sight, limit: int = 6) -> list[tuple[str, Turn]]:
    """(plan, round) of the rounds that units still owe, nearest first: all in the plans which the person sees whole, in
    others those that units of hers owe, and only these by name."""
    rows = prepared.rows(connection, _open_turns, {**sight.binds, "most": limit})
    whole = {r.id for r in rows if r.is_whole}
    missing = prepared.rows(connection, _not_reported, {"rounds": [r.id for r in rows]}) if rows else ()
    missing = [r for r in missing if r.round_id in whole or r.unit in sight.units]
    return [(r.short, turn) for r, turn in zip(rows, _told(rows, missing), strict=True)]


def _told(rows: Sequence[AnyRow], missing: Iterable[AnyRow]) -> list[Turn]:
    behind: dict[int, dict[str, list[str]]] = defaultdict(lambda: {"owed": [], "missed": [], "withdrawn": []})
    for r in missing:
        behind[r.round_id].setdefault(r.state, []).append(r.short)
    return [
        Turn(
            r.id, r.run_id, r.name, r.n, r.n_last, r.item_id, r.title, r.opens_at, r.due_at, r.n_done, r.n_total,
            behind[r.id]["owed"], behind[r.id]["missed"], behind[r.id]["withdrawn"],
        )
        for r in rows
    ]  # fmt: skip
