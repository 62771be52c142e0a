"""The seals over all events, and the heads of it that were kept outside of the database."""

from __future__ import annotations

from sqlalchemy import and_, func, or_, select

from ledger.events import GENESIS
from ledger.schema import event, seal, stream
from ledger.sealing import Head, seal_hash
from ledger.verification.scene import Check, Found, Scene

_SEALS = (
    select(seal, event.c.hash.label("event_hash"), event.c.id.label("event_id"))
    .outerjoin(event, and_(event.c.stream == seal.c.stream, event.c.seq == seal.c.seq))
    .order_by(seal.c.ordinal)
)
_sealed = (
    select(seal.c.stream, func.count().label("n"), func.max(seal.c.seq).label("last"))
    .group_by(seal.c.stream)
    .subquery()
)
# A stream is sealed from its first event to `sealed` without a gap.
_UNEVEN = (
    select(stream.c.name, stream.c.seq, stream.c.sealed, func.coalesce(_sealed.c.n, 0).label("n"))
    .outerjoin(_sealed, _sealed.c.stream == stream.c.name)
    .where(
        or_(
            func.coalesce(_sealed.c.n, 0) != stream.c.sealed,
            func.coalesce(_sealed.c.last, 0) != stream.c.sealed,
            stream.c.sealed > stream.c.seq,
        )
    )
)
_OPEN = select(func.coalesce(func.sum(stream.c.seq - stream.c.sealed), 0))


def _seals(scene: Scene) -> Found:
    ordinal, hashed, last = 0, GENESIS, (None, 0)
    for r in scene.rows(_SEALS):
        where = {"table": "seal", "row": str(r.ordinal), "stream": r.stream, "seq": r.seq}
        if r.ordinal != ordinal + 1:
            gap = f"第 {ordinal + 1} 号" if r.ordinal == ordinal + 2 else f"第 {ordinal + 1} 号至第 {r.ordinal - 1} 号"
            yield "gap", f"封存缺{gap}（封存被删除或重编）", {"table": "seal", "row": str(ordinal + 1)}
            hashed = ""  # what it was chained to is gone
        if r.event_hash is None:
            yield "event-gone", f"封存第 {r.ordinal} 号所指的 {r.stream} 第 {r.seq} 号不见了（记录被删除或截去）", where
        elif hashed and seal_hash(hashed, r.ordinal, r.stream, r.seq, r.event_hash, r.sealed_at) != r.hash:
            yield "hash", f"封存第 {r.ordinal} 号与 {r.stream} 第 {r.seq} 号不符（记录或封存被改动）", where
        elif last[0] == r.sealed_at and last[1] > r.event_id:
            yield "order", f"{r.stream} 第 {r.seq} 号封存在编号更大的记录之后（记录的先后被调换）", where
        ordinal, hashed, last = r.ordinal, r.hash, (r.sealed_at, r.event_id or 0)
        scene.head = Head(r.ordinal, r.hash, r.sealed_at)
    for r in scene.rows(_UNEVEN):
        sentence = f"{r.name} 应封存到第 {r.sealed} 号，实有记录 {r.seq} 号、封存 {r.n} 道（封存或记录被截去）"
        yield "uneven", sentence, {"stream": r.name, "seq": r.sealed}
    scene.counts["seals"] = ordinal
    scene.counts["unsealed"] = int(scene.connection.execute(_OPEN).scalar_one())
    yield from _heads(scene)


def _heads(scene: Scene) -> Found:
    for ordinal, hashed in scene.heads:
        found = scene.connection.execute(select(seal.c.hash).where(seal.c.ordinal == ordinal)).scalar_one_or_none()
        where = {"table": "seal", "row": str(ordinal)}
        if found is None:
            yield "head-gone", f"邮件载明封存到第 {ordinal} 号，库中没有这一号（记录被截去，或整库被换掉）", where
        elif found != hashed:
            yield "head", f"封存第 {ordinal} 号的哈希与邮件所载不符（此号以前的记录被整体改写过）", where
        else:
            scene.counts["heads"] += 1


SEALS = Check("seals", "封存", _seals, ("gap", "event-gone", "hash", "order", "uneven", "head-gone", "head"))
