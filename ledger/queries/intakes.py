"""来件 (批示件 ...): the register as its page lists it, and one case with its chain: who did what when, and what is
next."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, cast, func, literal, select
from sqlalchemy import String as StringType

from ledger.calendar import WorkCalendar
from ledger.clearing import CLEARED
from ledger.errors import NotFound
from ledger.people import Actor
from ledger.queries.standing import Standing, standings, words_left
from ledger.queries.timeline import Line, records, timeline
from ledger.queries.words import ROLE_WORDS
from ledger.rules.intakes import KINDS, OPEN, Kind, Outcome, State, verdict
from ledger.rules.texts import due_words, paper_day
from ledger.schema import AnyRow, assignment, content, intake, item, person, post, run, todo, unit
from ledger.visibility import Sight, readable, visible

AT_ONCE = 50  # lines of a page


@dataclass(frozen=True)
class Asked:
    """What of the register is wanted."""

    kind: str = ""
    leader: str = ""
    state: str = ""
    late: bool = False
    page: int = 1

    @property
    def is_empty(self) -> bool:
        return not (self.kind or self.leader or self.state or self.late)


@dataclass(frozen=True)
class RegisterLine:
    """A case in the register. `due_at`: of its item while the units work on it, else of its step."""

    id: int
    item_id: int
    kind: Kind
    no: str
    title: str
    leader: str
    given_on: str
    state: str
    due_at: datetime | None
    left: str
    is_late: bool
    done: int
    total: int
    units: Sequence[str]


@dataclass(frozen=True)
class Register:
    """A page of the register; `counts`: of all that may be seen, by state; `late` of them all."""

    lines: Sequence[RegisterLine]
    found: int
    page: int
    pages: int
    counts: Mapping[str, int]
    late: int
    leaders: Sequence[str]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


_due = case((intake.c.state == "carrying", item.c.due_at), else_=intake.c.due_at)
_is_open = intake.c.state.in_([s.value for s in OPEN])
_is_late: ColumnElement[bool] = and_(_is_open, _due < bindparam("now", type_=intake.c.due_at.type))
_said = content.alias("said")
_by = {kind.key: kind.by for kind in KINDS.values()}
# Whoever a case comes from: the field of its kind's form, as it hangs on the registration.
_from = and_(
    _said.c.stream == literal("item:").concat(cast(intake.c.item_id, StringType)),
    _said.c.seq == intake.c.seq,
    _said.c.field == case(_by, value=intake.c.kind, else_=""),
)
_scene = intake.join(item, item.c.id == intake.c.item_id).join(run, run.c.id == intake.c.run_id).outerjoin(_said, _from)


def register(connection: Connection, calendar: WorkCalendar, now: datetime, sight: Sight, asked: Asked) -> Register:
    """The cases that the actor may see, the latest first, in a fixed number of statements."""
    values = {**sight.binds, "now": now}
    tallied = select(intake.c.state, func.count().label("n"), func.count().filter(_is_late).label("late"))
    tally = connection.execute(visible(tallied.select_from(_scene)).group_by(intake.c.state), values).all()
    named = select(_said.c.text).select_from(_scene).where(_said.c.text.is_not(None)).distinct().order_by(_said.c.text)
    where = _wanted(asked)
    found = int(
        connection.execute(visible(select(func.count()).select_from(_scene)).where(*where), values).scalar_one()
    )
    pages = max(1, -(-found // AT_ONCE))
    page = min(max(asked.page, 1), pages)
    chosen = visible(
        select(intake, item.c.title, item.c.n_done, item.c.n_total, _due.label("due"), _said.c.text).select_from(_scene)
    )
    rows = connection.execute(
        chosen.where(*where).order_by(intake.c.id.desc()).limit(AT_ONCE).offset((page - 1) * AT_ONCE), values
    ).all()
    units = _units(connection, {r.item_id for r in rows})
    lines = [_line(r, units.get(r.item_id, ()), calendar, now) for r in rows]
    leaders = [r.text for r in connection.execute(visible(named), values)]
    return Register(lines, found, page, pages, {r.state: r.n for r in tally}, sum(r.late for r in tally), leaders)


def _wanted(asked: Asked) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if asked.kind:
        where.append(intake.c.kind == asked.kind)
    if asked.leader:
        where.append(_said.c.text == asked.leader)
    if asked.state:
        where.append(intake.c.state == asked.state)
    if asked.late:
        where.append(_is_late)
    return where


def _units(connection: Connection, items: Collection[int]) -> dict[int, list[str]]:
    """Who carries each item out: its leads, or whoever is to read it."""
    rows = connection.execute(
        select(assignment.c.item_id, unit.c.short)
        .join(unit, unit.c.key == assignment.c.unit)
        .where(
            assignment.c.item_id.in_(sorted(items)),
            assignment.c.role != "cooperating",
            assignment.c.parent_id.is_(None),
        )
        .order_by(assignment.c.role == "responsible", assignment.c.ord)
    )
    found: dict[int, list[str]] = {}
    for r in rows:
        found.setdefault(r.item_id, []).append(r.short)
    return found


def _line(r: AnyRow, units: Sequence[str], calendar: WorkCalendar, now: datetime) -> RegisterLine:
    is_open = r.state in OPEN
    due = r.due if is_open else None
    return RegisterLine(
        r.id,
        r.item_id,
        KINDS[r.kind],
        r.no,
        r.title,
        r.text or CLEARED,
        json.loads(r.facts).get("given_on", ""),
        r.state,
        due,
        words_left(due, calendar, now),
        due is not None and due < now,
        r.n_done,
        r.n_total,
        units,
    )


# ---------------------------------------------------------------- one case
@dataclass(frozen=True)
class Proposal:
    """What was proposed: the units by role, and by when."""

    outcome: Outcome
    units: Mapping[str, Sequence[str]]
    due: str


@dataclass(frozen=True)
class Step:
    """One link of the chain: who did it when, or who it waits for."""

    label: str
    lines: Sequence[Line]
    waits: str = ""


@dataclass(frozen=True)
class IntakeView:
    """A case as its page shows it. `told`: what its form asked, (label, words); `reads_all`: whether what the office
    proposed and reported upwards may be read; `is_shared`: whether the words it was registered by may."""

    row: AnyRow
    kind: Kind
    standing: Standing
    told: Sequence[tuple[str, str]]
    files: Sequence[Any]
    proposal: Proposal | None
    steps: Sequence[Step]
    texts: Mapping[str, str]
    reads_all: bool
    is_shared: bool
    holder: tuple[str, str] | None
    holder_words: str
    left: str
    presented_on: date | None

    @property
    def state(self) -> State:
        return State(self.row.state)

    @property
    def verdict(self) -> str:
        """What was decided, as 呈批单 prints it; upon an item that was there before nobody had to."""
        decided = self.row.outcome and not self.row.linked
        return verdict(Outcome(self.row.outcome), self.texts.get("ground", "")) if decided else ""


_case = select(
    intake,
    run.c.office,
    run.c.jurisdiction,
    run.c.plan,
    todo.c.unit.label("todo_unit"),
    todo.c.role.label("todo_role"),
    unit.c.short.label("todo_name"),
).select_from(
    intake.join(item, item.c.id == intake.c.item_id)
    .join(run, run.c.id == intake.c.run_id)
    .outerjoin(todo, and_(todo.c.owner_kind == "intake", todo.c.owner_id == intake.c.id, todo.c.closed_at.is_(None)))
    .outerjoin(unit, unit.c.key == todo.c.unit)
)
_LABELS = {
    "intake.registered": "登记",
    "intake.proposed": "拟办",
    "intake.decided": "审定",
    "item.opened": "承办",
    "item.closed": "承办",
    "item.terminated": "承办",
    "intake.presented": "呈报",
}


def intake_view(
    connection: Connection, calendar: WorkCalendar, now: datetime, sight: Sight, intake_id: int
) -> IntakeView:
    """One case, if its item may be seen. Raises: NotFound."""
    row = connection.execute(visible(_case.where(intake.c.id == intake_id)), sight.binds).one_or_none()
    if row is None:
        raise NotFound("没有这件来件，或者它不在您的岗位可见的范围内。")
    kind = KINDS[row.kind]
    standing = standings(connection, calendar, now, [row.item_id])[row.item_id]
    read = readable(sight, row.office, row.jurisdiction, standing.every)
    reads_all = sight.reads_all(row.office, row.jurisdiction)
    known = records(connection, row.item_id)
    lines = {line.seq: line for line in timeline(connection, known, standing, read, reads_all=reads_all)}
    own = [
        (r, p)
        for r, p in zip(known.events, known.payloads, strict=True)
        if p.get("intake") == row.id or (r.kind.startswith("item.") and r.seq > row.seq)
    ]
    said = [r.seq for r, p in own if p.get("intake") == row.id]  # not what was said of its item
    texts = {k: v or CLEARED for seq in said for k, v in known.texts.get(seq, {}).items()}
    is_shared = reads_all or bool(read)
    holder = (row.todo_unit, row.todo_role) if row.todo_role else None
    holder_words = f"{row.todo_name}{ROLE_WORDS[row.todo_role]}" if row.todo_role else ""
    due = standing.item.due_at if row.state == State.CARRYING else row.due_at
    return IntakeView(
        row,
        kind,
        standing,
        _told(kind, row, known.texts.get(row.seq, {}), is_shared),
        lines[row.seq].files if row.seq in lines else (),
        _proposal(connection, row),
        _steps(own, lines, row, holder_words),
        texts,
        reads_all,
        is_shared,
        holder,
        holder_words,
        words_left(due, calendar, now) if row.state in OPEN else "",
        next((date.fromisoformat(p["on"]) for r, p in own if r.kind == "intake.presented"), None),
    )


def _told(kind: Kind, row: AnyRow, texts: Mapping[str, str | None], is_shared: bool) -> list[tuple[str, str]]:
    facts, found = json.loads(row.facts), []
    called = {f.labels: dict(f.choices).get(facts.get(f.name, "")) for f in kind.fields if f.labels}
    for f in kind.fields:
        if f.labels:
            continue
        if f.is_text:
            words = (texts[f.name] or CLEARED) if is_shared and f.name in texts else ""
        else:
            words = dict(f.choices).get(facts.get(f.name, ""), facts.get(f.name, ""))
            words = paper_day(date.fromisoformat(words)) if f.widget == "date" and words else words
        if words:
            found.append((called.get(f.name) or f.label, words))
    return found


def _proposal(connection: Connection, row: AnyRow) -> Proposal | None:
    if row.proposal is None:
        return None
    said = json.loads(row.proposal)
    keys = [key for key, _ in said["units"]]
    rows = connection.execute(select(unit.c.key, unit.c.short).where(unit.c.key.in_(keys)))
    names = {r.key: r.short for r in rows}
    units: dict[str, list[str]] = {}
    for key, role in said["units"]:
        units.setdefault(role, []).append(names.get(key, key))
    due = f"{said['days']} 个工作日内" if said["days"] else ""
    if said["until"]:
        due = f"{paper_day(date.fromisoformat(said['until']))}前"
    return Proposal(Outcome(said["outcome"]), units, due)


def _steps(
    own: Sequence[tuple[AnyRow, Mapping[str, Any]]], lines: Mapping[int, Line], row: AnyRow, holder_words: str
) -> list[Step]:
    """The chain: neighbouring records of one step together, and at its end who it waits for."""
    found: list[tuple[str, list[Line]]] = []
    for r, p in own:
        label = _LABELS.get(r.kind)
        if label is None or r.seq not in lines or (r.kind.startswith("item.") and p.get("intake")):
            continue
        if row.outcome == Outcome.SHELVE and r.kind == "item.terminated":
            continue  # it was never handed out
        line = lines[r.seq]
        if r.kind == "intake.registered":  # whose words and files stand at the top of the page
            line = replace(line, quotes=(), files=())
        if found and found[-1][0] == label:
            found[-1][1].append(line)
        else:
            found.append((label, [line]))
    steps = [Step(label, entries) for label, entries in found]
    if row.state == State.CARRYING:
        if steps and steps[-1].label == "承办":
            steps[-1] = Step("承办", steps[-1].lines, "承办单位办理中")
        else:
            steps.append(Step("承办", (), "承办单位办理中"))
    elif row.state in OPEN:
        label = State(row.state).label.removeprefix("待")
        due = f"，限 {due_words(row.due_at)}前" if row.due_at else ""
        steps.append(Step(label, (), f"等{holder_words}办理{due}"))
    return steps


# ---------------------------------------------------------------- beside an item, and for the forms
@dataclass(frozen=True)
class Beside:
    """A case as its item's page names it."""

    id: int
    kind: Kind
    no: str
    state: str
    told: Sequence[tuple[str, str]]


def of_item(connection: Connection, sight: Sight, standing: Standing, is_participant: bool) -> list[Beside]:
    """The cases that an item carries out, with what they were registered by for those who may read it."""
    rows = connection.execute(select(intake).where(intake.c.item_id == standing.item.id).order_by(intake.c.id)).all()
    if not rows:
        return []
    is_shared = is_participant or sight.reads_all(standing.item.office, standing.item.jurisdiction)
    said: dict[int, dict[str, str | None]] = {}
    stream = content.c.stream == f"item:{standing.item.id}"
    for r in connection.execute(select(content).where(stream, content.c.seq.in_([r.seq for r in rows]))):
        said.setdefault(r.seq, {})[r.field] = r.text
    return [
        Beside(r.id, KINDS[r.kind], r.no, r.state, _told(KINDS[r.kind], r, said.get(r.seq, {}), is_shared))
        for r in rows
    ]


def leaders_known(connection: Connection, sight: Sight, actor: Actor) -> list[str]:
    """Names to be offered: of those who hold a leader's post where the actor has one, and whom cases came from."""
    places = sorted({d.jurisdiction for d in actor.desks})
    seated = connection.execute(
        select(person.c.name)
        .join(post, post.c.person_id == person.c.id)
        .join(unit, unit.c.key == post.c.unit)
        .where(unit.c.jurisdiction.in_(places), post.c.role == "leader", post.c.until.is_(None), person.c.active)
        .order_by(person.c.name)
    ).scalars()
    named = select(_said.c.text).select_from(_scene).where(_said.c.text.is_not(None)).distinct()
    told = connection.execute(visible(named), sight.binds).scalars()
    return list(dict.fromkeys([*seated, *sorted(filter(None, told))]))
