"""方案编制: drafts of plans, how they are kept, published and started. A draft is state without events.

A draft belongs to a plan and to the office that coordinates it; the coordinators of that office write it together.
Each saving names the revision it was made from, so that nobody overwrites what somebody else has saved meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from bpmn.plan import Facts, Heading, Plan
from bpmn.reading import extension, read_plan
from bpmn.stitching import stitch
from bpmn.writing import write_plan
from bpmn.xml import DiagramError, parse, process_of
from engine import opening, published
from engine.readiness import readiness
from ledger.database import Tx
from ledger.directory import known_units, place_name
from ledger.errors import Conflict, Invalid, NotFound, Refused
from ledger.people import Actor
from ledger.schema import AnyRow, person, plan_draft, plan_source, plan_version, run, unit

MAX_GROUND = 500


@dataclass(frozen=True)
class PlanDraft:
    """A draft as it was last saved; `base` is the version it began from, None for a plan never published."""

    id: int
    plan: str
    office: str
    jurisdiction: str
    title: str
    base_version_id: int | None
    base_number: int
    xml: bytes
    revision: int
    saved_by: str
    saved_at: datetime


_drafts = (
    select(
        *(plan_draft.c[name] for name in ("id", "plan", "office", "jurisdiction", "title", "base_version_id", "xml")),
        *(plan_draft.c[name] for name in ("revision", "saved_at")),
        plan_version.c.number,
        person.c.name,
    )
    .outerjoin(plan_version, plan_version.c.id == plan_draft.c.base_version_id)
    .outerjoin(person, person.c.id == plan_draft.c.saved_by)
)


def offices_of(actor: Actor) -> list[str]:
    """The units whose plans this person writes."""
    return sorted({d.unit for d in actor.desks if d.role == "coordinator"})


def drafts(connection: Connection, actor: Actor) -> list[PlanDraft]:
    """The drafts of the person's offices, the last saved first."""
    rows = connection.execute(_drafts.where(plan_draft.c.office.in_(offices_of(actor))))
    return sorted(map(_draft, rows), key=lambda d: d.saved_at, reverse=True)


def draft_of(connection: Connection, actor: Actor, draft_id: int) -> PlanDraft:
    """Raises: NotFound for what is not of the person's offices, was published or thrown away."""
    own = plan_draft.c.office.in_(offices_of(actor))
    row = connection.execute(_drafts.where(plan_draft.c.id == draft_id, own)).one_or_none()
    if row is None:
        raise NotFound("没有这份草稿：它可能已经发布或删除，也可能不属于您所在的专班办。")
    return _draft(row)


def _draft(row: AnyRow) -> PlanDraft:
    facts = {name: getattr(row, name) for name in ("id", "plan", "office", "jurisdiction", "title", "base_version_id")}
    return PlanDraft(
        **facts,
        base_number=row.number or 0,
        xml=row.xml.encode(),
        revision=row.revision,
        saved_by=row.name or "系统",
        saved_at=row.saved_at,
    )


# ---------------------------------------------------------------- beginning
def create(tx: Tx, office: str, facts: Facts) -> int:
    """Begin a plan from nothing: its facts and one empty heading. Returns the draft's id.

    Raises: Invalid where the office is not one the person coordinates, or no directory of units stands behind it.
    """
    row = tx.connection.execute(
        select(unit.c.name, unit.c.jurisdiction).where(unit.c.key == office, unit.c.key.in_(offices_of(tx.actor)))
    ).one_or_none()
    if row is None:
        raise Invalid({"office": "请选择您所在的专班办。"})
    _require_directory(tx.connection, row.jurisdiction)
    draft_id = tx.allocate("plan_draft")[0]
    key = f"{row.jurisdiction}-{facts.period[0].year}-{draft_id}"
    whole = replace(facts, key=key, jurisdiction=row.jurisdiction, office=row.name)
    xml = write_plan(Plan(whole, (Heading("h1", "第一组任务", ()),)))
    _insert(tx, draft_id, _Cover(key, row.jurisdiction, office, facts.title), xml, None, xml)
    return draft_id


def revise(tx: Tx, version_id: int) -> int:
    """The draft of a published plan: the one that is being written already, or a new one from this version."""
    version = version_of(tx.connection, tx.actor, version_id)
    known = select(plan_draft.c.id).where(plan_draft.c.plan == version.plan)
    if (found := tx.connection.execute(known).scalar_one_or_none()) is not None:
        return int(found)
    draft_id = tx.allocate("plan_draft")[0]  # whoever is a moment later waits here, and then finds the draft
    if (found := tx.connection.execute(known).scalar_one_or_none()) is not None:
        return int(found)
    if any(newest.number != version.number for newest in _newest(tx.connection, version.plan)):
        raise Refused("这不是最新的一版，请从最新一版开始修订。")
    facts = read_plan(version.xml).facts
    cover = _Cover(facts.key, facts.jurisdiction, version.office, facts.title)
    _insert(tx, draft_id, cover, version.xml, version_id, version.xml)
    return draft_id


@dataclass(frozen=True)
class _Cover:
    """Whose a diagram is: its plan's key, the place and the office (a unit's key), and what it is called."""

    plan: str
    jurisdiction: str
    office: str
    title: str


def restore(tx: Tx, xml: bytes) -> int:
    """A draft from a diagram that was taken home: of a published plan as a revision of its newest version.

    Raises: Refused for what is no plan of the person's offices, or has a draft already: that one takes it in itself.
    """
    cover = _cover(tx.connection, xml)
    if cover is None or cover.office not in offices_of(tx.actor):
        raise Refused("这份文件不是您所在专班办的方案，没有载入。")
    draft_id = tx.allocate("plan_draft")[0]  # whoever restores the same a moment later waits here
    known = tx.connection.execute(_drafts.where(plan_draft.c.plan == cover.plan)).one_or_none()
    if known is not None:
        raise Refused(f"方案“{known.title}”已有草稿，没有载入。请打开那份草稿，点“载入文件”，看过差别后再替换。")
    newest = next(_newest(tx.connection, cover.plan), None)
    if newest is None:
        _require_own_key(cover, draft_id)
        _insert(tx, draft_id, replace(cover, title=cover.title or "未命名方案"), xml, None, xml)
        return draft_id
    version = version_of(tx.connection, tx.actor, newest.id)
    _insert(tx, draft_id, cover, version.xml, version.id, stitch(version.xml, xml))
    return draft_id


def _require_own_key(cover: _Cover, draft_id: int) -> None:
    """A plan never published has the key its first draft was given: another could be that of a plan to come."""
    given = re.fullmatch(rf"{re.escape(cover.jurisdiction)}-\d{{4}}-(\d{{1,9}})", cover.plan, re.ASCII)
    if given is None or int(given[1]) >= draft_id:
        raise Refused("文件里的方案编号不是本系统给的，没有载入；请先新建方案，再把内容画进去。")


def _newest(connection: Connection, plan: str) -> Iterator[AnyRow]:
    found = select(plan_version.c.id, plan_version.c.number).where(plan_version.c.plan == plan)
    yield from connection.execute(found.order_by(plan_version.c.number.desc()).limit(1))


def _insert(tx: Tx, draft_id: int, cover: _Cover, origin: bytes, base: int | None, xml: bytes) -> None:
    values = {"base_version_id": base, "origin": origin.decode(), "xml": xml.decode(), "revision": 1}
    tx.connection.execute(insert(plan_draft), {"id": draft_id, **vars(cover), **values, **_saved(tx)})


def _saved(tx: Tx) -> dict[str, Any]:
    return {"saved_by": tx.actor.person_id, "saved_at": tx.now}


def _require_directory(connection: Connection, jurisdiction: str) -> None:
    if not place_name(connection, jurisdiction):
        raise Invalid({"office": "本行政区还没有单位目录，请先联系管理员登记。"})


# ---------------------------------------------------------------- saving
def in_own_words(connection: Connection, actor: Actor, draft_id: int, xml: bytes) -> bytes:
    """What an editor sends, in the bytes the draft began from where it says the same. Work for before a transaction.

    Raises: Refused for what is no diagram, or has become another plan or another office's.
    """
    _require_same_plan(connection, draft_of(connection, actor, draft_id), xml)
    origin = connection.execute(select(plan_draft.c.origin).where(plan_draft.c.id == draft_id)).scalar_one()
    return stitch(origin.encode(), xml)


def save(tx: Tx, draft_id: int, revision: int, xml: bytes) -> int:
    """Keep a diagram as the next revision and return its number.

    Raises: Conflict when somebody saved meanwhile; Refused as `in_own_words` does.
    """
    draft = draft_of(tx.connection, tx.actor, draft_id)
    values = {"xml": xml.decode(), "title": _require_same_plan(tx.connection, draft, xml), **_saved(tx)}
    where = (plan_draft.c.id == draft_id) & (plan_draft.c.revision == revision)
    written = tx.connection.execute(update(plan_draft).where(where).values(**values, revision=revision + 1))
    if written.rowcount != 1:
        raise _faster(draft)
    return revision + 1


def _faster(draft: PlanDraft) -> Conflict:
    return Conflict(draft.saved_by, draft.saved_at, "保存了这份草稿")


def _require_same_plan(connection: Connection, draft: PlanDraft, xml: bytes) -> str:
    """The title of the plan. A draft can be wrong in a hundred ways, but not become another plan. Raises: Refused."""
    cover = _cover(connection, xml)
    if cover is None or (cover.plan, cover.jurisdiction, cover.office) != (
        draft.plan,
        draft.jurisdiction,
        draft.office,
    ):
        raise Refused("草稿的方案编号、行政区和专班办不能改动，没有保存；请撤销这处改动。")
    return cover.title or draft.title


def _cover(connection: Connection, xml: bytes) -> _Cover | None:
    """Whose a diagram is, None where it does not say or nobody is known by it. Raises: Refused for no diagram."""
    try:
        process = process_of(parse(xml))
    except DiagramError as error:
        raise Refused(str(error)) from None
    facts = extension(process, "plan")
    if facts is None:
        return None
    jurisdiction = facts.get("jurisdiction", "")
    office = _office_of(connection, jurisdiction, facts.get("office", ""))
    if office is None:
        return None
    return _Cover(process.get("id", ""), jurisdiction, office, facts.get("title", "")[:200])


def _office_of(connection: Connection, jurisdiction: str, printed: str) -> str | None:
    try:
        found = known_units(connection, jurisdiction).resolve(printed)
    except KeyError:
        return None
    return found.units[0].key if found is not None and len(found.units) == 1 else None


def discard(tx: Tx, draft_id: int, revision: int) -> None:
    """Throw a draft away. Raises: Conflict when somebody saved meanwhile."""
    _take(tx, draft_of(tx.connection, tx.actor, draft_id), revision)


def _take(tx: Tx, draft: PlanDraft, revision: int) -> None:
    where = (plan_draft.c.id == draft.id) & (plan_draft.c.revision == revision)
    if tx.connection.execute(delete(plan_draft).where(where)).rowcount != 1:
        raise _faster(draft)


# ---------------------------------------------------------------- publishing and starting
def publish_draft(tx: Tx, draft_id: int, revision: int, ground: str) -> int:
    """Make the draft the next version of its plan, with its author and ground; the draft is gone. Returns the version.

    Raises: Refused for errors of the linter, for a draft that changes nothing, or whose base is no longer the newest.
    """
    draft = draft_of(tx.connection, tx.actor, draft_id)
    if not ground:
        raise Invalid({"ground": "请写明发布依据，如文件文号、会议纪要或领导批示。"})
    if len(ground) > MAX_GROUND:
        raise Invalid({"ground": f"依据有 {len(ground)} 个字，上限 {MAX_GROUND} 个，请压缩。"})
    last = next(_newest(tx.connection, draft.plan), None)
    if last is not None and last.id != draft.base_version_id:
        raise Refused(
            f"这个方案已有第 {last.number} 版，草稿是从更早的一版改起的；请删除草稿，从第 {last.number} 版重新修订。"
        )
    _require_same_plan(tx.connection, draft, draft.xml)
    _take(tx, draft, revision)
    version_id = opening.publish(tx, draft.xml, ground)
    if last is not None and version_id == last.id:
        raise Refused(f"草稿与第 {last.number} 版完全相同，没有可发布的改动。")
    return version_id


@dataclass(frozen=True)
class Version:
    """A published version of a plan of the person's offices."""

    id: int
    plan: str
    number: int
    title: str
    office: str
    published_at: datetime
    digest: str
    xml: bytes


def versions(connection: Connection, actor: Actor) -> list[Version]:
    """Every version of the plans of the person's offices, the newest of each plan first."""
    places = select(unit.c.jurisdiction).where(unit.c.key.in_(offices_of(actor)))
    return [v for v in _versions(connection, plan_version.c.jurisdiction.in_(places)) if v.office in offices_of(actor)]


def version_of(connection: Connection, actor: Actor, version_id: int) -> Version:
    """Raises: NotFound for a version that is not of the person's offices."""
    for version in _versions(connection, plan_version.c.id == version_id):
        if version.office in offices_of(actor):
            return version
    raise NotFound("没有这个方案版本，或者它不属于您所在的专班办。")


def _versions(connection: Connection, condition: Any) -> list[Version]:
    rows = connection.execute(
        select(plan_version, plan_source.c.xml)
        .join(plan_source, plan_source.c.digest == plan_version.c.digest)
        .where(condition)
        .order_by(plan_version.c.plan, plan_version.c.number.desc())
    )
    return [
        Version(
            r.id,
            r.plan,
            r.number,
            r.title,
            _office_of(connection, r.jurisdiction, published.of_digest(connection, r.digest).plan.facts.office) or "",
            r.published_at,
            r.digest,
            r.xml.encode(),
        )
        for r in rows
        if published.of_digest(connection, r.digest).plan.facts.intake is None  # a register is nobody's to draw
    ]


def running(connection: Connection, plan: str) -> AnyRow | None:
    """The run of a plan that has not ended, with its version's number."""
    found = select(run.c.id, plan_version.c.number, run.c.version_id).join(
        plan_version, plan_version.c.id == run.c.version_id
    )
    return connection.execute(found.where(run.c.plan == plan, run.c.ended_at.is_(None)).limit(1)).one_or_none()


def start_version(tx: Tx, version_id: int, *, knowing: bool = False) -> int:
    """Start a published version; returns the run's id. `knowing`: although its dates have passed.

    Raises: Refused while the plan runs already: its items would be handed out twice. Moving a running run to another
    version is another command. Invalid where dates have passed and nobody has said that it is to start nevertheless.
    """
    version = version_of(tx.connection, tx.actor, version_id)
    if (now := running(tx.connection, version.plan)) is not None:
        raise Refused(f"这个方案的第 {now.number} 版正在实施，不能重复启动；在办任务的单位、时限、份额请在台账里调整。")
    require_ready(tx, published.of_version(tx.connection, version_id).plan, knowing=knowing)
    return opening.start_run(tx, version_id)


def require_ready(tx: Tx, plan: Plan, *, knowing: bool) -> None:
    """Raises: Invalid where dates of a plan have passed, and nobody has said that it is to start nevertheless."""
    if not knowing and readiness(tx.connection, tx.calendar, tx.now, plan).asks:
        raise Invalid({"knowing": "方案的时限已有过去的，启动后这些任务随即亮红灯。确要启动的，请勾选确认。"})
