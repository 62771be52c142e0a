"""What an administrator sees of accounts, and the two logs: 登录日志 and 权限变更."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, exists, false, func, or_, select

from ledger.directory import STREAM
from ledger.logins import Outcome
from ledger.people import Actor
from ledger.projections.administration import ACCOUNT_EVENTS, CORRECTED
from ledger.queries.words import post_words
from ledger.rules.throttle import Limit
from ledger.schema import AnyRow, due, event, login_log, person, plan_version, post, run, unit
from ledger.throttling import closed_until, named
from ledger.visibility import administers

PAGE = 50
OVERSEERS = ("administrator", "inspector")
SHOWN = {"locked": "已锁定", "inactive": "已停用", "no-post": "没有岗位"}
DECISIONS = {
    "post.taken": "任职",
    "post.left": "免职",
    "post.handed_over": "交接岗位",
    "post.received": "接收岗位",
    "account.deactivated": "停用账号",
    "account.activated": "启用账号",
    "account.unlocked": "解除锁定",
    "account.link-given": "给出重设链接",
    "account.sessions-ended": "结束登录",
    "account.password-given": "命令行重设密码",
    "account.address-offered": "申请更换邮箱",
    "account.corrected": "更正账号资料",
}
assert set(DECISIONS) == {"post.taken", "post.left", "post.handed_over", "post.received", *ACCOUNT_EVENTS, CORRECTED}


# ---------------------------------------------------------------- whose accounts
def seen_by(actor: Actor, *roles: str) -> ColumnElement[bool]:
    """A condition on `person`: who holds or held a post in a jurisdiction that the actor administers (or oversees by
    these roles), and who never held one."""
    if not actor.has(*(roles or ("administrator",))):
        return false()
    own = select(post.c.id).join(unit, unit.c.key == post.c.unit).where(post.c.person_id == person.c.id)
    return or_(exists(own.where(administers(actor, *roles))), ~exists(own))


def can_decide_on(connection: Connection, actor: Actor, person_id: int) -> bool:
    """Whether nobody else has a say: every post the person holds is in a jurisdiction that the actor administers."""
    elsewhere = (
        select(post.c.id)
        .join(unit, unit.c.key == post.c.unit)
        .where(post.c.person_id == person_id, post.c.until.is_(None), ~administers(actor))
    )
    return connection.execute(elsewhere).first() is None


# ---------------------------------------------------------------- accounts
# What a plan is called in short: as its latest run is, or by its key before there is one.
_latest = select(run.c.short).where(run.c.plan == post.c.plan).order_by(run.c.id.desc()).limit(1)
plan_short = func.coalesce(_latest.correlate(post).scalar_subquery(), post.c.plan)


@dataclass(frozen=True)
class PostLine:
    id: int
    unit: str
    role: str
    since: datetime
    until: datetime | None
    plan: str | None = None  # its short title
    rank: str | None = None
    field: str | None = None
    deputy_for: int | None = None

    @property
    def is_deputy(self) -> bool:
        return self.deputy_for is not None

    @property
    def words(self) -> str:
        return f"{self.unit} {post_words(self.role, self.plan, self.rank, self.field)}"


@dataclass(frozen=True)
class AccountLine:
    id: int
    login: str
    name: str
    email: str
    active: bool
    must_change: bool
    posts: Sequence[PostLine]
    entered_at: datetime | None
    locked_until: datetime | None

    @property
    def held(self) -> list[PostLine]:
        return [p for p in self.posts if p.until is None]


@dataclass(frozen=True)
class Page:
    """A page of lines; `found` counts all of them."""

    lines: Sequence[Any]
    found: int
    number: int

    @property
    def last(self) -> int:
        return max(1, -(-self.found // PAGE))


def accounts(
    connection: Connection,
    actor: Actor,
    limit: Limit,
    now: datetime,
    *,
    words: str = "",
    shown: str = "",
    page: int = 1,
) -> Page:
    """The accounts the actor administers, by name; `words` is part of an account, a name, an address or a unit."""
    chosen = [seen_by(actor)]
    if words:
        at = select(post.c.person_id).join(unit, unit.c.key == post.c.unit).where(post.c.until.is_(None))
        named_so = or_(unit.c.name.contains(words, autoescape=True), unit.c.short.contains(words, autoescape=True))
        chosen.append(
            or_(
                *(c.contains(words, autoescape=True) for c in (person.c.login, person.c.name, person.c.email)),
                person.c.id.in_(at.where(named_so)),
            )
        )
    if shown == "inactive":
        chosen.append(~person.c.active)
    if shown == "no-post":
        chosen.append(~exists(select(post.c.id).where(post.c.person_id == person.c.id, post.c.until.is_(None))))
    if shown == "locked":
        everybody = connection.execute(select(person.c.id, person.c.login).where(*chosen)).all()
        locked = locks(connection, [r.login for r in everybody], limit, now)
        chosen.append(person.c.id.in_([r.id for r in everybody if r.login in locked]))
    found = int(connection.execute(select(func.count()).select_from(person).where(*chosen)).scalar_one())
    page = max(1, min(page, -(-found // PAGE)))
    rows = connection.execute(
        select(person).where(*chosen).order_by(person.c.login).limit(PAGE).offset((page - 1) * PAGE)
    ).all()
    return Page(_lines(connection, rows, limit, now), found, page)


def account(connection: Connection, actor: Actor, limit: Limit, now: datetime, person_id: int) -> AccountLine | None:
    """One account with every post it has held, or None where the actor does not administer it."""
    rows = connection.execute(select(person).where(person.c.id == person_id, seen_by(actor))).all()
    return next(iter(_lines(connection, rows, limit, now)), None)


def locks(connection: Connection, logins: Collection[str], limit: Limit, now: datetime) -> dict[str, datetime]:
    """Which of these accounts are locked, and until when."""
    keys = {named("account", login): login for login in logins}
    found: dict[str, datetime] = {}
    pages = [list(keys)[n : n + 500] for n in range(0, len(keys), 500)]
    for some in pages:
        found |= {keys[k]: until for k, until in closed_until(connection, some, limit, now).items()}
    return found


def posts_of(connection: Connection, ids: Collection[int]) -> dict[int, list[PostLine]]:
    """Every post of these people, the present ones first."""
    rows = connection.execute(
        select(
            *(post.c.person_id, post.c.id, unit.c.short, post.c.role, post.c.since, post.c.until),
            *(plan_short.label("plan"), post.c.rank, post.c.field, post.c.deputy_for),
        )
        .join(unit, unit.c.key == post.c.unit)
        .where(post.c.person_id.in_(list(ids)))
        .order_by(post.c.until.is_not(None), post.c.id)
    )
    found: dict[int, list[PostLine]] = defaultdict(list)
    for r in rows:
        found[r.person_id].append(PostLine(*tuple(r)[1:]))
    return found


def _lines(connection: Connection, rows: Sequence[AnyRow], limit: Limit, now: datetime) -> list[AccountLine]:
    ids = [r.id for r in rows]
    posts = posts_of(connection, ids)
    entries = connection.execute(
        select(login_log.c.person_id, func.max(login_log.c.at).label("at"))
        .where(login_log.c.person_id.in_(ids), login_log.c.outcome == Outcome.ENTERED.value)
        .group_by(login_log.c.person_id)
    )
    entered: dict[int, datetime] = {r.person_id: r.at for r in entries}
    locked = locks(connection, [r.login for r in rows], limit, now)
    return [
        AccountLine(
            r.id,
            r.login,
            r.name,
            r.email,
            r.active,
            r.must_change,
            posts.get(r.id, []),
            entered.get(r.id),
            locked.get(r.login),
        )
        for r in rows
    ]


def plan_choices(connection: Connection, actor: Actor) -> list[tuple[str, str]]:
    """(key, title) of the plans that posts may be limited to: those of the actor's jurisdictions."""
    ours = select(unit.c.jurisdiction).where(administers(actor))
    rows = connection.execute(
        select(plan_version.c.plan, plan_version.c.title)
        .where(plan_version.c.jurisdiction.in_(ours))
        .order_by(plan_version.c.id.desc())
    )
    return list({r.plan: r.title for r in reversed(rows.all())}.items())


def unit_choices(connection: Connection, actor: Actor) -> list[tuple[str, str]]:
    """(key, short name) of the units in which the actor may give posts."""
    living = administers(actor), unit.c.ended_at.is_(None)
    rows = connection.execute(select(unit.c.key, unit.c.short).where(*living).order_by(unit.c.ord))
    return [(r.key, r.short) for r in rows]


# ---------------------------------------------------------------- 登录日志
@dataclass(frozen=True)
class LoginLine:
    at: datetime
    login: str  # empty: there is no such account
    name: str
    outcome: Outcome
    address: str
    agent: str


def login_lines(connection: Connection, actor: Actor, *, words: str = "", outcome: str = "", page: int = 1) -> Page:
    """The log of log-ins of the accounts the actor administers, and of tries at accounts that do not exist."""
    chosen = [or_(seen_by(actor), and_(login_log.c.person_id.is_(None), _administers_any(actor)))]
    if words:
        columns = (person.c.login, person.c.name, login_log.c.address)
        chosen.append(or_(*(c.contains(words, autoescape=True) for c in columns)))
    if outcome:
        chosen.append(login_log.c.outcome == outcome)
    joined = login_log.outerjoin(person, person.c.id == login_log.c.person_id)
    found = int(connection.execute(select(func.count()).select_from(joined).where(*chosen)).scalar_one())
    page = max(1, min(page, -(-found // PAGE)))
    rows = connection.execute(
        select(login_log, person.c.login, person.c.name)
        .select_from(joined)
        .where(*chosen)
        .order_by(login_log.c.id.desc())
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    lines = [LoginLine(r.at, r.login or "", r.name or "", Outcome(r.outcome), r.address, r.agent) for r in rows]
    return Page(lines, found, page)


def _administers_any(actor: Actor) -> ColumnElement[bool]:
    return exists(select(unit.c.key).where(administers(actor)))


# ---------------------------------------------------------------- 权限变更
@dataclass(frozen=True)
class DecisionLine:
    at: datetime
    kind: str
    person: str
    login: str
    post: str  # empty for what is decided on the account
    by: str
    seq: int

    @property
    def words(self) -> str:
        return DECISIONS[self.kind]


def decision_lines(connection: Connection, actor: Actor, *, words: str = "", kind: str = "", page: int = 1) -> Page:
    """Posts taken and left, and what was decided on accounts: events of the administration, the newest first."""
    people = {r.id: r for r in connection.execute(_people(actor))}
    posts = {r.id: r for r in connection.execute(_posts(actor))}
    names = {r.id: r.name for r in connection.execute(select(person.c.id, person.c.name))}
    wanted = [kind] if kind in DECISIONS else list(DECISIONS)
    rows = connection.execute(
        select(event.c.seq, event.c.kind, event.c.at, event.c.actor, event.c.payload)
        .where(event.c.stream == STREAM, event.c.kind.in_(wanted))
        .order_by(event.c.seq.desc())
    )
    lines = [line for r in rows if (line := _decision(r, people, posts, names)) and _matches(line, words)]
    page = max(1, min(page, -(-len(lines) // PAGE)))
    return Page(lines[(page - 1) * PAGE : page * PAGE], len(lines), page)


def _people(actor: Actor) -> Select[Any]:
    return select(person.c.id, person.c.login, person.c.name).where(seen_by(actor, *OVERSEERS))


def _posts(actor: Actor) -> Select[Any]:
    return (
        select(
            *(post.c.id, post.c.person_id, post.c.role, unit.c.short),
            *(plan_short.label("plan"), post.c.rank, post.c.field),
        )
        .join(unit, unit.c.key == post.c.unit)
        .where(administers(actor, *OVERSEERS))
    )


def _decision(
    r: AnyRow, people: Mapping[int, AnyRow], posts: Mapping[int, AnyRow], names: Mapping[int, str]
) -> DecisionLine | None:
    payload = json.loads(r.payload)
    held = posts.get(payload["post"]) if "post" in payload else None
    if "post" in payload and held is None:
        return None
    whom = people.get(held.person_id if held else payload["person"])
    if whom is None:
        return None
    where = f"{held.short} {post_words(held.role, held.plan, held.rank, held.field)}" if held else ""
    by = names.get(json.loads(r.actor)["person"], "系统（安装或命令行）")
    return DecisionLine(r.at, r.kind, whom.name, whom.login, where, by, r.seq)


def _matches(line: DecisionLine, words: str) -> bool:
    return not words or any(words in field for field in (line.person, line.login, line.post, line.by))


_held = post.alias("held")
_deputies = (
    select(post.c.id, person.c.name, unit.c.short.label("unit"), post.c.role, due.c.at.label("until"))
    .join(_held, _held.c.id == post.c.deputy_for)
    .join(person, person.c.id == post.c.person_id)
    .join(unit, unit.c.key == post.c.unit)
    .join(due, and_(due.c.owner_kind == "post", due.c.owner_id == post.c.id))
    .where(_held.c.person_id == bindparam("person_id"), post.c.until.is_(None))
    .order_by(post.c.id)
)


def deputies_of(connection: Connection, person_id: int) -> Sequence[AnyRow]:
    """Who acts from this person's posts for a while (委托代理), and until when."""
    return connection.execute(_deputies, {"person_id": person_id}).all()
