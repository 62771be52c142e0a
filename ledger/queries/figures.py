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
    """One reading (填报值); `corrected_by` is the number of the reading that put it right.

    `by`: the share that reported it, where another has taken it over; `taken`: it is what has come from there.
    """

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
    by: Part | None = None
    taken: bool = False

    @property
    def counts(self) -> Decimal:
        """What the ledger counts as long as nothing newer is reported."""
        last = max((j for j in (self.checked, self.settled) if j), key=lambda j: j.seq, default=None)
        return last.value if last else self.value


@dataclass(frozen=True)
class Origin:
    """A shown number: the indicator, and each share's readings, the newest first. None: not for this reader.

    A share that has taken a number over shows the readings it came from; the share that gave them has no other place.
    """

    gauge: Gauge
    shares: Sequence[tuple[Part, Sequence[ReadingLine] | None]]
    gone_on: frozenset[int]  # shares whose numbers another has taken over

    def words(self, part: Part, lines: Sequence[ReadingLine]) -> str:
        """What a share's readings count for in the number that is shown."""
        value = f"{number_words(lines[0].counts)} {self.gauge.measure}"
        if part.id in self.gone_on:
            return f"已由其他单位承接，曾报 {value}"
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
    came: dict[int, tuple[int, int]] = {}  # by share: the one it succeeds, and the number of the act that ended that
    gone_on: dict[int, int] = {}  # by share: the one that has taken its numbers over
    for seq, (e, payload) in acts.items():
        to: int = payload.get("assignment", 0)
        if e.kind == "assignment.terminated" and payload.get("successor"):
            came[payload["successor"]] = to, seq
        elif e.kind in _TAKING_OVER and to in came and seq in lines[to]:
            former, ended = came[to]
            gone_on[former], by = to, view.standing.part(former)
            taken = replace(lines[to][seq], by=by, who=posts[ended], reason=_said(known, ended, "ground"), taken=True)
            is_judged = indicator_id in (i for i, *_ in payload.get("judged", ()))
            lines[to] |= _with_source(taken, lines[former], by, is_judged=is_judged)
        if (column := _JUDGING.get(e.kind)) is None:
            continue
        own = lines[payload["assignment"]]
        for i, of, value in payload["values"]:
            if i == indicator_id and of in own:
                said = Judged(Decimal(value), posts[seq], e.at, _said(known, seq, "reason"), seq)
                own[of] = replace(own[of], checked=said) if column == "checked" else replace(own[of], settled=said)
    shares = [
        (p, [lines[p.id][n] for n in sorted(lines[p.id], reverse=True)] if p.id in view.readable else None)
        for p in view.parts
        if lines[p.id] and view.readable.isdisjoint(_heirs(p.id, gone_on))
    ]
    return Origin(gauge, shares, frozenset(gone_on))


def _with_source(
    taken: ReadingLine, former: Mapping[int, ReadingLine], by: Part, *, is_judged: bool
) -> dict[int, ReadingLine]:
    """A number that was taken over, with the readings it came from; where it went along as it stood (`is_judged`),
    what they were held to be is said of it, too."""
    newest = former[max(former)]
    if is_judged:
        taken = replace(taken, checked=newest.checked, settled=newest.settled)
    return {taken.seq: taken, **{n: replace(line, by=line.by or by) for n, line in former.items()}}


def _heirs(share_id: int, gone_on: Mapping[int, int]) -> list[int]:
    """The shares that a share's numbers have gone on to, one after the other."""
    found: list[int] = []
    while share_id := gone_on.get(share_id, 0):
        found.append(share_id)
    return found


_JUDGING = {"assignment.checked": "checked", "assignment.settled": "settled"}
_TAKING_OVER = ("item.unit_added", "assignment.taken_over")
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
