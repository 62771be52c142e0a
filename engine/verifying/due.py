"""Due rows: what stands there is exactly what `engine.moments` gives, or was told; nothing else is armed.

A row stands where the present calendar puts it: a decision about days moves whatever is armed (`engine.rearming`).
Which of an owner's tiers lay ahead when they were armed, and so are there at all, the calendar of that day has said, or
one since.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Select, and_, bindparam, exists, func, literal, not_, or_, select

from bpmn.plan import Cadence, Plan
from engine import published
from engine.chasing import parse_ladder
from engine.moments import (
    Moment,
    change_moment,
    chased_after_return,
    close_moments,
    day_of_turn,
    digest_moment,
    ladder_moments,
    leave_moment,
    next_day,
    planning_moments,
    round_moments,
    week_day,
    weekly_moment,
)
from engine.petitions import LADDER
from engine.rearming import DATING
from engine.verifying.common import OWNERS, has_ticked, is_chased, of_share
from ledger.calendar import SHANGHAI, WorkCalendar
from ledger.directory import STREAM
from ledger.errors import NotFound
from ledger.queries.steps import asked_again
from ledger.rules.intakes import LADDER as OF_CASES
from ledger.rules.verbs import State
from ledger.schema import (
    AnyRow,
    assignment,
    due,
    event,
    intake,
    item,
    notice,
    petition,
    post,
    round_,
    run,
    share,
    step,
    todo,
    unit_change,
)
from ledger.verification.scene import Check, Found, Scene

TOLD_AT_ONCE = 500  # owners whose notices are looked up together
# The 调休 of a year is published in the November before. What was armed for a later year than its own by the
# provisional calendar may stand a little elsewhere than the published one has it.
UNPUBLISHED = timedelta(days=14)

_by_date = or_(item.c.cadence.is_(None), assignment.c.parent_id.is_not(None))  # occurrences are asked of the whole
_chased = and_(is_chased, assignment.c.due_at.is_not(None), _by_date)
_ROW = (due.c.id.label("due_id"), due.c.kind, due.c.arm.label("due_arm"), due.c.at, due.c.rank)
Rule = Callable[[WorkCalendar], Iterable[Moment]]
_Key = tuple[str, int, int]  # kind, arm, rank


def _due(scene: Scene) -> Found:
    lost = _Lost(scene)
    yield from _system(scene)
    yield from _assignments(scene, lost)
    yield from _shares(scene, lost)
    yield from _petitions(scene, lost)
    yield from _intakes(scene, lost)
    yield from _steps(scene, lost)
    yield from _plannings(scene, lost)
    yield from lost.all()
    yield from _deputies(scene)
    yield from _changes(scene)
    yield from _rounds(scene)
    yield from _runs(scene)
    for rule, (sentence, statement) in _STRAY.items():
        for r in scene.rows(statement):
            yield rule, sentence.format(*r), {"table": "due", "row": str(r[0])}
    scene.counts["due"] = int(scene.connection.execute(select(func.count()).select_from(due)).scalar_one())


# ---------------------------------------------------------------- one owner
@dataclass(frozen=True)
class _Wanted:
    """What is armed for an owner: all its moments by a calendar, since when, and after which instant (None: all)."""

    rule: Rule
    armed_at: datetime
    after: datetime | None = None

    def now(self, scene: Scene) -> dict[_Key, datetime]:
        """Where the present calendar puts what may be armed."""
        since = scene.calendars_since(self.armed_at)
        there = {_key(m): m.at for m in self.rule(since[-1])}
        may = set().union(*(self._ahead(calendar) for calendar in since))
        return {key: at for key, at in there.items() if key in may}

    def always(self, scene: Scene) -> set[_Key]:
        """What was armed whichever calendar it was."""
        return set.intersection(*(self._ahead(c) for c in scene.calendars_since(self.armed_at)))

    def _ahead(self, calendar: WorkCalendar) -> set[_Key]:
        return {_key(m) for m in self.rule(calendar) if self.after is None or m.at > self.after}


def _key(m: Moment) -> _Key:
    return m.kind, m.arm, m.rank


def _compare(
    scene: Scene, kind: str, owner: int, rows: Iterable[AnyRow], wanted: _Wanted
) -> Iterator[tuple[str, str, Mapping[str, Any]] | Moment]:
    """Findings for what stands there and should not, and the moments that should and do not."""
    may = wanted.now(scene)
    for r in rows:
        if r.due_id is None:
            continue
        right = may.pop((r.kind, r.due_arm, r.rank), None)
        if right is None or not _is_at(r.at, right, wanted.armed_at):
            yield _wrong(kind, owner, r, right)
    must = wanted.always(scene) if may else ()
    yield from (Moment(k, arm, at, rank) for (k, arm, rank), at in may.items() if (k, arm, rank) in must)


def _is_at(at: datetime, wanted: datetime, armed_at: datetime) -> bool:
    later = wanted.astimezone(SHANGHAI).year > armed_at.astimezone(SHANGHAI).year
    return at == wanted or (later and abs(at - wanted) <= UNPUBLISHED)


def _wrong(kind: str, owner: int, r: AnyRow, right: datetime | None) -> tuple[str, str, Mapping[str, Any]]:
    rule = f"按规则应为 {_clock(right)}（时间被改动）" if right else "按规则不该有（被添加或改动）"
    sentence = f"{OWNERS[kind]}第 {owner} 号的到期安排“{r.kind}”（第 {r.due_arm} 轮）定在 {_clock(r.at)}，{rule}"
    return "wrong", sentence, {"table": "due", "row": str(r.due_id)}


def _clock(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _missing(kind: str, owner: int, name: str) -> tuple[str, str, Mapping[str, Any]]:
    sentence = f"{OWNERS[kind]}第 {owner} 号应有的到期安排“{name}”不见了，提醒也没有发过（被删除）"
    return "missing", sentence, {"table": "due", "row": f"{kind},{owner},{name}"}


@dataclass
class _Lost:
    """Tiers that are not armed: whoever was told needs them no more. Looked up a portion at a time."""

    scene: Scene
    waiting: dict[tuple[str, int], list[Moment]] = field(default_factory=dict)

    def add(self, kind: str, owner: int, moment: Moment) -> Found:
        self.waiting.setdefault((kind, owner), []).append(moment)
        if len(self.waiting) >= TOLD_AT_ONCE:
            yield from self.all()

    def all(self) -> Found:
        told = set()
        for kind, notices in _TOLD.items():
            owners = [owner for k, owner in self.waiting if k == kind]
            rows = self.scene.connection.execute(notices, {"owners": owners}) if owners else ()
            told |= {(kind, r.id, _rung(r), r.arm) for r in rows}
        for (kind, owner), moments in self.waiting.items():
            for m in moments:
                if (kind, owner, m.kind.removeprefix("tier:"), m.arm) not in told:
                    yield _missing(kind, owner, m.kind)
        self.waiting.clear()


def _rung(r: AnyRow) -> str:
    """The tier that a notice told."""
    return str(r.tier).removeprefix(f"pressing:{r.id}.{r.arm}.")


_told = select(notice.c.owner_id.label("id"), notice.c.tier, notice.c.arm).where(
    notice.c.owner_id.in_(bindparam("owners", expanding=True))
)
_TOLD = {
    "assignment": _told.where(notice.c.owner_kind == "assignment"),
    "share": _told.where(notice.c.owner_kind == "share"),
    "step": _told.where(notice.c.owner_kind == "step"),
    "planning": _told.where(notice.c.owner_kind == "planning"),
    "intake": select(  # of the step at which the case stands
        intake.c.id,
        func.replace(notice.c.tier, literal("chasing:").concat(intake.c.step).concat("."), "").label("tier"),
        notice.c.arm,
    )
    .join(notice, and_(notice.c.owner_kind == "intake", notice.c.owner_id == intake.c.id))
    .where(intake.c.id.in_(bindparam("owners", expanding=True)), notice.c.tier.like("chasing:%")),
    "petition": select(petition.c.id, notice.c.tier, notice.c.arm)  # told in the name of the share
    .join(notice, and_(notice.c.owner_kind == "assignment", notice.c.owner_id == petition.c.assignment_id))
    .where(petition.c.id.in_(bindparam("owners", expanding=True)), notice.c.tier.like("pressing:%")),
}


def _each(scene: Scene, statement: Select[Any]) -> Iterator[tuple[AnyRow, list[AnyRow]]]:
    """Owners with their due rows, from a statement in the order of `id`: the owner is the first of its rows."""
    for _, rows in groupby(scene.rows(statement), key=lambda r: r.id):
        own = list(rows)
        yield own[0], own


def _armed(scene: Scene, lost: _Lost, kind: str, owner: int, rows: Iterable[AnyRow], wanted: _Wanted) -> Found:
    for found in _compare(scene, kind, owner, rows, wanted):
        if isinstance(found, Moment):
            yield from lost.add(kind, owner, found)
        else:
            yield found


# ---------------------------------------------------------------- ladders
_shares_in_hand = (
    select(
        assignment.c.id,
        assignment.c.item_id,
        assignment.c.due_at,
        assignment.c.arm,
        assignment.c.acknowledged_at,
        assignment.c.parent_id,
        item.c.due_at.label("item_due"),
        item.c.opened_at,
        run.c.ladder,
        run.c.mend_days,
        *_ROW,
    )
    .join(item, item.c.id == assignment.c.item_id)
    .join(run, run.c.id == assignment.c.run_id)
    .outerjoin(due, and_(due.c.owner_kind == "assignment", due.c.owner_id == assignment.c.id))
    .where(_chased)
    .order_by(assignment.c.id, due.c.id)
)


def _assignments(scene: Scene, lost: _Lost) -> Found:
    for r, rows in _each(scene, _shares_in_hand):
        yield from _armed(scene, lost, "assignment", r.id, rows, _ladder(scene, r))


def _ladder(scene: Scene, r: AnyRow) -> _Wanted:
    """The ladder as it was armed last: with the item, with 签收 where the date counts from it, or anew since."""
    ladder = parse_ladder(r.ladder)
    if (last := _dated(scene, r)) is not None:
        at, said = last.at, json.loads(last.payload)
        due_at = datetime.fromisoformat(said["due_at"])

        def again(calendar: WorkCalendar) -> list[Moment]:
            is_return = last.kind == "assignment.returned"
            chased = chased_after_return(due_at, at, r.mend_days, calendar) if is_return else due_at
            return ladder_moments(chased, ladder, calendar, arm=said["to_arm"])

        return _Wanted(again, at, at)
    after = r.acknowledged_at if r.item_due is None and r.parent_id is None else None
    return _Wanted(lambda calendar: ladder_moments(r.due_at, ladder, calendar), after or r.opened_at, after)


def _dated(scene: Scene, r: AnyRow) -> AnyRow | None:
    """The last act that gave a share another date; in its first arm there was none."""
    if r.arm == 1:
        return None
    acts = scene.connection.execute(
        select(event.c.at, event.c.kind, event.c.payload)
        .where(event.c.stream == f"item:{r.item_id}", event.c.kind.in_(DATING))
        .order_by(event.c.seq.desc())
    )
    return next((e for e in acts if json.loads(e.payload)["assignment"] == r.id), None)


_shares_owed = (
    select(
        share.c.id,
        share.c.run_id,
        round_.c.cadence,
        round_.c.due_at,
        todo.c.opened_at,
        *_ROW,
    )
    .join(round_, round_.c.id == share.c.round_id)
    .join(todo, of_share)
    .outerjoin(due, and_(due.c.owner_kind == "share", due.c.owner_id == share.c.id))
    .where(share.c.state == "owed")
    .order_by(share.c.id, due.c.id)
)


def _shares(scene: Scene, lost: _Lost) -> Found:
    plans = _Plans(scene)
    for r, rows in _each(scene, _shares_owed):
        cadence = plans.cadence(r)
        if cadence is not None:
            yield from _armed(scene, lost, "share", r.id, rows, _asked(r.due_at, cadence.ladder, r.opened_at))


def _asked(due_at: datetime, ladder: tuple[int, ...], asked_at: datetime, arm: int = 1) -> _Wanted:
    """What is asked for is told with it: only what lies ahead of it is armed."""
    return _Wanted(lambda calendar: ladder_moments(due_at, ladder, calendar, arm=arm), asked_at, asked_at)


_is_laid = and_(intake.c.step.is_not(None), intake.c.due_at.is_not(None))
_open_petitions = (
    select(petition.c.id, petition.c.turn, petition.c.due_at, todo.c.opened_at, *_ROW)
    .join(
        todo,
        and_(todo.c.owner_kind == "petition", todo.c.owner_id == petition.c.id, todo.c.arm == petition.c.turn),
    )
    .outerjoin(due, and_(due.c.owner_kind == "petition", due.c.owner_id == petition.c.id))
    .where(petition.c.state == "open")
    .order_by(petition.c.id, due.c.id)
)


def _petitions(scene: Scene, lost: _Lost) -> Found:
    """Whoever has to decide is reminded, from the day on which it was laid before them."""
    for r, rows in _each(scene, _open_petitions):
        yield from _armed(scene, lost, "petition", r.id, rows, _asked(r.due_at, LADDER, r.opened_at, r.turn))


_open_intakes = (
    select(intake.c.id, intake.c.arm, intake.c.due_at, todo.c.opened_at, *_ROW)
    .join(
        todo,
        and_(
            todo.c.owner_kind == "intake",
            todo.c.owner_id == intake.c.id,
            todo.c.step == intake.c.step,
            todo.c.arm == intake.c.arm,
        ),
    )
    .outerjoin(due, and_(due.c.owner_kind == "intake", due.c.owner_id == intake.c.id))
    .where(_is_laid)
    .order_by(intake.c.id, due.c.id)
)


def _intakes(scene: Scene, lost: _Lost) -> Found:
    """Whoever a case lies before is reminded, from the day on which it was laid there."""
    for r, rows in _each(scene, _open_intakes):
        yield from _armed(scene, lost, "intake", r.id, rows, _asked(r.due_at, OF_CASES, r.opened_at, r.arm))


# A step to be done: of the plan in force of a share that goes on.
_to_do = and_(
    assignment.c.steps_in_force == step.c.petition_id,
    step.c.done_at.is_(None),
    assignment.c.closed_at.is_(None),
    assignment.c.overlay.is_distinct_from(State.SUSPENDED.value),
)
_open_steps = (
    select(
        *(step.c.id, step.c.due_at, petition.c.settled_at, run.c.ladder),
        *(assignment.c.item_id, assignment.c.arm, assignment.c.id.label("share_id")),
        *_ROW,
    )
    .join(assignment, assignment.c.id == step.c.assignment_id)
    .join(run, run.c.id == assignment.c.run_id)
    .join(petition, petition.c.id == step.c.petition_id)
    .outerjoin(due, and_(due.c.owner_kind == "step", due.c.owner_id == step.c.id))
    .where(_to_do)
    .order_by(step.c.id, due.c.id)
)


def _steps(scene: Scene, lost: _Lost) -> Found:
    """Steps are chased from their confirmation on, anew since their share stood still."""
    for r, rows in _each(scene, _open_steps):
        moved = _step_moved(scene, r)
        since, arm = (moved[0], moved[1]) if moved else (r.settled_at, 1)
        yield from _armed(scene, lost, "step", r.id, rows, _asked(r.due_at, parse_ladder(r.ladder), since, arm))


# What gives steps other dates.
_MOVING = ("assignment.resumed", "assignment.due_changed", "assignment.due_followed")


def _step_moved(scene: Scene, r: AnyRow) -> tuple[datetime, int] | None:
    """When, and under which arm of its share, a step was last given another date; no share goes on in its first arm."""
    if r.arm == 1:
        return None
    moved = scene.connection.execute(
        select(event.c.at, event.c.payload)
        .where(event.c.stream == f"item:{r.item_id}", event.c.kind.in_(_MOVING))
        .order_by(event.c.seq.desc())
    )
    for e in moved:
        said = json.loads(e.payload)
        if said["assignment"] == r.share_id and any(i == r.id for i, _ in said.get("steps", ())):
            return e.at, said["to_arm"]
    return None


_planned_before = petition.alias("planned_before")
_of_share_before = (_planned_before.c.assignment_id == assignment.c.id, _planned_before.c.kind == "steps")
_owes_steps = and_(
    item.c.needs_steps,
    assignment.c.parent_id.is_(None),
    assignment.c.role != "cooperating",
    assignment.c.acknowledged_at.is_not(None),
    assignment.c.closed_at.is_(None),
    assignment.c.steps_in_force.is_(None),
    assignment.c.overlay.is_distinct_from(State.SUSPENDED.value),
    not_(exists().where(*_of_share_before, _planned_before.c.state == "open").correlate(assignment)),
)
_owing_steps = (
    select(
        assignment.c.id,
        assignment.c.arm,
        assignment.c.acknowledged_at,
        select(func.max(_planned_before.c.settled_at)).where(*_of_share_before).scalar_subquery().label("settled_at"),
        select(func.max(_planned_before.c.id)).where(*_of_share_before).scalar_subquery().label("turn"),
        run.c.ladder,
        *_ROW,
    )
    .join(item, item.c.id == assignment.c.item_id)
    .join(run, run.c.id == assignment.c.run_id)
    .outerjoin(due, and_(due.c.owner_kind == "planning", due.c.owner_id == assignment.c.id))
    .where(_owes_steps)
    .order_by(assignment.c.id, due.c.id)
)


def _plannings(scene: Scene, lost: _Lost) -> Found:
    """A plan of steps is owed from 签收 on, or from the day on which one came to nothing, or time went on; turns are
    numbered as they come."""
    for r, rows in _each(scene, _owing_steps):
        again = asked_again(scene.connection, assignment.c.id == r.id).get(r.id) if r.arm > 1 else None
        asked_at, turn = max((r.settled_at or r.acknowledged_at, r.turn or 0), again or (r.acknowledged_at, 0))

        def rule(
            calendar: WorkCalendar, r: AnyRow = r, asked_at: datetime = asked_at, turn: int = turn
        ) -> list[Moment]:
            return planning_moments(asked_at, parse_ladder(r.ladder), calendar, turn)

        yield from _armed(scene, lost, "planning", r.id, rows, _Wanted(rule, asked_at, asked_at))


_acting = (
    select(post.c.id, post.c.since, *_ROW)
    .outerjoin(due, and_(due.c.owner_kind == "post", due.c.owner_id == post.c.id))
    .where(post.c.deputy_for.is_not(None), post.c.until.is_(None))
    .order_by(post.c.id, due.c.id)
)


def _deputies(scene: Scene) -> Found:
    """A deputy's post ends with the day that was said when it was taken."""
    taken = select(event.c.payload).where(event.c.stream == STREAM, event.c.kind == "post.taken")
    said = (json.loads(e.payload) for e in scene.connection.execute(taken))
    ends = {p["post"]: date.fromisoformat(p["ends"]) for p in said if p.get("ends")}
    for r, rows in _each(scene, _acting):

        def rule(_: WorkCalendar, post_id: int = r.id) -> list[Moment]:
            return [leave_moment(ends[post_id])]

        for found in _compare(scene, "post", r.id, rows, _Wanted(rule, r.since)):
            yield _missing("post", r.id, found.kind) if isinstance(found, Moment) else found


_decided = (
    select(unit_change.c.id, unit_change.c.at.label("when"), *_ROW)
    .outerjoin(due, and_(due.c.owner_kind == "change", due.c.owner_id == unit_change.c.id))
    .where(unit_change.c.state == "planned")
    .order_by(unit_change.c.id, due.c.id)
)


def _changes(scene: Scene) -> Found:
    """A change of a unit that was decided for a day comes on that day."""
    for r, rows in _each(scene, _decided):

        def rule(_: WorkCalendar, when: datetime = r.when) -> list[Moment]:
            return [change_moment(when)]

        for found in _compare(scene, "change", r.id, rows, _Wanted(rule, r.when)):
            yield _missing("change", r.id, found.kind) if isinstance(found, Moment) else found


# ---------------------------------------------------------------- rounds and runs
@dataclass
class _Plans:
    """The published plans of runs. One that is gone is said by the check of the diagrams."""

    scene: Scene
    known: dict[int, Plan | None] = field(default_factory=dict)

    def plan(self, run_id: int) -> Plan | None:
        if run_id not in self.known:
            try:
                self.known[run_id] = published.of_run(self.scene.connection, run_id).plan
            except NotFound:
                self.known[run_id] = None
        return self.known[run_id]

    def cadence(self, r: AnyRow) -> Any:
        plan = self.plan(r.run_id)
        return plan and next((c for c in plan.cadences if c.id == r.cadence), None)


_open_rounds = (
    select(round_.c.id, round_.c.run_id, round_.c.cadence, round_.c.opens_at, round_.c.due_at, *_ROW)
    .outerjoin(due, and_(due.c.owner_kind == "round", due.c.owner_id == round_.c.id))
    .where(round_.c.closed_at.is_(None))
    .order_by(round_.c.id, due.c.id)
)


def _rounds(scene: Scene) -> Found:
    """Rounds that still take reports: their end."""
    plans = _Plans(scene)
    for r, rows in _each(scene, _open_rounds):
        cadence = plans.cadence(r)
        if cadence is None:
            yield "cadence", f"期次第 {r.id} 号的节奏“{r.cadence}”不在方案里", {"table": "round", "row": str(r.id)}
            continue

        def rule(calendar: WorkCalendar, cadence: Any = cadence, due_at: datetime = r.due_at) -> list[Moment]:
            return close_moments(cadence, due_at, calendar)

        for found in _compare(scene, "round", r.id, rows, _Wanted(rule, r.opens_at)):
            yield _missing("round", r.id, found.kind) if isinstance(found, Moment) else found


_planned = (
    select(run.c.id, run.c.started_at, run.c.ended_at, *_ROW)
    .outerjoin(due, and_(due.c.owner_kind == "run", due.c.owner_id == run.c.id, due.c.kind.like("round:%")))
    .order_by(run.c.id, due.c.id)
)


def _runs(scene: Scene) -> Found:
    """Runs: the turns that are still to open, as the present calendar has them. What has passed may have fired, or be
    about to."""
    plans, calendar = _Plans(scene), scene.calendar
    for r, rows in _each(scene, _planned):
        plan = plans.plan(r.id)
        if plan is None:
            continue
        rhythms = {cadence.id: cadence for cadence in plan.cadences}
        rounds = select(round_.c.cadence, round_.c.n, round_.c.day).where(round_.c.run_id == r.id)
        opened = {_turn(rhythms, o.cadence, str(o.day or o.n)) for o in scene.connection.execute(rounds)}
        moments = [] if r.ended_at is not None else round_moments(plan, r.started_at, calendar)
        to_open = {m.kind: m for m in moments if m.kind not in opened}
        for row in rows:
            if row.due_id is None:
                continue
            m = to_open.pop(_turn(rhythms, *row.kind.removeprefix("round:").rpartition(":")[::2]), None)
            if m is None or (row.due_arm, row.rank) != (m.arm, m.rank) or not _is_at(row.at, m.at, r.started_at):
                yield _wrong("run", r.id, row, m and m.at)
        yield from (_missing("run", r.id, m.kind) for m in to_open.values() if m.at > scene.now)


def _turn(rhythms: Mapping[str, Cadence], name: str, turn: str) -> str:
    """What the due row of a turn is called, however it was named."""
    day = day_of_turn(rhythms[name], turn) if name in rhythms else None
    return f"round:{name}:{day}"


# ---------------------------------------------------------------- the digests of day and week
def _system(scene: Scene) -> Found:
    """Once a scheduler has run, they are planted: ahead where the calendar has them, or about to be fired."""
    rows = scene.connection.execute(select(due).where(due.c.owner_kind == "system").order_by(due.c.id)).all()
    if not rows and not has_ticked(scene):
        return
    for kind, words in (("digest", "每日汇总"), ("weekly", "每周情况")):
        if not any(r.kind == kind for r in rows):
            yield "system", f"到期安排缺“{words}”（被删除）", {"table": "due", "row": f"system,0,{kind}"}
    for r in rows:
        right = {m.at for m in _regular(scene.now, scene.calendar) if m.kind == r.kind}
        if (r.at > scene.now and r.at not in right) or r.arm != 1:
            ought = "或 ".join(_clock(at) for at in sorted(right))
            sentence = f"系统的到期安排“{r.kind}”定在 {_clock(r.at)}，按工作日历应为 {ought}（时间被改动）"
            yield "system-time", sentence, {"table": "due", "row": str(r.id)}


def _regular(now: datetime, calendar: WorkCalendar) -> list[Moment]:
    """Where the next digests may stand. The week's may have been put off to the next day there is."""
    soon = next_day(now, calendar)
    weeks = (week_day(now, calendar), week_day(now, calendar, weeks=1), soon)
    return [digest_moment(soon), *map(weekly_moment, weeks)]


# ---------------------------------------------------------------- rows of nothing that waits for them
_is_tier = due.c.kind.like("tier:%")
_CHASED = ("assignment", "share", "petition", "intake", "step", "planning")
_STRAY = {
    "stray-assignment": (
        "到期安排第 {0} 号（{1}）属于责任分工第 {2} 号，那里没有要提醒的时限，或已不在办理中",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(assignment, assignment.c.id == due.c.owner_id)
        .outerjoin(item, item.c.id == assignment.c.item_id)
        .where(due.c.owner_kind == "assignment", not_(func.coalesce(_chased, literal(False)))),
    ),
    "stray-share": (
        "到期安排第 {0} 号（{1}）属于期次报送第 {2} 号，那里已不欠报",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(share, share.c.id == due.c.owner_id)
        .where(due.c.owner_kind == "share", or_(share.c.id.is_(None), share.c.state != "owed")),
    ),
    "stray-petition": (
        "到期安排第 {0} 号（{1}）属于申请第 {2} 号，那份申请已有结果",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(petition, petition.c.id == due.c.owner_id)
        .where(due.c.owner_kind == "petition", or_(petition.c.id.is_(None), petition.c.state != "open")),
    ),
    "stray-intake": (
        "到期安排第 {0} 号（{1}）属于来件第 {2} 号，那里现在没有人要办的一步",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(intake, intake.c.id == due.c.owner_id)
        .where(due.c.owner_kind == "intake", not_(func.coalesce(_is_laid, literal(False)))),
    ),
    "stray-step": (
        "到期安排第 {0} 号（{1}）属于节点第 {2} 号，那里已经完成、被调整或不再办理",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(step, step.c.id == due.c.owner_id)
        .outerjoin(assignment, assignment.c.id == step.c.assignment_id)
        .where(due.c.owner_kind == "step", not_(func.coalesce(_to_do, literal(False)))),
    ),
    "stray-planning": (
        "到期安排第 {0} 号（{1}）属于责任分工第 {2} 号，那里不欠节点计划",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(assignment, assignment.c.id == due.c.owner_id)
        .outerjoin(item, item.c.id == assignment.c.item_id)
        .where(due.c.owner_kind == "planning", not_(func.coalesce(_owes_steps, literal(False)))),
    ),
    "stray-post": (
        "到期安排第 {0} 号（{1}）属于代理岗位第 {2} 号，那里已经卸任，或不是代理",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(post, post.c.id == due.c.owner_id)
        .where(due.c.owner_kind == "post", or_(post.c.deputy_for.is_(None), post.c.until.is_not(None))),
    ),
    "stray-change": (
        "到期安排第 {0} 号（{1}）属于单位调整第 {2} 号，那里已经办完或撤销",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(unit_change, unit_change.c.id == due.c.owner_id)
        .where(due.c.owner_kind == "change", unit_change.c.state.is_distinct_from("planned")),
    ),
    "stray-round": (
        "到期安排第 {0} 号（{1}）属于期次第 {2} 号，那一期已经截止",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(round_, round_.c.id == due.c.owner_id)
        .where(due.c.owner_kind == "round", or_(round_.c.id.is_(None), round_.c.closed_at.is_not(None))),
    ),
    "stray-item": (
        "到期安排第 {0} 号（{1}）属于任务第 {2} 号，那里已经启动",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(item, item.c.id == due.c.owner_id)
        .where(due.c.owner_kind == "item", or_(item.c.id.is_(None), item.c.state != "pending")),
    ),
    "stray": (
        "到期安排第 {0} 号（{1}）不属于任何事项",
        select(due.c.id, due.c.kind, due.c.owner_id).where(
            not_(
                or_(
                    and_(due.c.owner_kind.in_(_CHASED), _is_tier),
                    and_(due.c.owner_kind == "round", due.c.kind == "close"),
                    and_(due.c.owner_kind == "post", due.c.kind == "leave"),
                    and_(due.c.owner_kind == "change", due.c.kind == "reorganise"),
                    and_(due.c.owner_kind == "item", due.c.kind == "open"),
                    and_(due.c.owner_kind == "system", due.c.kind.in_(("digest", "weekly"))),
                    and_(
                        due.c.owner_kind == "run",
                        or_(due.c.kind.like("round:%"), due.c.kind.like("timer:%")),
                        exists().where(run.c.id == due.c.owner_id),
                    ),
                )
            )
        ),
    ),
}

DUE = Check("due", "到期安排", _due, ("wrong", "missing", "cadence", "system", "system-time", *_STRAY))
