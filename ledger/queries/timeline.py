"""办理记录: the events of an item in Chinese, with the words people wrote where the reader may read them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, select

from ledger.attachments import Attached, files_of
from ledger.calendar import local_day
from ledger.clearing import CLEARED, CLEARED_NAME
from ledger.clearing import STREAM as ADMIN
from ledger.events import file_field
from ledger.queries.standing import Standing
from ledger.queries.unit_names import FormerNames, former_names
from ledger.queries.words import ROLE_WORDS, SHARE_WORDS, upholds
from ledger.rules.fields import QUOTED, SHARED, STEP_FIELD, field_label
from ledger.rules.intakes import KINDS, Outcome
from ledger.rules.levels import gap
from ledger.rules.texts import clock_words, due_words, lacking_words, number_words, short_day
from ledger.rules.verbs import LEFT_OUT
from ledger.schema import AnyRow, clearing, content, event, post, unit


@dataclass(frozen=True)
class Line:
    """One entry: who, what, and below it what was written; `seq` and `hash` name it in the chain.

    `texts` are the fields that still hold words or a file's name, whether or not the reader may read them.
    """

    at: datetime
    who: str
    post: str
    words: str
    quotes: Sequence[tuple[str, str]]
    files: Sequence[Attached]
    tone: str  # k: by a person, bad: a return or a miss, else empty
    seq: int
    hash: str
    texts: Sequence[str]


@dataclass(frozen=True)
class Changed:
    """A figure that became another one after it was applied with; `seq` is the number of the record that says so."""

    seq: int
    at: datetime
    how: str  # 更正, 审核, 核定, 填报
    indicator_id: int
    old: Decimal | None
    new: Decimal
    reason: str


@dataclass(frozen=True)
class Submission:
    """What an application says: its summary, the problem, its files, the figures before it, and what has changed of
    them since."""

    at: datetime
    summary: str
    problem: str
    before: Mapping[int, Decimal]
    files: Sequence[Attached]
    changes: Sequence[Changed]


@dataclass(frozen=True)
class _Reader:
    """What is needed to word an event: the item's shares and indicators, and what the reader may read."""

    standing: Standing
    readable: frozenset[int]
    unit_names: Mapping[str, str]
    posts: Mapping[int, AnyRow]
    names: FormerNames
    reads_all: bool = False  # what the office itself writes on a case, too

    def unit_of(self, assignment_id: int) -> str:
        return next((p.unit_name for p in self.standing.every if p.id == assignment_id), "")

    def hides(self, payload: Mapping[str, Any]) -> bool:
        """Whether this is about what a unit has handed down, which the reader may not look into."""
        about = payload.get("assignment")
        return about not in self.readable and any(p.id == about for p in self.standing.lower)

    def by(self, post_id: int | None, at: datetime) -> tuple[str, str]:
        """The unit and the post that acted, by their names of that day."""
        held = self.posts.get(post_id or 0)
        return (self.names.short(held.unit, at, held.short), _held_by(held)) if held else ("系统", "")

    def figures(self, pairs: Iterable[Sequence[Any]]) -> str:
        names = {g.id: g for g in self.standing.gauges}
        said = [f"{names[i].name}累计 {number_words(Decimal(v))} {names[i].measure}" for i, v in pairs if i in names]
        return "，".join(said)


def field_words(field: str, files: Iterable[Attached] = ()) -> str:
    """What a text of an event is called; a file by its name where the reader may know it, else by its number."""
    if not field.startswith("file-") and (label := field_label(field)):
        return label
    name = next((f"“{f.name}”" for f in files if file_field(f.id) == field and f.name), f" {field.partition('-')[2]} ")
    return f"附件{name}".rstrip()


@dataclass(frozen=True)
class Records:
    """An item's stream as it is stored: its events and the texts that hang on them, by number and field."""

    events: Sequence[AnyRow]
    payloads: Sequence[Mapping[str, Any]]
    texts: Mapping[int, Mapping[str, str | None]]
    cleared: Mapping[tuple[int, str], str]  # (number, field) -> what stands in the place of words that are gone


def gaps_to_explain(known: Records, standing: Standing) -> dict[int, Decimal]:
    """The shares that another one joined, so that the quotas of what they were handed down in do not add up any more,
    while nobody has said why: by how much they are short, or (negative) beyond."""
    asked, above = set[int](), {part.id: part.parent_id for part in standing.lower}
    for r, p in zip(known.events, known.payloads, strict=True):
        if p.get("lacking") and r.kind == "assignment.taken_over":
            asked.add(p["assignment"])
        elif known.texts.get(r.seq, {}).get("gap", "") != "":  # None where the words have been cleared
            share = p.get("assignment", 0)
            asked -= {share, above.get(share)}
    parts = {i: standing.parts_of(i) for i in asked}
    lacking = {
        i: gap(standing.part(i).quota, (p.quota for p in own if p.state not in LEFT_OUT)) for i, own in parts.items()
    }
    return {i: short for i, short in lacking.items() if short and standing.part(i).is_open}


def records(connection: Connection, item_id: int) -> Records:
    """Everything recorded on an item, oldest first."""
    name = f"item:{item_id}"
    rows = connection.execute(select(*_ENTRY).where(event.c.stream == name).order_by(event.c.seq)).all()
    said = connection.execute(select(content).where(content.c.stream == name)).all()
    return _records(connection, name, rows, said)


def printed_words(known: Records, found: AnyRow) -> Mapping[str, str]:
    """Of an item's title and clause those that were put right since, as they stood when it was planned."""
    planned = next((p for r, p in zip(known.events, known.payloads, strict=True) if r.kind == "item.planned"), {})
    return {name: planned[name] for name in ("title", "clause") if planned and planned[name] != getattr(found, name)}


_ENTRY = (event.c.seq, event.c.kind, event.c.at, event.c.actor, event.c.payload, event.c.hash)


def _records(connection: Connection, name: str, rows: Sequence[AnyRow], said: Iterable[AnyRow]) -> Records:
    texts: dict[int, dict[str, str | None]] = defaultdict(dict)
    for r in said:
        texts[r.seq][r.field] = r.text
    is_whole = all(text is not None for fields in texts.values() for text in fields.values())
    return Records(rows, [json.loads(r.payload) for r in rows], texts, {} if is_whole else _cleared(connection, name))


def records_among(connection: Connection, ids: Collection[int]) -> dict[str, Records]:
    """What these events of any streams record, by stream, oldest first."""
    chosen = event.c.id.in_(sorted(ids))
    rows, said = defaultdict(list), defaultdict(list)
    for r in connection.execute(select(event.c.stream, *_ENTRY).where(chosen).order_by(event.c.stream, event.c.seq)):
        rows[r.stream].append(r)
    hung = and_(content.c.stream == event.c.stream, content.c.seq == event.c.seq)
    for r in connection.execute(select(content).join(event, hung).where(chosen)):
        said[r.stream].append(r)
    return {name: _records(connection, name, found, said[name]) for name, found in rows.items()}


def _cleared(connection: Connection, name: str) -> dict[tuple[int, str], str]:
    """Why and when words of a stream were cleared."""
    ground = and_(content.c.stream == ADMIN, content.c.seq == clearing.c.applied_seq, content.c.field == "ground")
    rows = connection.execute(
        select(clearing.c.seq, clearing.c.fields, clearing.c.decided_at, content.c.text)
        .outerjoin(content, ground)
        .where(clearing.c.stream == name, clearing.c.state == "done")
    )
    return {(r.seq, field): cleared_words(r.text, r.decided_at) for r in rows for field in json.loads(r.fields)}


def cleared_words(ground: str | None, at: datetime) -> str:
    """（内容已依规清除。依据：……；2025-07-17）."""
    return f"（内容已依规清除。依据：{(ground or '见清除记录').rstrip('。')}；{local_day(at)}）"


def timeline(
    connection: Connection, known: Records, standing: Standing, readable: frozenset[int], *, reads_all: bool = False
) -> list[Line]:
    """Every entry of the item's stream, newest first."""
    return lines_of(connection, [Told(known, standing, readable, reads_all)])[0][::-1]


class Told(NamedTuple):
    """An item's records, and what the reader may read of them; `reads_all`: also what the office writes on a case."""

    known: Records
    standing: Standing
    readable: frozenset[int]
    reads_all: bool


def lines_of(connection: Connection, told: Sequence[Told]) -> list[list[Line]]:
    """The entries of several items, each as far as it may be read, in one round of look-ups."""
    return [_lines(one.known, by) for one, by in zip(told, _readers(connection, told), strict=True)]


def _lines(known: Records, by: _Reader) -> list[Line]:
    entries = zip(known.events, known.payloads, strict=True)
    return [line for r, payload in entries if (line := _line(r, payload, known, by))]


def last_submission(known: Records, assignment_id: int) -> Submission | None:
    """The last application (or feedback) of a share, for those who sign or review it."""
    counting: dict[int, Decimal] = {}
    found = None
    for r, payload in zip(known.events, known.payloads, strict=True):
        if payload.get("assignment") != assignment_id:
            continue
        if r.kind == "assignment.submitted":
            said = {k: CLEARED if v is None else v for k, v in known.texts.get(r.seq, {}).items()}
            files = files_of(payload, known.texts.get(r.seq, {}))
            found = Submission(r.at, said.get("summary", ""), said.get("problem", ""), dict(counting), files, [])
        figures = {i: Decimal(value) for i, value, *_ in payload.get("figures", ())}
        figures |= {i: Decimal(value) for i, _, value in payload.get("values", ())}
        if found and r.kind in _CHANGING:
            reason = known.texts.get(r.seq, {}).get("reason", "")
            found = replace(found, changes=[*found.changes, *_changes(r, counting, figures, reason or "")])
        counting |= figures
    return found


_CHANGING = {
    "assignment.reported": "填报",
    "assignment.corrected": "更正",
    "assignment.checked": "审核",
    "assignment.settled": "核定",
}


def _changes(r: AnyRow, before: Mapping[int, Decimal], after: Mapping[int, Decimal], reason: str) -> Iterable[Changed]:
    return [
        Changed(r.seq, r.at, _CHANGING[r.kind], i, before.get(i), value, reason)
        for i, value in after.items()
        if before.get(i) != value
    ]


def last_returns(known: Records) -> dict[int, str]:
    """Why each share that was ever sent back, by its own signer or a reviewer, was sent back last, with the day."""
    return {
        payload["assignment"]: f"{known.texts.get(r.seq, {}).get('reason') or CLEARED}（{short_day(local_day(r.at))}）"
        for r, payload in zip(known.events, known.payloads, strict=True)
        if r.kind in ("assignment.returned", "assignment.sent_back")
    }


def last_application(known: Records, assignment_id: int) -> list[tuple[str, str]]:
    """What a unit wrote when it applied last: its words under their labels."""
    for r, payload in zip(known.events[::-1], known.payloads[::-1], strict=True):
        if r.kind == "petition.made" and payload["assignment"] == assignment_id:
            said = known.texts.get(r.seq, {})
            return [(label, said[key] or CLEARED) for key, label in QUOTED.items() if key in said]
    return []


def who_did(connection: Connection, known: Records) -> dict[int, str]:
    """The post behind each event of an item by its number, its unit by the name of that day."""
    acted = {r.seq: json.loads(r.actor).get("post") for r in known.events}
    posts, names = _posts(connection, {post_id for post_id in acted.values() if post_id is not None})
    found = {}
    for r in known.events:
        held = posts.get(acted[r.seq])
        unit_name = names.short(held.unit, r.at, held.short) if held else ""
        found[r.seq] = unit_name + ROLE_WORDS.get(held.role, held.role) if held else "系统"
    return found


def _posts(connection: Connection, posts: Collection[int]) -> tuple[dict[int, AnyRow], FormerNames]:
    """Posts by id with the name of who took each, and what their units were called."""
    found = connection.execute(
        select(post.c.id, post.c.unit, unit.c.short, post.c.role, content.c.seq, content.c.text)
        .join(unit, unit.c.key == post.c.unit)
        .outerjoin(content, and_(content.c.stream == ADMIN, content.c.seq == post.c.seq, content.c.field == "name"))
        .where(post.c.id.in_(sorted(posts)))
    ).all()
    return {r.id: r for r in found}, former_names(connection, {r.unit for r in found})


def _readers(connection: Connection, told: Sequence[Told]) -> list[_Reader]:
    acted = (json.loads(r.actor) for one in told for r in one.known.events)
    posts, former = _posts(connection, {a["post"] for a in acted if "post" in a})
    asked = {key for one in told for p in one.known.payloads if (key := p.get("asked_unit"))}
    named = connection.execute(select(unit.c.key, unit.c.short).where(unit.c.key.in_(sorted(asked)))) if asked else ()
    others = {r.key: r.short for r in named}
    return [
        _Reader(
            one.standing,
            one.readable,
            {p.unit: p.unit_name for p in one.standing.every} | others,
            posts,
            former,
            reads_all=one.reads_all,
        )
        for one in told
    ]


def _held_by(r: AnyRow) -> str:
    """A post and who took it, by the name of that day."""
    words = ROLE_WORDS.get(r.role, r.role)
    return words if r.seq is None else f"{words} {r.text or CLEARED_NAME}"


def _line(r: AnyRow, payload: Mapping[str, Any], known: Records, reader: _Reader) -> Line | None:
    texts = known.texts.get(r.seq, {})
    wording = _WORDINGS.get(r.kind)
    if wording is None or reader.hides(payload):
        return None
    words, tone = wording(payload, reader)
    files: Sequence[Attached] = []
    # What is handed down is read by whom it is handed down to as well.
    parts = [a["id"] for a in payload["assignments"]] if r.kind == "assignment.split" else []
    is_case = "intake" in payload
    may_read = not reader.readable.isdisjoint({payload.get("assignment"), *parts}) or (is_case and reader.reads_all)
    takes_part = bool(reader.readable) and is_case
    shown = SHARED if takes_part else ("ground", "gap") if r.kind == "item.target_changed" else ("ground",)
    quotes = [  # what the office gives as its ground, and what a case was registered by, is for all who take part
        (label, known.cleared.get((r.seq, key), CLEARED) if said is None else said)
        for key, label in QUOTED.items()
        if (may_read or key in shown) and key in texts and (said := texts[key]) != ""
    ]
    if may_read or takes_part:
        files = files_of(payload, texts)
    who, held = reader.by(json.loads(r.actor).get("post"), r.at)
    steps = [key for key in texts if STEP_FIELD.fullmatch(key)]
    standing = [
        key for key in (*QUOTED, *steps, *(file_field(f.id) for f in files_of(payload, texts))) if texts.get(key)
    ]
    return Line(r.at, who, held, words, quotes, files, tone, r.seq, r.hash[:6], standing)


# ---------------------------------------------------------------- how each kind of event is said
def _planned(_p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return "列入任务清单", ""


def _opened(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    due = f"，时限 {due_words(datetime.fromisoformat(p['due_at']))}" if p.get("due_at") else ""
    return f"交办 {len(p['assignments'])} 家单位{due}", ""


def _closed(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    left = _wholes(p)
    return "任务办结" + (f"，{left} 家未反馈单位的责任随之终止" if left else "") + _with_parts(p, r), "k"


def _wholes(p: Mapping[str, Any]) -> int:
    """How many shares end with an item, without what they were handed down in."""
    return sum(not left.get("part") for left in p["withdrawn"])


def _with_parts(p: Mapping[str, Any], r: _Reader) -> str:
    """What had been handed down and ends with it, by name as far as the reader may look there."""
    parts = [left["id"] for left in p.get("withdrawn", ()) if left.get("part")]
    names = [r.unit_of(i) for i in parts] if set(parts) <= r.readable else []
    which = f"（{'、'.join(names)}）" if names else ""
    return f"，{len(parts)} 家下级单位{which}的责任随之终止" if parts else ""


def _split(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    given = p["assignments"]
    if p["assignment"] not in r.readable or any(a["id"] not in r.readable for a in given):
        return f"分解下达给 {len(given)} 家下级单位", "k"
    dated = [f"{r.unit_of(a['id'])}{_quota(a)}{_until(a)}" for a in given]
    return f"分解下达给 {len(given)} 家下级单位：{'；'.join(dated)}", "k"


def _quota(a: Mapping[str, Any]) -> str:
    return f" {number_words(Decimal(a['quota']))}" if a["quota"] is not None else ""


def _until(a: Mapping[str, Any]) -> str:
    return f"，{_day(a['due_at'])} 前" if a["due_at"] else ""


def _of(p: Mapping[str, Any], r: _Reader) -> str:
    return r.unit_of(p["assignment"])


def _acknowledged(_p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return "签收", "k"


def _reported(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    if p.get("nothing_new"):
        return "填报：本期无新进展", "k"
    figures = r.figures(p["figures"]) if p["assignment"] in r.readable else ""
    if p.get("source"):
        return f"代录 {_of(p, r)} 的填报（{_SOURCES[p['source']]}）{'：' + figures if figures else ''}", "k"
    return f"填报：{figures}" if figures else "填报", "k"


_SOURCES = {"phone": "电话", "paper": "纸质材料", "sheet": "表格"}


def _confirmed(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return "确认代录的内容", "k"


def _judged(verb: str) -> Callable[[Mapping[str, Any], _Reader], tuple[str, str]]:
    def words(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
        values = [(i, value) for i, _, value in p["values"]]
        figures = r.figures(values) if p["assignment"] in r.readable else ""
        return f"{verb} {_of(p, r)} 的填报数{'：' + figures if figures else ''}", "k"

    return words


def _copied(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"抄送{ROLE_WORDS[p['to_role']]}", "k"


def _handed_on(_p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return "在本单位内转交", "k"


def _submitted(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    part = next((x for x in r.standing.every if x.id == p["assignment"]), None)
    verb = "提交反馈" if part and part.role == "cooperating" else "申请办结"
    figures = r.figures(p.get("figures", ())) if p["assignment"] in r.readable else ""
    where = "" if p.get("leaves_unit") else "，送本单位审签"
    return f"{verb}{where}{'：' + figures if figures else ''}", "k"


def _signed(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    where = "报送审核" if p.get("leaves_unit", True) else "转下一级审签"
    return f"审签同意，{where}{_others(p)}", "k"


def _sent_back(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return f"审签未同意，退回修改{_others(p)}", "bad"


def _agreed(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"会签同意 {_of(p, r)} 的申请，还有 {p['left']} 个岗位待签", "k"


def _passed(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"同意 {_of(p, r)} 的申请，转下一级审核{_others(p)}", "k"


def _others(p: Mapping[str, Any]) -> str:
    """Whose todos of the same step end with this one."""
    roles = list(dict.fromkeys(ROLE_WORDS.get(role, role) for _, role in p.get("others", ())))
    return f"（{'、'.join(roles)}的待办随之结束）" if roles else ""


def _accepted(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    part = next((x for x in r.standing.every if x.id == p["assignment"]), None)
    words = f"认可 {_of(p, r)} 的反馈" if part and part.role == "cooperating" else f"同意 {_of(p, r)} 办结"
    return words + _others(p), "k"


def _returned(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    due = f"，{due_words(datetime.fromisoformat(p['due_at']))} 前补正" if p.get("due_at") else ""
    return f"退回 {_of(p, r)} 补正{due}{_others(p)}", "bad"


def _urged(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    if p.get("by") != "phone":
        return f"催办：{_of(p, r)}", "bad"
    at = f"（{clock_words(datetime.fromisoformat(p['called_at']))} 通话）" if p.get("called_at") else ""
    return f"电话催办：{_of(p, r)}{at}", "bad"


def _day(instant: str) -> str:
    return due_words(datetime.fromisoformat(instant))


def _petition_made(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    if p["petition_kind"] == "extension":
        return f"申请延期至 {_day(p['asked_due'])}", "k"
    if p["petition_kind"] == "steps":
        return f"报节点计划，{len(p['steps'])} 个节点，最后一个 {_day(p['steps'][-1]['due_at'])}", "k"
    asked = r.unit_names.get(p["asked_unit"] or "")
    return "提出异议" + (f"，建议由 {asked} 承办" if asked else ""), "k"


_PETITIONS = {"extension": "延期申请", "objection": "异议", "steps": "节点计划"}


def _petition_passed(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"同意 {_of(p, r)} 的{_PETITIONS[p['petition_kind']]}，转下一岗位审批", "k"


def _petition_settled(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    words = _PETITIONS[p["settles"]["petition_kind"]]
    if p["settles"]["outcome"] == "declined":
        return f"不同意 {_of(p, r)} 的{words}", "bad"
    return f"撤回{words}", "k"


def _steps_confirmed(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"确认 {_of(p, r)} 的节点计划", "k"


def _step_done(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return f"完成节点 {p['n']}{'（逾期）' if p['late'] else ''}", "k"


def _item_dated(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return f"核定时限 {_day(p['due_at'])}", "k"


def _text_corrected(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    labels = {"title": "标题", "clause": "原文"}
    was = p["was"]
    said = [f"更正{label}：原为“{was[n]}”，改为“{p[n]}”" for n, label in labels.items() if n in was]
    return "；".join(said), "k"


def _target_changed(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    own = next((g for g in r.standing.gauges if g.id == p["indicator"]), None)
    name, measure = (f"（{own.name}）", f" {own.measure}") if own else ("", "")
    return f"调整目标值{name}：{_change(p, 'target')}{measure}", "k"


def _quota_changed(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"调整 {_of(p, r)} 的份额：{_change(p, 'quota')}", "k"


def _change(p: Mapping[str, Any], name: str) -> str:
    """60 → 70."""
    was = "未定" if p["was"] is None else number_words(Decimal(p["was"]))
    return f"{was} → {number_words(Decimal(p[name]))}"


def _item_due_changed(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    with_it = f"，{p['shares']} 家单位随之调整" if p["shares"] else ""
    return f"调整任务时限：{_day(p['was'])} → {_day(p['due_at'])}{with_it}", "k"


def _due_changed(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    steps = f"，{len(p['steps'])} 个节点随之提前" if p["steps"] else ""
    parts = f"，{p['parts']} 家下级单位随之提前" if p["parts"] else ""
    return f"调整 {_of(p, r)} 的时限：{_day(p['was'])} → {_day(p['due_at'])}{steps}{parts}", "k"


def _lasting(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return "转为长期坚持任务" if p["lasting"] else "转为限时办理任务", "k"


def _extended(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"同意 {_of(p, r)} 延期至 {_day(p['due_at'])}，原时限 {_day(p['original_due'])}", "k"


def _taken_back(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return "撤回提交的内容，继续办理", "k"


def _reseated(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    if p.get("apart"):
        return f"会签单位与 {_of(p, r)} 已合为一家，不再参加这次会签", ""
    return f"{_of(p, r)} 的反馈改由现在的牵头单位审核", ""


def _suspended(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"暂停 {_of(p, r)} 计时{_with(p)}", "k"


def _resumed(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    words = f"恢复 {_of(p, r)} 计时{_with(p)}，暂停 {p['days']} 个工作日，时限顺延至 {_day(p['due_at'])}"
    steps = f"，{len(p['steps'])} 个节点随之顺延" if p.get("steps") and p["days"] else ""
    return words + steps, "k"


def _with(p: Mapping[str, Any]) -> str:
    """Whether time stood still because it did for the whole that this is a part of."""
    return "（随上级任务）" if p.get("with") else ""


def _terminated(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    why = "异议成立，" if upholds(p) else ""
    if p["successor"]:
        return f"{why}{_of(p, r)} 的责任调整给 {r.unit_of(p['successor'])}{_with_parts(p, r)}", "k"
    return f"{why}终止 {_of(p, r)} 的责任{_with_parts(p, r)}", "bad"


def _unit_added(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    due = f"，时限 {_day(p['due_at'])}" if p.get("due_at") else ""
    return f"交办 {_of(p, r)}{due}", "k"


def _taken_over(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    said = []
    if p.get("role"):
        said.append(f"由{SHARE_WORDS[p['was']]}改为{SHARE_WORDS[p['role']]}")
    if p.get("quota") is not None:
        said.append(f"任务数合计 {number_words(Decimal(p['quota']))}")
    if p.get("lacking"):
        said.append(f"已分解的数比任务数{_lacking(p)}")
    if p["figures"]:
        figures = r.figures([pair[:2] for pair in p["figures"]]) if p["assignment"] in r.readable else ""
        said.append(f"填报数{'：' + figures if figures else ''}")
    if p.get("fills"):
        said.append("统一填报的数此后由其填报")
    if p.get("original_due"):
        said.append(f"原时限 {_day(p['original_due'])}")
    if p.get("suspended_at"):
        said.append("继续暂停计时")
    if p.get("steps"):
        late = f"，逾期的 {p['late_steps']} 个另给办理时间" if p.get("late_steps") else ""
        said.append(f"节点计划照旧（{len(p['steps'])} 个节点{late}）")
    verb = "并入" if p.get("joined") else "承接"
    return f"{_of(p, r)} {verb} {r.unit_of(p['predecessor'])} 的分工，{'，'.join(said)}", ""


def _gap_explained(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"说明 {_of(p, r)} 的分解数与任务数为什么不一致（{_lacking(p)}）", "k"


def _lacking(p: Mapping[str, Any]) -> str:
    return lacking_words(Decimal(p["lacking"]))


def _item_terminated(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"终止整项任务，{_wholes(p)} 家单位不再办理{_with_parts(p, r)}", "bad"


def _revoked(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"撤销 {_of(p, r)} 办结，另立整改任务", "bad"


def _reopened(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"撤销 {_of(p, r)} 办结，退回重办", "bad"


def _unit_confirmed(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"确认责任单位：{_of(p, r)}", "k"


def _round_opened(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    due = due_words(datetime.fromisoformat(p["due_at"]))
    return f"第{p['n']}期{p['name']}开始，请 {len(p['shares'])} 家单位于 {due} 前报送", ""


def _round_reported(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return "报送本期：无新进展" if p.get("nothing_new") else "报送本期", "k"


def _round_closed(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    missed = len(p["missed"])
    return "本期截止" + (f"，{missed} 家逾期未报" if missed else ""), "bad" if missed else ""


def _intake_registered(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    words = f"登记{KINDS[p['kind']].name} {p['no']}"
    return f"{words}，由本任务承办" if p["linked"] else words, "k"


def _intake_proposed(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return f"拟办：建议{Outcome(p['proposal']['outcome']).label}", "k"


def _intake_decided(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return ("审定：退回重拟", "bad") if p["outcome"] is None else (f"审定：{Outcome(p['outcome']).label}", "k")


def _intake_carried(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return ("承办结束，待呈报" if p["to"] else "阅知完毕"), ""


def _intake_presented(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return f"呈报（{p['on']}）", "k"


_WORDINGS = {
    "item.planned": _planned,
    "item.opened": _opened,
    "item.closed": _closed,
    "assignment.acknowledged": _acknowledged,
    "assignment.reported": _reported,
    "assignment.submitted": _submitted,
    "assignment.signed": _signed,
    "assignment.sent_back": _sent_back,
    "assignment.agreed": _agreed,
    "assignment.passed": _passed,
    "assignment.accepted": _accepted,
    "assignment.returned": _returned,
    "assignment.urged": _urged,
    "assignment.confirmed": _confirmed,
    "assignment.unit_confirmed": _unit_confirmed,
    "assignment.corrected": _judged("更正"),
    "assignment.checked": _judged("审核"),
    "assignment.settled": _judged("核定"),
    "assignment.copied": _copied,
    "assignment.handed_on": _handed_on,
    "petition.made": _petition_made,
    "petition.passed": _petition_passed,
    "petition.settled": _petition_settled,
    "assignment.steps_confirmed": _steps_confirmed,
    "assignment.step_done": _step_done,
    "item.dated": _item_dated,
    "item.lasting": _lasting,
    "item.text_corrected": _text_corrected,
    "item.target_changed": _target_changed,
    "item.due_changed": _item_due_changed,
    "assignment.due_changed": _due_changed,
    "assignment.quota_changed": _quota_changed,
    "assignment.extended": _extended,
    "assignment.taken_back": _taken_back,
    "assignment.reseated": _reseated,
    "assignment.suspended": _suspended,
    "assignment.resumed": _resumed,
    "assignment.terminated": _terminated,
    "assignment.revoked": _revoked,
    "assignment.reopened": _reopened,
    "assignment.split": _split,
    "item.unit_added": _unit_added,
    "assignment.taken_over": _taken_over,
    "assignment.gap_explained": _gap_explained,
    "item.terminated": _item_terminated,
    "assignment.read": lambda _p, _r: ("阅知", "k"),
    "intake.registered": _intake_registered,
    "intake.proposed": _intake_proposed,
    "intake.decided": _intake_decided,
    "intake.carried": _intake_carried,
    "intake.presented": _intake_presented,
    "round.opened": _round_opened,
    "round.reported": _round_reported,
    "round.closed": _round_closed,
}
