"""What an item's records say of the time of one share: in words, line by line, and from which share it came."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.queries.timeline import Records
from ledger.queries.words import upholds
from ledger.rules.texts import due_words

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Origin:
    """The share that another one took the place of, by 调整责任单位 or the like, or by 撤销办结 (`is_redone`); its date
    then."""

    share: int
    is_redone: bool
    due_at: datetime | None


def records_of(known: Records, share: int) -> Iterator[tuple[str, datetime, Payload]]:
    """Kind, instant and payload of what is recorded on a share, oldest first. What is handed down leaves the time of
    the whole as it is. Where it ends with something else, that is told of it alone."""
    for r, payload in zip(known.events, known.payloads, strict=True):
        if left := next((w for w in payload.get("withdrawn", ()) if w["id"] == share), None):
            yield "withdrawn", r.at, {**left, "with": r.kind, "successor": payload.get("successor")}
        elif given(payload, share) or (payload.get("assignment") == share and "parent" not in payload):
            yield r.kind, r.at, payload


def given(payload: Payload, share: int) -> Payload | None:
    """What an event says of a share that it hands out."""
    return next((a for a in payload.get("assignments", ()) if a["id"] == share), None)


def came_from(known: Records, share: int) -> Origin | None:
    """What a share took the place of when it was handed out; what joined it later is none of that."""
    for r, payload in zip(known.events, known.payloads, strict=True):
        if given(payload, share):
            return None
        if r.kind in ("assignment.terminated", "assignment.reopened") and payload["successor"] == share:
            is_redone = r.kind == "assignment.reopened"
            return Origin(payload["assignment"], is_redone, instant(payload.get("due_at")))
    return None


def due_of(kind: str, payload: Payload, share: int) -> datetime | None:
    """The share's date from that record on; a petition's is the day by which it is decided on."""
    if kind.startswith("petition."):
        return None
    own = given(payload, share) or {}
    return instant(own.get("due_at", payload.get("due_at")))


def instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def words_of(kind: str, payload: Payload) -> str:
    """What a record means for the time of its share; empty where it means nothing."""
    said = _WORDS.get(kind)
    found = said if isinstance(said, str) else said(payload) if said else ""
    return found and found + _ends(payload)


def why_words(why: Sequence[Sequence[str]]) -> str:
    """How a date came about, in one line."""
    return "；".join(words for _, words in why)


def _ends(p: Payload) -> str:
    """What was applied for and was met, or came to nothing, by the same act."""
    settles = p.get("settles")
    if upholds(p):
        return "；异议成立"
    if not settles or settles["outcome"] != "lapsed" or settles["petition_kind"] == "steps":
        return ""
    return f"；尚未批准的{'延期申请' if settles['petition_kind'] == 'extension' else '异议'}随之失效"


def _day(value: str) -> str:
    return due_words(datetime.fromisoformat(value))


def _made(p: Payload) -> str:
    if p["petition_kind"] == "steps":
        return ""
    return (
        f"申请延期至 {_day(p['asked_due'])}，批准前原时限不变"
        if p["petition_kind"] == "extension"
        else "提出异议，时限照常计算"
    )


def _settled(p: Payload) -> str:
    if p["settles"]["petition_kind"] == "steps":
        return ""
    words = "延期申请" if p["settles"]["petition_kind"] == "extension" else "异议"
    return f"{words}未获同意" if p["settles"]["outcome"] == "declined" else f"撤回{words}"


def _with(p: Payload) -> str:
    return "随上级任务" if p.get("with") else ""


def _still(p: Payload) -> str:
    return f"；上级任务暂停计时，随之自 {_day(p['since'])} 起不计" if p.get("with") else ""


def _resumed(p: Payload) -> str:
    said = f"{_with(p)}恢复计时，暂停 {p['days']} 个工作日不计，时限顺延至 {_day(p['due_at'])}"
    if p.get("original_due") and p["days"]:
        said += f"，原时限顺延至 {_day(p['original_due'])}"
    return said + (f"，{len(p['steps'])} 个节点随之顺延" if p.get("steps") and p["days"] else "")


def _due_changed(p: Payload) -> str:
    steps = f"，{len(p['steps'])} 个节点随之提前" if p["steps"] else ""
    return f"调整时限，原时限 {_day(p['original_due'])}，由 {_day(p['was'])} 调整为 {_day(p['due_at'])}{steps}"


def _taken_over(p: Payload) -> str:
    said = [f"承接以前已延期，原时限 {_day(p['original_due'])}"] if p.get("original_due") else []
    said += [f"承接时已暂停计时，自 {_day(p['suspended_at'])} 起不计"] if p.get("suspended_at") else []
    said += [f"承接时逾期的 {p['late_steps']} 个节点另给办理时间"] if p.get("late_steps") else []
    return "；".join(said)


def _acknowledged(p: Payload) -> str:
    return f"签收，时限自此起算：{dict(p['why'])['规则']}" if p.get("why") else "签收"


def _returned(p: Payload) -> str:
    return "退回补正，上一次报送不计" + (f"；{why_words(p['why'])}" if p.get("why") else "")


def _withdrawn(p: Payload) -> str:
    """Why a share ended that nobody ended by itself."""
    if p["with"] == "item.closed":
        return "任务办结，责任随之终止，不再计时"
    if p["with"] == "item.terminated":
        return "整项任务终止，责任终止，不再计时"
    why = "上级单位的责任移交其他单位" if p["successor"] else "上级单位的责任终止"
    return f"{why}，本单位的责任随之终止，不再计时"


# What bears on time, by the kind of its event.
_WORDS: Mapping[str, str | Callable[[Payload], str]] = {
    "item.opened": "交办",
    "item.unit_added": "交办",
    "assignment.split": "上级单位分解下达",
    "assignment.taken_over": _taken_over,
    "assignment.acknowledged": _acknowledged,
    "petition.made": _made,
    "petition.passed": "同意，转下一岗位审批",
    "petition.settled": _settled,
    "assignment.extended": lambda p: f"批准延期，原时限 {_day(p['original_due'])}，延至 {_day(p['due_at'])}",
    "assignment.due_changed": _due_changed,
    "assignment.due_followed": lambda p: f"随任务或上级单位{_due_changed(p)}",
    "assignment.dated": lambda p: f"核定时限 {_day(p['due_at'])}",
    "assignment.suspended": lambda p: f"{_with(p)}暂停计时，期间不计",
    "assignment.resumed": _resumed,
    "assignment.submitted": lambda p: "报送，以此时为准" if p["leaves_unit"] else "提交本单位审签，尚未报送",
    "assignment.signed": lambda p: (
        "审签同意并报送，以此时为准" if p.get("leaves_unit", True) else "审签同意，转下一级审签，尚未报送"
    ),
    "assignment.passed": "审核通过，转下一步审核",
    "assignment.sent_back": lambda p: f"本单位审签退回修改{_still(p)}",
    "assignment.taken_back": lambda p: f"撤回，上一次报送不计{_still(p)}",
    "assignment.returned": _returned,
    "assignment.accepted": "审核通过，审核用时不计",
    "assignment.terminated": lambda p: "责任移交，此后由承接单位计时" if p["successor"] else "责任终止，不再计时",
    "withdrawn": _withdrawn,
    "assignment.revoked": "办结撤销，另立整改任务计时",
    "assignment.reopened": "办结撤销，重办另行计时",
}
