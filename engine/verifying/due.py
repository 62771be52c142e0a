"""Due rows: each tier of a ladder is armed or was told, each round to come is planted, nothing done is armed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, literal, not_, or_, select

from bpmn.plan import Plan
from engine import published
from engine.chasing import parse_ladder
from engine.petitions import LADDER
from engine.rounds import turns_of
from engine.verifying.common import OWNERS, Found, armed, is_chased, notified, of_share
from ledger.calendar import WorkCalendar, end_of, local_day
from ledger.database import calendar_of
from ledger.errors import NotFound
from ledger.rules.ladder import tiers
from ledger.schema import (
    AnyRow,
    assignment,
    due,
    event,
    heartbeat,
    item,
    notice,
    petition,
    post,
    round_,
    run,
    share,
    todo,
)
from ledger.verification.scene import Scene

_chased = and_(is_chased, assignment.c.due_at.is_not(None), item.c.cadence.is_(None))


# What arms a share's ladder anew; the last of them says from which date it counts.
_DATING = ("assignment.returned", "assignment.extended", "assignment.resumed", "assignment.taken_back")


@dataclass(frozen=True)
class Armed:
    """Each tier of a ladder is armed or was told, each round to come is planted, and nothing is armed that is done."""

    now: datetime

    def find(self, scene: Scene) -> Found:
        calendar = calendar_of(scene.connection)
        yield from _system(scene)
        yield from _ladders(scene)
        yield from self._rearmed(scene, calendar)
        yield from self._petitions(scene, calendar)
        acting = select(post.c.id).where(post.c.deputy_for.is_not(None), post.c.until.is_(None))
        yield from _unarmed(scene, "post", scene.connection.execute(acting).scalars().all(), {"leave"})
        yield from self._rounds(scene, calendar)
        for sentence, statement in _STRAY:
            for r in scene.rows(statement):
                yield sentence.format(*r), {"table": "due", "row": str(r[0])}
        scene.counts["due"] = int(scene.connection.execute(select(func.count()).select_from(due)).scalar_one())

    def _rearmed(self, scene: Scene, calendar: WorkCalendar) -> Found:
        """Shares whose ladder was armed when they came back, or were signed for: what lies ahead must be armed."""
        again = or_(assignment.c.arm > 1, item.c.due_at.is_(None))
        rows = scene.rows(
            select(
                assignment.c.id,
                assignment.c.item_id,
                assignment.c.due_at,
                assignment.c.returns,
                run.c.ladder,
                run.c.mend_days,
            )
            .join(item, item.c.id == assignment.c.item_id)
            .join(run, run.c.id == assignment.c.run_id)
            .where(_chased, again)
            .order_by(assignment.c.id)
        )
        for r in rows:
            at = self._chased_at(scene, r, calendar)
            ahead = {f"tier:{t}" for t, moment in tiers(at, parse_ladder(r.ladder), calendar) if moment > self.now}
            yield from _unarmed(scene, "assignment", [r.id], ahead)

    def _chased_at(self, scene: Scene, r: AnyRow, calendar: WorkCalendar) -> datetime:
        """The date a ladder counts from: after a return of what was late already, the end of the days to mend."""
        if not r.returns:
            return r.due_at  # type: ignore[no-any-return]
        back = scene.connection.execute(
            select(event.c.at, event.c.kind, event.c.payload)
            .where(event.c.stream == f"item:{r.item_id}", event.c.kind.in_(_DATING))
            .order_by(event.c.seq.desc())
        )
        last = next((e for e in back if json.loads(e.payload).get("assignment") == r.id), None)
        if last is None or last.kind != "assignment.returned":
            return r.due_at  # type: ignore[no-any-return]
        returned = last.at
        mended = end_of(calendar.after(local_day(returned), r.mend_days))
        return r.due_at if r.due_at > returned else mended

    def _petitions(self, scene: Scene, calendar: WorkCalendar) -> Found:
        """Whoever has to decide is reminded."""
        for r in scene.connection.execute(select(petition).where(petition.c.state == "open")).all():
            ahead = {f"tier:{t}" for t, at in tiers(r.due_at, LADDER, calendar) if at > self.now}
            yield from _unarmed(scene, "petition", [r.id], ahead)

    def _rounds(self, scene: Scene, calendar: WorkCalendar) -> Found:
        for r in scene.connection.execute(select(run.c.id).where(run.c.ended_at.is_(None)).order_by(run.c.id)).all():
            try:
                plan = published.of_run(scene.connection, r.id).plan
            except NotFound:
                continue  # said by the check of the published diagrams
            turns = scene.connection.execute(select(round_.c.cadence, round_.c.n).where(round_.c.run_id == r.id))
            opened = {(turn.cadence, turn.n) for turn in turns}
            ahead = {
                f"round:{c.id}:{turn.n}"
                for c in plan.cadences
                for turn in turns_of(c, calendar)
                if turn.opens_at > self.now and (c.id, turn.n) not in opened
            }
            yield from _unarmed(scene, "run", [r.id], ahead)
            yield from _opened(scene, r.id, plan, calendar)


def _opened(scene: Scene, run_id: int, plan: Plan, calendar: WorkCalendar) -> Found:
    """Rounds that still take reports: their reminders that lay ahead when units were asked, and their end."""
    cadences = {c.id: c for c in plan.cadences}
    asked = (
        select(round_, func.min(todo.c.opened_at).label("asked_at"))
        .join(share, share.c.round_id == round_.c.id)
        .join(todo, of_share)
        .where(round_.c.run_id == run_id, round_.c.closed_at.is_(None))
        .group_by(round_.c.id)
        .order_by(round_.c.id)
    )
    for r in scene.connection.execute(asked).all():
        cadence = cadences.get(r.cadence)
        if cadence is None:
            yield f"期次第 {r.id} 号的节奏“{r.cadence}”不在方案里", {"table": "round", "row": str(r.id)}
            continue
        if cadence.closes:
            yield from _unarmed(scene, "round", [r.id], {"close"})
        ahead = {f"tier:{t}" for t, at in tiers(r.due_at, cadence.ladder, calendar) if at > r.asked_at}
        owed = select(share.c.id).where(share.c.round_id == r.id, share.c.state == "owed")
        yield from _unarmed(scene, "share", scene.connection.execute(owed).scalars().all(), ahead)


def _system(scene: Scene) -> Found:
    """Once a scheduler has run, the digests of day and week are planted."""
    ticked = select(heartbeat.c.name).where(heartbeat.c.name == "tick")
    if scene.connection.execute(ticked).first() is None:
        return
    planted = set(scene.connection.execute(select(due.c.kind).where(due.c.owner_kind == "system")).scalars())
    for kind, words in (("digest", "每日汇总"), ("weekly", "每周情况")):
        if kind not in planted:
            yield f"到期安排缺“{words}”（被删除）", {"table": "due", "row": f"system,0,{kind}"}


def _ladders(scene: Scene) -> Found:
    """Shares that were never returned: every tier of the plan's ladder, ahead or past."""
    ladders = scene.connection.execute(select(run.c.ladder).where(run.c.ended_at.is_(None)).distinct()).scalars()
    for ladder in ladders.all():
        for tier in parse_ladder(ladder):
            lost = (
                select(assignment.c.id)
                .join(item, item.c.id == assignment.c.item_id)
                .join(run, run.c.id == assignment.c.run_id)
                .where(_chased, assignment.c.arm == 1, item.c.due_at.is_not(None), run.c.ladder == ladder)
                .where(
                    not_(armed("assignment", assignment.c.id, literal(f"tier:{tier}"))),
                    not_(notified("assignment", assignment.c.id, str(tier))),
                )
                .order_by(assignment.c.id)
            )
            for owner in scene.rows(lost):
                yield _missing("assignment", owner.id, f"tier:{tier}")


def _unarmed(scene: Scene, kind: str, owners: Collection[int], wanted: Iterable[str]) -> Found:
    """What should be armed for these owners, and neither is nor was told."""
    names = sorted(wanted)
    if not names or not owners:
        return
    rows = select(due.c.owner_id, due.c.kind).where(due.c.owner_kind == kind, due.c.owner_id.in_(owners))
    there = {(r.owner_id, r.kind) for r in scene.connection.execute(rows)}
    told = select(notice.c.owner_id, notice.c.tier).where(notice.c.owner_kind == kind, notice.c.owner_id.in_(owners))
    there |= {(r.owner_id, f"tier:{r.tier}") for r in scene.connection.execute(told)}
    if kind == "petition":  # told in the name of the share
        pressed = select(notice.c.tier).where(notice.c.tier.like("pressing:%")).distinct()
        for tier in scene.connection.execute(pressed).scalars():
            owner_id, _, told_tier = tier.removeprefix("pressing:").split(".")
            there.add((int(owner_id), f"tier:{told_tier}"))
    for owner in owners:
        for name in names:
            if (owner, name) not in there:
                yield _missing(kind, owner, name)


def _missing(kind: str, owner: int, name: str) -> tuple[str, Mapping[str, Any]]:
    sentence = f"{OWNERS[kind]}第 {owner} 号应有的到期安排“{name}”不见了，提醒也没有发过（被删除）"
    return sentence, {"table": "due", "row": f"{kind},{owner},{name}"}


_is_tier = due.c.kind.like("tier:%")
_STRAY = (
    (
        "到期安排第 {0} 号（{1}）属于责任分工第 {2} 号，那里已不在办理中",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(assignment, assignment.c.id == due.c.owner_id)
        .where(due.c.owner_kind == "assignment", or_(assignment.c.id.is_(None), not_(is_chased))),
    ),
    (
        "到期安排第 {0} 号（{1}）属于期次报送第 {2} 号，那里已不欠报",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(share, share.c.id == due.c.owner_id)
        .where(due.c.owner_kind == "share", or_(share.c.id.is_(None), share.c.state != "owed")),
    ),
    (
        "到期安排第 {0} 号（{1}）属于申请第 {2} 号，那份申请已有结果",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(petition, petition.c.id == due.c.owner_id)
        .where(due.c.owner_kind == "petition", or_(petition.c.id.is_(None), petition.c.state != "open")),
    ),
    (
        "到期安排第 {0} 号（{1}）属于代理岗位第 {2} 号，那里已经卸任",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(post, post.c.id == due.c.owner_id)
        .where(due.c.owner_kind == "post", or_(post.c.deputy_for.is_(None), post.c.until.is_not(None))),
    ),
    (
        "到期安排第 {0} 号（{1}）属于期次第 {2} 号，那一期已经截止",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(round_, round_.c.id == due.c.owner_id)
        .where(due.c.owner_kind == "round", or_(round_.c.id.is_(None), round_.c.closed_at.is_not(None))),
    ),
    (
        "到期安排第 {0} 号（{1}）属于任务第 {2} 号，那里已经启动",
        select(due.c.id, due.c.kind, due.c.owner_id)
        .outerjoin(item, item.c.id == due.c.owner_id)
        .where(due.c.owner_kind == "item", or_(item.c.id.is_(None), item.c.state != "pending")),
    ),
    (
        "到期安排第 {0} 号（{1}）不属于任何事项",
        select(due.c.id, due.c.kind, due.c.owner_id).where(
            not_(
                or_(
                    and_(due.c.owner_kind.in_(("assignment", "share", "petition")), _is_tier),
                    and_(due.c.owner_kind == "round", due.c.kind == "close"),
                    and_(due.c.owner_kind == "post", due.c.kind == "leave"),
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
)
