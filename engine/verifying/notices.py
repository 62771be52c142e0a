"""Notices and their mails, each asked where it comes from: who had to be told of this, in which mail, and whether it
could have been left untold.

Nothing in the database can prove what a mail server did with a mail.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import and_, case, func, literal, select

from engine import published
from engine.chasing import parse_ladder
from engine.delivering import BACKOFF
from engine.gathering import SHARE_OF, holds
from engine.moments import is_notice_time, monday_of, week_day, weekly_moment
from engine.notices import Rung, rung_of
from engine.petitions import LADDER
from engine.vacancies import place_of
from engine.verifying.acts import ACTS, TOLD_BY_ACTS, answered_by, told_by
from engine.verifying.common import OWNERS
from engine.verifying.places import Places
from ledger.calendar import local_day
from ledger.capacities import giver_of
from ledger.clock import wall_now
from ledger.directory import STREAM
from ledger.queries.words import OUTCOME_WORDS
from ledger.rules.intakes import LADDER as OF_CASES
from ledger.schema import (
    AnyRow,
    assignment,
    delivery,
    due,
    event,
    intake,
    item,
    message,
    notice,
    petition,
    post,
    round_,
    run,
    seal,
    share,
    step,
    todo,
    unit,
)
from ledger.verification.scene import Check, Found, Scene

AT_ONCE = ("handed", "request", *TOLD_BY_ACTS)  # the rest waits for a digest
_FIRST = ("handed", "request", "weekly", "entered", "copied")  # told under the first arm, whichever the share is at
PORTION = 500
To = set[tuple[str, str]]

_owner_item = func.coalesce(assignment.c.item_id, round_.c.item_id, intake.c.item_id)
_owner_run = func.coalesce(
    assignment.c.run_id,
    share.c.run_id,
    intake.c.run_id,
    case((notice.c.owner_kind == "run", notice.c.owner_id), else_=None),
)
_parent = assignment.alias("parent")
_report = todo.alias("report")
_asked_for = (  # since when a report has been owed
    select(func.max(_report.c.opened_at))
    .where(_report.c.owner_kind == "share", notice.c.owner_kind == "share", _report.c.owner_id == notice.c.owner_id)
    .correlate(notice)
    .scalar_subquery()
)
_NOTICES = (
    select(
        notice,
        assignment.c.state.label("assignment_state"),
        assignment.c.step,
        assignment.c.overlay,
        item.c.lasting,
        assignment.c.acknowledged_at,
        assignment.c.steps_in_force,
        step.c.petition_id.label("step_of"),
        step.c.done_at.label("step_done_at"),
        step.c.assignment_id.label("step_share"),
        petition.c.id.label("petition_id"),
        petition.c.turn,
        assignment.c.arm.label("assignment_arm"),
        assignment.c.unit.label("assignment_unit"),
        share.c.state.label("share_state"),
        share.c.unit.label("share_unit"),
        intake.c.step.label("intake_step"),
        intake.c.arm.label("intake_arm"),
        round_.c.cadence,
        func.coalesce(assignment.c.lifecycle, item.c.lifecycle).label("lifecycle"),
        _parent.c.unit.label("parent_unit"),
        _owner_run.label("owner_run"),
        _owner_item.label("owner_item"),
        run.c.office,
        run.c.jurisdiction,
        run.c.plan,
        run.c.ladder,
        todo.c.opened_at.label("waited_from"),
        _asked_for.label("asked_for"),
        and_(todo.c.opened_at.is_not(None), todo.c.closed_at.is_(None)).label("is_asked"),
    )
    .select_from(
        notice.outerjoin(step, and_(notice.c.owner_kind == "step", step.c.id == notice.c.owner_id))
        .outerjoin(assignment, assignment.c.id == SHARE_OF)
        .outerjoin(petition, and_(petition.c.assignment_id == assignment.c.id, petition.c.state == "open"))
        .outerjoin(share, and_(notice.c.owner_kind == "share", share.c.id == notice.c.owner_id))
        .outerjoin(round_, round_.c.id == share.c.round_id)
        .outerjoin(intake, and_(notice.c.owner_kind == "intake", intake.c.id == notice.c.owner_id))
        .outerjoin(item, item.c.id == assignment.c.item_id)
        .outerjoin(_parent, _parent.c.id == assignment.c.parent_id)
        .outerjoin(run, run.c.id == _owner_run)
        .outerjoin(
            todo,
            and_(
                todo.c.owner_kind == notice.c.owner_kind,
                todo.c.owner_id == notice.c.owner_id,
                todo.c.arm == notice.c.arm,
                literal("waiting:").concat(todo.c.step) == notice.c.tier,
                todo.c.unit == notice.c.unit,
                todo.c.role == notice.c.role,
            ),
        )
    )
    .order_by(notice.c.owner_kind, notice.c.owner_id, notice.c.arm, notice.c.id)
)


def _notices(scene: Scene) -> Found:
    acts: list[AnyRow] = []
    for _, rows in groupby(scene.rows(_NOTICES), key=lambda n: (n.owner_kind, n.owner_id, n.arm)):
        own = list(rows)
        told = {rung_of(n.tier) for n in own if n.state != "superseded"}
        for n in own:
            for rule, words in _faults(scene, n, told):
                yield rule, f"{_name(n)}{words}", {"table": "notice", "row": str(n.id)}
            if _kind(n) in TOLD_BY_ACTS:
                acts.append(n)
        if len(acts) >= PORTION:
            yield from _without_act(scene, acts)
            acts = []
    yield from _without_act(scene, acts)
    yield from _weeks(scene)


def _name(n: AnyRow) -> str:
    return f"提醒第 {n.id} 号（{OWNERS.get(n.owner_kind, n.owner_kind)}第 {n.owner_id} 号，{n.tier}）"


def _kind(n: AnyRow) -> str:
    return str(n.tier.partition(":")[0])


def _faults(scene: Scene, n: AnyRow, told: Collection[Rung | None]) -> Iterator[tuple[str, str]]:
    to, kind = _recipients(scene, n), _kind(n)
    if not to:
        yield "baseless", "没有来由（提醒是伪造的，或所属事项被改动）"
        return
    if (n.unit, n.role) not in to:
        ought = "、".join(f"{u} {r}" for u, r in sorted(to))
        yield "recipient", f"发给 {n.unit} {n.role}，应发给 {ought}（收件岗位被改动）"
    if not _is_arm(n, kind) or (n.run_id, n.item_id) != (n.owner_run, n.owner_item) or n.immediate != (kind in AT_ONCE):
        yield "facts", "的轮次、方案、任务或缓急与所属事项不符（被改动）"
    if n.at > scene.now:
        yield "future", f"的时间在将来（{n.at:%Y-%m-%d}，被改动）"
    if n.state == "superseded" and not _is_superseded(scene, n, told):
        yield "superseded", "记为被更高一级的提醒替代，却没有更高一级的提醒（状态被改动）"
    if n.state == "moot" and (kind == "weekly" or _still_holds(n)):
        yield "moot", "记为不必再发，事情却还在（状态被改动）"


def _is_arm(n: AnyRow, kind: str) -> bool:
    if n.owner_kind == "intake":
        return bool(1 <= n.arm <= n.intake_arm)
    if kind == "pressing":  # at whose turn the petition is
        return bool(n.tier.split(".")[1] == str(n.arm))
    if n.owner_kind == "planning":  # under the plan of steps that came to nothing before
        return bool(n.arm >= 0)
    if kind == "vacant":  # how many terms had ended there
        return bool(n.arm >= 1)
    is_first = kind in _FIRST or n.owner_kind not in ("assignment", "step")
    return bool(n.arm == 1 if is_first else 1 <= n.arm <= n.assignment_arm)


def _is_superseded(scene: Scene, n: AnyRow, told: Collection[Rung | None]) -> bool:
    """Beside a higher tier of its ladder that was told; a week's mail that found nobody, by the next week."""
    if n.owner_kind == "step" and _is_told_with_date(scene, n):
        return True
    if own := rung_of(n.tier):
        return any(other is not None and other[0] == own[0] and other > own for other in told)
    return _kind(n) == "weekly" and scene.now >= weekly_moment(week_day(n.at, scene.calendar, weeks=1)).at


def _is_told_with_date(scene: Scene, n: AnyRow) -> bool:
    """A step is not told on a day on which the ladder of its share's own date speaks."""
    same = notice.c.owner_kind == "assignment", notice.c.owner_id == n.step_share
    rows = scene.connection.execute(select(notice.c.tier, notice.c.at).where(*same))
    return any(rung_of(r.tier) and local_day(r.at) == local_day(n.at) for r in rows)


def _still_holds(n: AnyRow) -> bool:
    """What was moot in an earlier arm may be in hand again in a later one. An outcome is never moot."""
    is_lasting = n.owner_kind in ("share", "intake") or _kind(n) in ("applied", "pressing", *OUTCOME_WORDS)
    arm = 1 if n.owner_kind in ("step", "planning") else n.arm  # told apart from the arms of the share's own date
    # Who takes steps over with a share is reminded of them once it is signed for.
    is_before = n.owner_kind == "step" and n.acknowledged_at is not None and n.at <= n.acknowledged_at
    # So is a unit of a report that it was let off and is asked for again.
    is_before = is_before or (n.owner_kind == "share" and n.asked_for is not None and n.at < n.asked_for)
    return holds(n) and not is_before and (is_lasting or arm == n.assignment_arm)


def _office(scene: Scene, n: AnyRow) -> str | None:
    """The plan's office: the present one, or one before it that the notice went to."""
    if n.unit == n.office or n.role not in ("coordinator", "deputy_head"):
        return n.office  # type: ignore[no-any-return]
    log = select(event.c.payload).where(event.c.stream == f"run:{n.owner_run}", event.c.kind == "run.office_changed")
    former = {json.loads(r.payload)["old"] for r in scene.connection.execute(log)}
    return str(n.unit) if n.unit in former else n.office


def _recipients(scene: Scene, n: AnyRow) -> To:
    """Whom such a notice is for, by its owner and step; nobody where there is no such owner or step."""
    kind, office = _kind(n), _office(scene, n)
    match n.owner_kind:
        case "run" if kind == "weekly" and office is not None:
            return {(office, "coordinator")}
        case "run" if kind == "vacant" and n.office is not None:
            return _of_vacancy(scene, n)
        case "share" if n.share_unit is not None:
            if kind == "request":
                return {(n.share_unit, "liaison")}
            cadences = published.of_run(scene.connection, n.owner_run).plan.cadences
            ladder = next((c.ladder for c in cadences if c.id == n.cadence), ())
            return _of_tier(n, n.share_unit, office, {"liaison"}, ladder)
        case "step" | "planning" if n.assignment_unit is not None:
            is_tier = n.tier in map(str, parse_ladder(n.ladder))
            return {(n.assignment_unit, "liaison")} if is_tier else set()
        case "intake":
            return _of_case(scene, n, office or "")
        case "assignment" if n.assignment_unit is not None:
            return _of_petition(scene, n, kind) if kind in ("applied", "pressing") else _of_assignment(n, office, kind)
    return set()


def _of_vacancy(scene: Scene, n: AnyRow) -> To:
    """Of a post that nobody held then: the unit's head or the plan's coordinator, and the administrators."""
    place = place_of(n.tier)
    if _Posts(scene).sat(*place, n.plan, n.at):
        return set()
    ours = select(unit.c.key).where(unit.c.jurisdiction == n.jurisdiction, unit.c.key == n.unit)
    is_ours = n.role == "administrator" and scene.connection.execute(ours).first() is not None
    return {(place[0], "head"), (_office(scene, n) or "", "coordinator")} | ({(n.unit, n.role)} if is_ours else set())


def _of_case(scene: Scene, n: AnyRow, office: str) -> To:
    """Whoever stood at the step; the last time also the head of its office, and who may do it too."""
    if _kind(n) == "waiting":
        return {(n.unit, n.role)} if n.waited_from is not None else set()
    said = _OF_CASE.fullmatch(n.tier)
    laid = select(todo.c.unit, todo.c.role).where(todo.c.owner_kind == "intake", todo.c.owner_id == n.owner_id)
    found = said and scene.connection.execute(laid.where(todo.c.step == said[1], todo.c.arm == n.arm)).all()
    if not (said and found):
        return set()
    copies = {(office, "deputy_head"), (office, "coordinator")} if int(said[2]) == max(OF_CASES) else set()
    return {(r.unit, r.role) for r in found} | copies


_OF_CASE = re.compile(rf"chasing:([\w-]+)\.({'|'.join(map(str, OF_CASES))})")


def _of_petition(scene: Scene, n: AnyRow, kind: str) -> To:
    """Whoever is to decide at this turn."""
    said = _OF_PETITION[kind].fullmatch(n.tier)
    if said is None:
        return set()
    found = select(petition.c.chain).where(
        petition.c.id == int(said[1]), petition.c.assignment_id == n.owner_id, petition.c.turn >= int(said[2])
    )
    chain = scene.connection.execute(found).scalar()
    return {tuple(json.loads(chain)[int(said[2]) - 1])} if chain else set()


_OF_PETITION = {
    "applied": re.compile(r"applied:(\d+)\.([1-9]\d*)"),
    "pressing": re.compile(rf"pressing:(\d+)\.([1-9]\d*)\.(?:{'|'.join(map(str, LADDER))})"),
}


def _of_assignment(n: AnyRow, office: str | None, kind: str) -> To:
    own = n.assignment_unit
    steps = published.lifecycle(n.lifecycle).steps
    holding = {role for s in steps for holder, role in s.posts if holder == "unit"}  # the todo of a share in hand
    match kind:
        case "waiting":
            return {(n.unit, n.role)} if n.waited_from is not None else set()
        case "handed":
            return {(own, s.role) for s in steps if s.verb == "acknowledge"}
        case "urged":
            return {(own, role) for role in holding}
        case "copied" | "corrected" | "due_changed" | "retitled" | "target" | "quota":
            return {(n.unit, n.role)}  # whom the act names
        case "granted":
            return {(own, "liaison"), giver_of(office or "", n.parent_unit)}
        case _ if kind in TOLD_BY_ACTS:
            return {(own, "liaison")}
    return _of_tier(n, own, office, holding, parse_ladder(n.ladder))


def _of_tier(n: AnyRow, own: str, office: str | None, holding: Iterable[str], ladder: Sequence[int]) -> To:
    own_rung = rung_of(n.tier)
    if own_rung is None or own_rung[1] not in ladder:
        return set()
    tier = own_rung[1]
    is_last = tier > 0 and tier >= max(parse_ladder(n.ladder))
    copies = {(own, "deputy_head"), giver_of(office or "", n.parent_unit)} if is_last else set()
    return {(own, role) for role in holding} | copies


def _without_act(scene: Scene, notices: Sequence[AnyRow]) -> Found:
    """What an act tells is told where somebody acted, and to whom the act names."""
    if not notices:
        return
    log = select(event.c.kind, event.c.at, event.c.payload).where(
        event.c.stream.in_({f"item:{n.item_id}" for n in notices}), event.c.kind.in_(ACTS)
    )
    done = {told for r in scene.connection.execute(log) for told in told_by(r.kind, r.at, json.loads(r.payload))}
    for n in notices:
        if done.isdisjoint(answered_by(n)):
            yield "forged", f"{_name(n)}没有对应的办理记录（提醒是伪造的）", {"table": "notice", "row": str(n.id)}


# ---------------------------------------------------------------- the mail of each week
def _weeks(scene: Scene) -> Found:
    """Where the tick stood at the hour of a week's mail or later on a working day (it sealed then), each run that was
    under way has its notice; unless that mail is still due."""
    overdue = select(due.c.id).where(due.c.owner_kind == "system", due.c.kind == "weekly", due.c.at <= scene.now)
    if scene.connection.execute(overdue).first() is not None:
        return
    stood = _weeks_ticked(scene)
    told = select(notice.c.owner_id, notice.c.tier).where(notice.c.owner_kind == "run")
    there = {(r.owner_id, r.tier) for r in scene.connection.execute(told)}
    for r in scene.connection.execute(select(run.c.id, run.c.started_at, run.c.ended_at).order_by(run.c.id)).all():
        for monday, last in stood.items():
            is_running = r.started_at < last and (r.ended_at is None or local_day(r.ended_at) >= monday + timedelta(7))
            if is_running and (r.id, f"weekly:{monday}") not in there:
                sentence = f"方案实施第 {r.id} 号缺 {monday} 那一周的每周情况（提醒和邮件被删除）"
                yield "week", sentence, {"table": "notice", "row": f"run,{r.id},weekly:{monday}"}


def _weeks_ticked(scene: Scene) -> dict[Any, datetime]:
    """Mondays of the weeks in which the tick sealed when the mail of the week had to be out, with the hour it was due.

    An hour is left to the tick that sealed while nine o'clock struck. A scheduler that was first started after it
    begins with the next week.
    """
    stood: dict[Any, datetime] = {}
    sealed = scene.connection.execute(select(seal.c.sealed_at).distinct().order_by(seal.c.sealed_at)).scalars().all()
    for at in sealed:
        due_at = weekly_moment(week_day(at, scene.calendar)).at
        if sealed[0] < due_at and at >= due_at + timedelta(hours=1) and is_notice_time(at, scene.calendar):
            stood[monday_of(local_day(at))] = due_at
    return dict(sorted(stood.items()))


NOTICES = Check(
    "notices",
    "提醒的来由",
    _notices,
    ("baseless", "recipient", "facts", "future", "superseded", "moot", "forged", "week"),
)

# ---------------------------------------------------------------- mails
_MAILS = (
    select(
        message.c.id,
        message.c.kind,
        message.c.person_id,
        message.c.context,
        message.c.at,
        notice.c.tier,
        notice.c.unit,
        notice.c.role,
        notice.c.immediate,
        run.c.plan,
    )
    .join(delivery, delivery.c.message_id == message.c.id)
    .join(notice, notice.c.id == delivery.c.notice_id)
    .outerjoin(run, run.c.id == notice.c.run_id)
    .order_by(message.c.id, notice.c.id)
)


def _mails(scene: Scene) -> Found:
    late = wall_now() + timedelta(seconds=BACKOFF[-1])
    put_off = select(message.c.id, message.c.try_at).where(message.c.state == "queued", message.c.try_at > late)
    for r in scene.rows(put_off):
        sentence = f"邮件第 {r.id} 号要到 {r.try_at:%Y-%m-%d} 才再发，重试间隔没有这么长（时间被改动）"
        yield "put-off", sentence, {"table": "message", "row": str(r.id)}
    posts = _Posts(scene)
    for _, rows in groupby(scene.rows(_MAILS), key=lambda m: m.id):
        carried = list(rows)
        for rule, words in _mail(scene, posts, carried):
            yield (
                rule,
                f"邮件第 {carried[0].id} 号（{carried[0].kind}）{words}",
                {
                    "table": "message",
                    "row": str(carried[0].id),
                },
            )


def _mail(scene: Scene, posts: _Posts, carried: Sequence[AnyRow]) -> Iterator[tuple[str, str]]:
    m = carried[0]
    if any(m.kind != _mail_kind(n) for n in carried):
        yield "kind", "与所载提醒的种类不符（邮件被改动或挪用）"
    if any(not posts.held(n.unit, n.role, n.plan, m.person_id, m.at) for n in carried):
        yield "person", f"的收件人（账号第 {m.person_id} 号）当时不在所载提醒的岗位上（收件人被改动）"
    said = json.loads(m.context)
    if said.get("told") != len(carried) or said.get("day") != local_day(m.at).isoformat():
        yield "context", "的内容与所载提醒的件数、日期不符（内容被改动）"
    elif said.get("act", "") != OUTCOME_WORDS.get(_kind(m), ""):
        yield "context", "所说的结果与所载提醒不符（内容被改动）"
    if sealed := said.get("seal"):
        found = select(seal.c.hash).where(seal.c.ordinal == sealed["ordinal"])
        if scene.connection.execute(found).scalar() != sealed["hash"]:
            yield "seal", f"所载的封存凭据（第 {sealed['ordinal']} 号）与封存不符（邮件或封存被改动）"


def _mail_kind(n: AnyRow) -> str:
    kind = _kind(n)
    if kind in OUTCOME_WORDS:
        return "told"
    return kind if kind in (*AT_ONCE, "vacant", "weekly") else "digest"


class _Posts:
    """Who held which post when: a few thousand rows."""

    def __init__(self, scene: Scene) -> None:
        self.places = Places(scene)
        self.terms: dict[tuple[str, str, int], list[AnyRow]] = defaultdict(list)
        log = select(event.c.payload).where(event.c.stream == STREAM, event.c.kind == "account.deactivated")
        self.closed = {json.loads(r.payload)["person"] for r in scene.connection.execute(log)}
        for r in scene.connection.execute(select(post)):
            self.terms[r.unit, r.role, r.person_id].append(r)

    def sat(self, unit_key: str, role: str, plan: str | None, at: datetime) -> bool:
        """Whether somebody with an open account certainly held the post then: who was ever closed out is left out."""
        return all(self._sat(seat, role, plan, at) for seat in self.places.seats(unit_key, role, at))

    def _sat(self, seat: str, role: str, plan: str | None, at: datetime) -> bool:
        terms = [t for (u, r, _), own in self.terms.items() if (u, r) == (seat, role) for t in own]
        return any(
            t.plan in (None, plan)
            and t.person_id not in self.closed
            and t.since < at
            and (t.until is None or t.until > at)
            for t in terms
        )

    def held(self, unit_key: str, role: str, plan: str | None, person_id: int, at: datetime) -> bool:
        """Whether somebody answered for a post in a plan, as its holder or for an empty one as the unit's head."""
        posts = {(seat, of) for of in (role, "head") for seat in self.places.seats(unit_key, of, at)}
        terms = [t for post_ in posts for t in self.terms[*post_, person_id]]
        return any(t.plan in (None, plan) and t.since <= at and (t.until is None or t.until >= at) for t in terms)


MAILS = Check("mails", "邮件与所载提醒", _mails, ("put-off", "kind", "person", "context", "seal"))
