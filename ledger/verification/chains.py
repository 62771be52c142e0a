"""The chains of the streams, and the texts that hang on their events by a digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, select

from ledger.clearing import CLEARED_NAME, Place, known
from ledger.events import GENESIS, chain_hash, digest
from ledger.schema import AnyRow, content, event, person, stream
from ledger.verification.scene import Check, Found, Scene

_LOG = (
    select(event, stream.c.seq.label("head_seq"), stream.c.head)
    .outerjoin(stream, stream.c.name == event.c.stream)
    .order_by(event.c.stream, event.c.seq)
)
_STREAMS = (
    select(stream.c.name)
    .outerjoin(event, event.c.stream == stream.c.name)
    .where(event.c.id.is_(None))
    .order_by(stream.c.name)
)


def _chains(scene: Scene) -> Found:
    last: AnyRow | None = None
    for r in scene.rows(_LOG):
        scene.counts["events"] += 1
        if last is not None and last.stream != r.stream:
            yield from _end(scene, last)
            last = None
        yield from _link(last, r)
        last = r
    if last is not None:
        yield from _end(scene, last)
    for name in scene.connection.execute(_STREAMS).scalars():
        yield "vanished", f"{name} 的记录全部不见了，只剩链尾", {"stream": name}


def _link(last: AnyRow | None, r: AnyRow) -> Found:
    """One event against the one before it."""
    seq, prev, number = (last.seq, last.hash, last.id) if last is not None else (0, GENESIS, 0)
    where = {"stream": r.stream, "seq": r.seq}
    if r.seq != seq + 1:
        gap = f"第 {seq + 1} 号" if r.seq == seq + 2 else f"第 {seq + 1} 号至第 {r.seq - 1} 号"
        yield "gap", f"{r.stream} 缺{gap}（记录被删除或挪动）", {"stream": r.stream, "seq": seq + 1}
    elif r.prev != prev:
        yield "link", f"{r.stream} 第 {r.seq} 号与前一号不相连（前后有记录被改动、调换或插入）", where
    if chain_hash(r.prev, r.stream, r.seq, r.kind, r.schema, r.at, r.recorded_at, r.actor, r.payload) != r.hash:
        yield "hash", f"{r.stream} 第 {r.seq} 号的内容与其哈希不符（记录被改动）", where
    if r.id <= number:
        yield "order", f"{r.stream} 第 {r.seq} 号的先后次序被调换", where


def _end(scene: Scene, last: AnyRow) -> Found:
    scene.counts["streams"] += 1
    where = {"stream": last.stream, "seq": last.seq}
    if last.head_seq is None:
        yield "headless", f"{last.stream} 没有链尾", where
    elif (last.head_seq, last.head) != (last.seq, last.hash):
        yield "tail", f"{last.stream} 的链尾与末号（第 {last.seq} 号）不符（末尾有记录被截去或增添）", where


# ---------------------------------------------------------------- texts
_TEXTS = (
    select(event.c.stream, event.c.seq, event.c.payload, content.c.field, content.c.salt, content.c.text)
    .outerjoin(content, and_(content.c.stream == event.c.stream, content.c.seq == event.c.seq))
    .order_by(event.c.stream, event.c.seq)
)
_ORPHANS = (
    select(content.c.stream, content.c.seq, content.c.field)
    .outerjoin(event, and_(event.c.stream == content.c.stream, event.c.seq == content.c.seq))
    .where(event.c.id.is_(None))
)


def _texts(scene: Scene) -> Found:
    cleared = known(scene.connection)
    last, left = None, dict[str, str]()
    for r in scene.rows(_TEXTS):
        if last != (r.stream, r.seq):
            yield from _lost(last, left)
            last, left = (r.stream, r.seq), _digests(r.payload)
        if r.field is not None:
            yield from _text(scene, r, left.pop(r.field, None), cleared.places)
    yield from _lost(last, left)
    for r in scene.rows(_ORPHANS):
        yield "orphan", _said(r, "没有对应的记录"), _at(r)
    names = select(person.c.id).where(person.c.id.in_(sorted(cleared.persons)), person.c.name != CLEARED_NAME)
    for person_id in scene.connection.execute(names).scalars():
        yield (
            "name-kept",
            f"账号第 {person_id} 号的姓名已依规清除，表 person 中却仍有姓名",
            {"table": "person", "row": str(person_id)},
        )


def _digests(payload: str) -> dict[str, str]:
    """The digests by field; a payload that was overwritten with something else has none."""
    try:
        return dict(json.loads(payload)["texts"])
    except (ValueError, KeyError, TypeError):
        return {}


def _text(scene: Scene, r: AnyRow, expected: str | None, cleared: frozenset[Place]) -> Found:
    is_cleared = Place(r.stream, r.seq, r.field) in cleared
    scene.counts["texts"] += 1
    if expected is None:
        yield "added", _said(r, "在记录里没有摘要（文字被添加，或记录被改动）"), _at(r)
    elif r.text is None and r.salt is None:
        scene.counts["cleared"] += is_cleared
        if not is_cleared:
            yield "erased", _said(r, "被抹去，没有依规清除的记录"), _at(r)
    elif is_cleared:
        yield "kept", _said(r, "已依规清除，却仍然留着"), _at(r)
    elif r.text is None or r.salt is None or digest(r.salt, r.text) != expected:
        yield "changed", _said(r, "与其摘要不符（文字被改动）"), _at(r)


def _lost(place: tuple[str, int] | None, left: Mapping[str, str]) -> Found:
    for field in sorted(left):
        assert place is not None
        where = {"stream": place[0], "seq": place[1], "field": field}
        yield "lost", f"{place[0]} 第 {place[1]} 号的文字（{field}）不见了", where


def _said(r: AnyRow, what: str) -> str:
    return f"{r.stream} 第 {r.seq} 号的文字（{r.field}）{what}"


def _at(r: AnyRow) -> dict[str, Any]:
    return {"stream": r.stream, "seq": r.seq, "field": r.field}


CHAINS = Check("chains", "办理记录的链", _chains, ("vanished", "gap", "link", "hash", "order", "headless", "tail"))
TEXTS = Check("texts", "文字与摘要", _texts, ("orphan", "name-kept", "added", "erased", "kept", "changed", "lost"))
