"""Applications for 依规清除, as the administrators and inspectors of their jurisdiction see them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, Select, and_, bindparam, cast, func, or_, select

from ledger import prepared
from ledger.clearing import CLEARED_NAME
from ledger.clearing import STREAM as ADMIN
from ledger.errors import NotFound
from ledger.people import Actor
from ledger.places import seat, subtree
from ledger.queries.timeline import field_words
from ledger.queries.words import ROLE_WORDS
from ledger.rules.texts import line_words
from ledger.schema import AnyRow, clearing, content, item, person, post, run, unit

ROLES = ("administrator", "inspector")


@dataclass(frozen=True)
class Act:
    """Who did it, when, and what was written with it."""

    at: datetime
    post: str
    name: str
    words: str
    role: str
    person_id: int


@dataclass(frozen=True)
class Application:
    """One application: what is to go and where it stands, never the words themselves."""

    id: int
    kind: str
    state: str
    item_id: int | None
    item_title: str
    seq: int | None
    fields: Sequence[str]
    subject: str  # of a name: the account and its posts
    subject_id: int | None
    subject_name: str
    applied: Act
    decided: Act | None
    places: int

    @property
    def what(self) -> str:
        if self.kind == "name":
            return f"{self.subject}的姓名"
        return f"第 {self.seq} 号办理记录的{'、'.join(map(field_words, self.fields))}"


def jurisdictions(connection: Connection, actor: Actor) -> frozenset[str]:
    """Where the actor may take part in a clearing."""
    units = sorted(d.unit for d in actor.desks if d.role in ROLES)
    if not units:
        return frozenset()
    seats = connection.execute(select(seat()).where(unit.c.key.in_(units))).scalars().all()
    return subtree(connection, seats)


def waiting_count(connection: Connection, actor: Actor) -> int:
    """How many applications of others wait for somebody like the actor."""
    ((n,),) = prepared.rows(connection, _waiting_count, _binds(actor))
    return int(n)


def may_decide(connection: Connection, actor: Actor, clearing_id: int) -> bool:
    """Whether an application waits for this actor: another's, of the other role, about another's name."""
    return bool(prepared.rows(connection, _is_decidable, {**_binds(actor), "clearing": clearing_id}))


_decidable = and_(
    clearing.c.state == "waiting",
    clearing.c.jurisdiction.in_(
        select(unit.c.jurisdiction).where(unit.c.key.in_(bindparam("taking_part", expanding=True)))
    ),
    clearing.c.applied_by != bindparam("person"),
    or_(clearing.c.subject.is_(None), clearing.c.subject != bindparam("person")),
    post.c.role.in_(bindparam("others", expanding=True)),
)
_applied = clearing.join(post, post.c.id == clearing.c.applied_post)
_waiting_count = select(func.count()).select_from(_applied).where(_decidable)
_is_decidable = select(clearing.c.id).select_from(_applied).where(clearing.c.id == bindparam("clearing"), _decidable)


def _binds(actor: Actor) -> dict[str, Any]:
    """The values of the parameters of `_decidable`."""
    mine = [d for d in actor.desks if d.role in ROLES]
    return {
        "taking_part": sorted({d.unit for d in mine}),
        "person": actor.person_id,
        "others": sorted({ROLES[1 - ROLES.index(d.role)] for d in mine}),
    }


def applications(connection: Connection, actor: Actor, *, waiting: bool, most: int = 100) -> list[Application]:
    """Those that wait, the oldest first; or the latest that were decided."""
    found = _select(connection, actor).where((clearing.c.state == "waiting") == waiting)
    order = clearing.c.id if waiting else clearing.c.decided_at.desc()
    return _made(connection, connection.execute(found.order_by(order, clearing.c.id).limit(most)).all())


def application(connection: Connection, actor: Actor, clearing_id: int) -> Application:
    """One application. Raises: NotFound."""
    rows = connection.execute(_select(connection, actor).where(clearing.c.id == clearing_id)).all()
    if not rows:
        raise NotFound("没有这份申请，或者它不在您的岗位可见的范围内。")
    return _made(connection, rows)[0]


def account(connection: Connection, actor: Actor, login: str) -> int | None:
    """The person of an account in the actor's jurisdictions."""
    found = (
        select(person.c.id)
        .join(post, post.c.person_id == person.c.id)
        .join(unit, unit.c.key == post.c.unit)
        .where(person.c.login == login.strip(), seat().in_(sorted(jurisdictions(connection, actor))))
    )
    return connection.execute(found).scalars().first()


def _select(connection: Connection, actor: Actor) -> Select[Any]:
    return (
        select(clearing, item.c.id.label("item_id"), item.c.title, item.c.no, run.c.short)
        .outerjoin(item, item.c.id == cast(func.substr(clearing.c.stream, len("item:") + 1), Integer))
        .outerjoin(run, run.c.id == item.c.run_id)
        .where(clearing.c.jurisdiction.in_(sorted(jurisdictions(connection, actor))))
    )


def _made(connection: Connection, rows: Sequence[AnyRow]) -> list[Application]:
    posts = _posts(connection, {i for r in rows for i in (r.applied_post, r.decided_post) if i is not None})
    ids = {i for r in rows for i in (r.applied_by, r.decided_by, r.subject) if i is not None}
    people = {r.id: r for r in connection.execute(select(person).where(person.c.id.in_(sorted(ids))))}
    texts = _texts(connection, {i for r in rows for i in (r.applied_seq, r.decided_seq) if i is not None})

    def act(at: datetime, person_id: int, post_id: int, words: str) -> Act:
        held, role = posts.get(post_id, ("", ""))
        return Act(at, held, people[person_id].name, words, role, person_id)

    return [
        Application(
            r.id,
            r.kind,
            r.state,
            r.item_id,
            f"{r.short} {line_words(r.no)} {r.title}" if r.item_id else "",
            r.seq,
            json.loads(r.fields),
            f"账号 {people[r.subject].login} " if r.subject else "",
            r.subject,
            people[r.subject].name if r.subject and people[r.subject].name != CLEARED_NAME else "",
            act(r.applied_at, r.applied_by, r.applied_post, texts.get((r.applied_seq, "ground"), "")),
            act(r.decided_at, r.decided_by, r.decided_post, texts.get((r.decided_seq, "reason"), ""))
            if r.decided_at
            else None,
            r.places,
        )
        for r in rows
    ]


def _posts(connection: Connection, ids: Collection[int]) -> dict[int, tuple[str, str]]:
    rows = connection.execute(
        select(post.c.id, unit.c.short, post.c.role)
        .join(unit, unit.c.key == post.c.unit)
        .where(post.c.id.in_(sorted(ids)))
    )
    return {r.id: (f"{r.short} {ROLE_WORDS.get(r.role, r.role)}", r.role) for r in rows}


def _texts(connection: Connection, numbers: Collection[int]) -> dict[tuple[int, str], str]:
    """What was written with the acts, by number and field."""
    rows = connection.execute(
        select(content.c.seq, content.c.field, content.c.text).where(
            content.c.stream == ADMIN, content.c.seq.in_(sorted(numbers)), content.c.field.in_(("ground", "reason"))
        )
    )
    return {(r.seq, r.field): r.text or "" for r in rows}
