"""How a notice reads as one line of a mail."""

from __future__ import annotations

from datetime import datetime

from ledger.calendar import SHANGHAI, WorkCalendar, last_day, local_day
from ledger.queries.words import OUTCOME_WORDS
from ledger.rules.intakes import STATE_AT
from ledger.schema import AnyRow

_OF_CASE = {verb.value: state.label for verb, state in STATE_AT.items()}
_KINDS = {"handed": "待签收", "request": "待报送", "returned": "退回补正", "urged": "催办", "applied": "待审批"}
_ABOUT_ITEM = ("returned", "urged", "applied", *OUTCOME_WORDS)


def line_of(n: AnyRow, now: datetime, calendar: WorkCalendar) -> dict[str, str]:
    """All that a line may say, for a mail system of the house (`mail="full"`)."""
    word, colour = _word(n, now, calendar)
    shape = {"red": "◆", "yellow": "▲", "blue": "☑", "grey": "○"}[colour]
    known = {"word": word, "shape": shape, "colour": colour, "plan": n.plan, "due": _due(n), "note": _note(n)}
    return title_of(n) | known


def title_of(n: AnyRow) -> dict[str, str]:
    """The title alone, for mails that leave the house (`mail="titles"`), in the shape of `mail.contexts.Line`."""
    title = f"第{n.n}期{n.round_name}" if n.round_id and not n.title else n.title
    if n.round_id and n.title:
        title = f"{n.title}（第{n.n}期）"
    nothing = dict.fromkeys(("word", "shape", "plan", "due", "note"), "")
    of_item = n.item_id and not n.round_id and n.owner_kind != "intake"
    path = f"/items/{n.item_id}" if of_item else link_of(n)
    return {**nothing, "colour": "grey", "title": title, "path": path}


def link_of(n: AnyRow) -> str:
    """The page on which a notice is answered."""
    if n.owner_kind == "share":
        return f"/rounds/{n.owner_id}"
    if n.owner_kind == "intake":
        return f"/intakes/{n.owner_id}"
    if n.owner_kind in ("step", "planning"):
        return f"/items/{n.item_id}"
    return f"/items/{n.item_id}" if n.tier.partition(":")[0] in _ABOUT_ITEM else "/inbox"


def _word(n: AnyRow, now: datetime, calendar: WorkCalendar) -> tuple[str, str]:
    kind = n.tier.partition(":")[0]
    if kind == "waiting":
        return _waiting(n), "grey"
    if kind == "pressing":
        return "待审批", "yellow"
    if kind in OUTCOME_WORDS:
        return OUTCOME_WORDS[kind], "grey"
    if n.owner_kind == "planning":
        return "待报节点计划", "yellow"
    if n.due_at is None or kind in ("handed", "request", "applied"):
        return _KINDS.get(kind, "待办"), "grey"
    left = calendar.days_left(local_day(now), last_day(n.due_at))
    if now > n.due_at:
        return (f"逾期 {-left} 个工作日" if left < 0 else "已逾期"), "red"
    if kind in _KINDS:
        return _KINDS[kind], "yellow"
    return ("今天到期" if last_day(n.due_at) == local_day(now) else f"临期，剩 {left} 个工作日"), "yellow"


def _waiting(n: AnyRow) -> str:
    if n.owner_kind == "intake":
        return _OF_CASE.get(n.tier.partition(":")[2], "待办")
    return "待审签" if n.assignment_state == "signing" else "待审核"


def _due(n: AnyRow) -> str:
    if n.due_at is None:
        return "未定时限"
    clock = n.due_at.astimezone(SHANGHAI)
    day = f"{last_day(n.due_at):%m-%d}"
    return day if clock.hour == clock.minute == 0 else f"{day} {clock:%H:%M}"


def _note(n: AnyRow) -> str:
    """Whose share it is, where the reader is not of that unit; that it is a step, or which one of a case."""
    if n.owner_kind == "step":
        return "节点"
    if n.tier.startswith("chasing:"):
        return _OF_CASE.get(n.tier.partition(":")[2].partition(".")[0], "")
    is_below = n.assignment_unit not in (None, n.unit)  # of what the reader has handed down
    return n.owner_unit if n.role != "liaison" or is_below or n.tier.startswith("waiting:") else ""
