"""办理记录: the events of an item in Chinese, with the words people wrote where the reader may read them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, and_, select

from ledger.attachments import Attached, files_of
from ledger.calendar import local_day
from ledger.clearing import CLEARED, CLEARED_NAME
from ledger.clearing import STREAM as ADMIN
from ledger.events import file_field
from ledger.queries.standing import Standing
from ledger.queries.unit_names import FormerNames, former_names
from ledger.queries.words import ROLE_WORDS
from ledger.rules.fields import QUOTED, STEP_FIELD, field_label
from ledger.rules.texts import due_words, number_words, short_day
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
class Submission:
    """What an application says: its summary, the problem, its files, and the figures it came with beside those
    before."""

    at: datetime
    summary: str
    problem: str
    figures: Mapping[int, Decimal]
    before: Mapping[int, Decimal]
    files: Sequence[Attached]


@dataclass(frozen=True)
class _Reader:
    """What is needed to word an event: the item's shares and indicators, and what the reader may read."""

    standing: Standing
    readable: frozenset[int]
    unit_names: Mapping[str, str]
    posts: Mapping[int, AnyRow]
    names: FormerNames

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


def records(connection: Connection, item_id: int) -> Records:
    """Everything recorded on an item, oldest first."""
    name = f"item:{item_id}"
    columns = (event.c.seq, event.c.kind, event.c.at, event.c.actor, event.c.payload, event.c.hash)
    rows = connection.execute(select(*columns).where(event.c.stream == name).order_by(event.c.seq)).all()
    texts: dict[int, dict[str, str | None]] = defaultdict(dict)
    for r in connection.execute(select(content).where(content.c.stream == name)):
        texts[r.seq][r.field] = r.text
    is_whole = all(text is not None for said in texts.values() for text in said.values())
    return Records(rows, [json.loads(r.payload) for r in rows], texts, {} if is_whole else _cleared(connection, name))


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


def timeline(connection: Connection, known: Records, standing: Standing, readable: frozenset[int]) -> list[Line]:
    """Every entry of the item's stream, newest first."""
    reader = _reader(connection, standing, readable, known)
    entries = zip(known.events, known.payloads, strict=True)
    lines = [line for r, payload in entries if (line := _line(r, payload, known, reader))]
    return lines[::-1]


def last_submission(known: Records, assignment_id: int) -> Submission | None:
    """The last application (or feedback) of a share, for those who sign or review it."""
    before: dict[int, Decimal] = {}
    found = None
    for r, payload in zip(known.events, known.payloads, strict=True):
        if payload.get("assignment") != assignment_id or "figures" not in payload:
            continue
        figures = {i: Decimal(v) for i, v in payload["figures"]}
        if r.kind == "assignment.submitted":
            said = {k: CLEARED if v is None else v for k, v in known.texts.get(r.seq, {}).items()}
            texts = (said.get("summary", ""), said.get("problem", ""))
            files = files_of(payload, known.texts.get(r.seq, {}))
            found = Submission(r.at, *texts, figures, dict(before), files)
        before |= figures
    return found


def last_return(known: Records, assignment_id: int) -> str:
    """Why a share was sent back last, with the day; nothing when it never was."""
    found = ""
    for r, payload in zip(known.events, known.payloads, strict=True):
        if r.kind in ("assignment.returned", "assignment.sent_back") and payload["assignment"] == assignment_id:
            found = f"{known.texts.get(r.seq, {}).get('reason') or CLEARED}（{short_day(local_day(r.at))}）"
    return found


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


def _reader(connection: Connection, standing: Standing, readable: frozenset[int], known: Records) -> _Reader:
    posts, former = _posts(connection, {a["post"] for r in known.events if "post" in (a := json.loads(r.actor))})
    names = {p.unit: p.unit_name for p in standing.every}
    if asked := {p["asked_unit"] for p in known.payloads if p.get("asked_unit")}:
        named = connection.execute(select(unit.c.key, unit.c.short).where(unit.c.key.in_(sorted(asked))))
        names |= {r.key: r.short for r in named}
    return _Reader(standing, readable, names, posts, former)


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
    may_read = not reader.readable.isdisjoint({payload.get("assignment"), *parts})
    quotes = [  # what the office gives as its ground is for all who take part
        (label, known.cleared.get((r.seq, key), CLEARED) if said is None else said)
        for key, label in QUOTED.items()
        if (may_read or key == "ground") and key in texts and (said := texts[key]) != ""
    ]
    if may_read:
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


def _closed(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    left = _wholes(p)
    return "任务办结" + (f"，{left} 家未反馈单位的责任随之终止" if left else ""), "k"


def _wholes(p: Mapping[str, Any]) -> int:
    """How many shares end with an item, without what they were handed down in."""
    return sum(not left.get("part") for left in p["withdrawn"])


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


def _signed(_p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return "审签同意，报送审核", "k"


def _sent_back(_p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return "审签未同意，退回修改", "bad"


def _accepted(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    part = next((x for x in r.standing.every if x.id == p["assignment"]), None)
    return (f"认可 {_of(p, r)} 的反馈" if part and part.role == "cooperating" else f"同意 {_of(p, r)} 办结"), "k"


def _returned(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    due = f"，{due_words(datetime.fromisoformat(p['due_at']))} 前补正" if p.get("due_at") else ""
    return f"退回 {_of(p, r)} 补正{due}", "bad"


def _urged(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"{'电话催办' if p.get('by') == 'phone' else '催办'}：{_of(p, r)}", "bad"


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


def _lasting(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return "转为长期坚持任务" if p["lasting"] else "转为限时办理任务", "k"


def _extended(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"同意 {_of(p, r)} 延期至 {_day(p['due_at'])}，原时限 {_day(p['original_due'])}", "k"


def _taken_back(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return "撤回提交的内容，继续办理", "k"


def _suspended(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"暂停 {_of(p, r)} 计时", "k"


def _resumed(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    return f"恢复 {_of(p, r)} 计时，暂停 {p['days']} 个工作日，时限顺延至 {_day(p['due_at'])}", "k"


def _terminated(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    if p["successor"]:
        return f"{_of(p, r)} 的责任调整给 {r.unit_of(p['successor'])}", "k"
    return f"终止 {_of(p, r)} 的责任", "bad"


def _unit_added(p: Mapping[str, Any], r: _Reader) -> tuple[str, str]:
    due = f"，时限 {_day(p['due_at'])}" if p.get("due_at") else ""
    return f"交办 {_of(p, r)}{due}", "k"


def _item_terminated(p: Mapping[str, Any], _r: _Reader) -> tuple[str, str]:
    return f"终止整项任务，{_wholes(p)} 家单位不再办理", "bad"


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


_WORDINGS = {
    "item.planned": _planned,
    "item.opened": _opened,
    "item.closed": _closed,
    "assignment.acknowledged": _acknowledged,
    "assignment.reported": _reported,
    "assignment.submitted": _submitted,
    "assignment.signed": _signed,
    "assignment.sent_back": _sent_back,
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
    "assignment.extended": _extended,
    "assignment.taken_back": _taken_back,
    "assignment.suspended": _suspended,
    "assignment.resumed": _resumed,
    "assignment.terminated": _terminated,
    "assignment.revoked": _revoked,
    "assignment.reopened": _reopened,
    "assignment.split": _split,
    "item.unit_added": _unit_added,
    "item.terminated": _item_terminated,
    "round.opened": _round_opened,
    "round.reported": _round_reported,
    "round.closed": _round_closed,
}
