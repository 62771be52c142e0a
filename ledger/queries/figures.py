"""Where a shown number comes from: every reading of an indicator, who reported, checked, settled and corrected it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, bindparam, select

from ledger import prepared
from ledger.clearing import CLEARED
from ledger.errors import NotFound
from ledger.queries.items import ItemView
from ledger.queries.standing import Gauge, Part
from ledger.queries.timeline import Records, who_did
from ledger.rules.texts import number_words
from ledger.rules.verbs import LEFT_OUT
from ledger.schema import reading, round_


@dataclass(frozen=True)
class Judged:
    """审核值 or 核定值 of a reading: what was held to be right, by which post, when, and why."""

    value: Decimal
    who: str
    at: datetime
    reason: str
    seq: int


@dataclass(frozen=True)
class ReadingLine:
    """One reading (填报值); `corrected_by` is the number of the reading that put it right."""

    seq: int
    value: Decimal
    at: datetime
    who: str
    how: str  # 填报, 申请办结, 更正, 代录
    turn: str
    reason: str
    corrects: int | None
    corrected_by: int | None = None
    checked: Judged | None = None
    settled: Judged | None = None

    @property
    def counts(self) -> Decimal:
        """What the ledger counts as long as nothing newer is reported."""
        last = max((j for j in (self.checked, self.settled) if j), key=lambda j: j.seq, default=None)
        return last.value if last else self.value


@dataclass(frozen=True)
class Origin:
    """A shown number: the indicator, and each share's readings, the newest first. None: not for this reader."""

    gauge: Gauge
    shares: Sequence[tuple[Part, Sequence[ReadingLine] | None]]

    def words(self, part: Part, lines: Sequence[ReadingLine]) -> str:
        """What a share's readings count for in the number that is shown."""
        value = f"{number_words(lines[0].counts)} {self.gauge.measure}"
        if part.state in LEFT_OUT:
            return f"不再计入，曾报 {value}"
        if part.parent_id is not None:
            return f"报 {value}，由上级单位汇总填报"
        return f"计入 {value}" if self.gauge.sum_rule == "sum" else f"报 {value}"


_readings = (
    select(reading, round_.c.name.label("round_name"), round_.c.n)
    .outerjoin(round_, round_.c.id == reading.c.round_id)
    .where(reading.c.item_id == bindparam("b_item"), reading.c.indicator_id == bindparam("b_indicator"))
    .order_by(reading.c.seq)
)


def origin(connection: Connection, view: ItemView, known: Records, indicator_id: int) -> Origin:
    """Where the figure of an item's indicator comes from. Raises: NotFound."""
    gauge = next((g for g in view.standing.gauges if g.id == indicator_id), None)
    if gauge is None:
        raise NotFound("没有这个指标。")
    rows = prepared.rows(connection, _readings, {"b_item": view.standing.item.id, "b_indicator": indicator_id})
    acts = {e.seq: (e, p) for e, p in zip(known.events, known.payloads, strict=True)}
    posts = who_did(connection, known)
    lines: dict[int, dict[int, ReadingLine]] = {p.id: {} for p in view.standing.every}
    for r in rows:
        own = lines[r.assignment_id]
        own[r.seq] = _line(r, acts[r.seq], posts, known)
        if r.corrects in own:
            own[r.corrects] = replace(own[r.corrects], corrected_by=r.seq)
    for seq, (e, payload) in acts.items():
        if any(said[0] == indicator_id for said in payload.get("judged", ())):
            before = list(lines[payload["predecessor"]].values())[-1]
            own = lines[payload["assignment"]]
            own[seq] = replace(own[seq], checked=before.checked, settled=before.settled)
        if (column := _JUDGING.get(e.kind)) is None:
            continue
        own = lines[payload["assignment"]]
        for i, of, value in payload["values"]:
            if i == indicator_id and of in own:
                said = Judged(Decimal(value), posts[seq], e.at, _said(known, seq, "reason"), seq)
                own[of] = replace(own[of], checked=said) if column == "checked" else replace(own[of], settled=said)
    shares = [
        (p, list(lines[p.id].values())[::-1] if p.id in view.readable else None) for p in view.parts if lines[p.id]
    ]
    return Origin(gauge, shares)


_JUDGING = {"assignment.checked": "checked", "assignment.settled": "settled"}
_HOW = {
    "assignment.submitted": "随办结申请填报",
    "assignment.corrected": "更正",
    "assignment.reported": "填报",
    "item.unit_added": "承接原单位的填报",
    "assignment.taken_over": "承接原单位的填报",
}
_BASIS = {
    "assignment.submitted": "summary",
    "assignment.corrected": "reason",
    "assignment.reported": "progress",
    "item.unit_added": "ground",
    "assignment.taken_over": "ground",
}


def _line(r: Any, act: tuple[Any, Mapping[str, Any]], posts: Mapping[int, str], known: Records) -> ReadingLine:
    e, payload = act
    how = "代录" if payload.get("source") else _HOW[e.kind]
    turn = f"第{r.n}期{r.round_name}" if r.round_id else ""
    return ReadingLine(
        r.seq, r.value, r.reported_at, posts[r.seq], how, turn, _said(known, r.seq, _BASIS[e.kind]), r.corrects
    )


def _said(known: Records, seq: int, field: str) -> str:
    texts = known.texts.get(seq, {})
    return (texts[field] or CLEARED) if field in texts else ""
