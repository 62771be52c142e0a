"""暂停计时 and 恢复计时: of a share, and with it of what it was handed down in.

Parts that are in their units' hands, at their own signer's too, stop with the whole and go on with it, each with its
own date moved by the same working days. What a part has handed in is decided as usual, and what comes back to its unit
stands still from then on (`engine.stopped`); one that stood still by itself already is left to itself. The steps of a
share (节点) stand still and move with it; a plan of them that is owed is asked for anew. A unit all of whose shares
stand still is asked for no report.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from engine.adjusting import notice_of, require_said
from engine.chasing import arm_again, disarm, parse_ladder
from engine.dating import IN_HAND
from engine.desk import Case, case_of, cases_of, limit_texts, permit
from engine.moving import NOTHING_SAID, Said, give_out_all_anew, give_out_anew, parts_of, rearm, settling, siblings
from engine.notices import tell
from engine.owing import release
from engine.steps import ask_again, go_on, let_go, standing_still
from engine.stopped import days_since, moved, stopped_with
from ledger.database import Tx
from ledger.errors import Refused
from ledger.rules.levels import inner
from ledger.rules.verbs import State, Verb
from ledger.schema import AnyRow


def suspend(tx: Tx, assignment_id: int, *, ground: str) -> int:
    """暂停计时: nobody is chased until it is lifted, nor whom the share was handed down to. Returns the item's id.

    Raises: Invalid, Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.SUSPEND)
    require_said(ground)
    if case.due_at is None or case.cadence:
        raise Refused("本任务没有单独计算的时限，无需暂停计时；按期次报送的，请在报送时说明。")
    parts = [p for p in _parts(tx, case) if p.state in IN_HAND and p.due_at and p.overlay != State.SUSPENDED]
    give_out_anew(tx, case, "assignment.suspended", {"todo_due": None}, Said({"ground": ground}))
    stopped = [{"todo_due": None, "with": case.id, "settles": settling(p, "lapsed")} for p in parts]
    give_out_all_anew(tx, parts, "assignment.suspended", stopped, NOTHING_SAID)
    petitions = [("petition", p.petition_id) for p in parts if p.petition_id]
    disarm(tx, [*(("assignment", c.id) for c in (case, *parts)), *petitions])
    let_go(tx, case.needs_steps, [case, *parts])
    release(tx, case)
    tell(tx, [notice_of(c, "suspended") for c in (case, *parts)])
    return int(case.item_id)


def resume(tx: Tx, assignment_id: int, *, ground: str) -> int:
    """恢复计时: the date moves by the working days suspended, the ladder is armed anew; likewise of each part that was
    stopped with it. Returns the item's id.

    Raises: Refused, NotAllowed, NotFound.
    """
    case = case_of(tx, assignment_id)
    permit(tx, case, Verb.RESUME)
    limit_texts(ground=ground)
    if case.parent_suspended:
        raise Refused(f"{case.parent_name}的任务已暂停计时，本单位随之暂停，随其恢复，不能单独恢复。")
    with_it = _stopped_with(tx, case)
    steps = standing_still(tx, [case, *with_it])
    said = _later(tx, case, case.parent_due, steps.get(case.id, ())) | ask_again(tx, case)
    turn = give_out_anew(tx, case, "assignment.resumed", said, Said({"ground": ground}))
    rearm(tx, case, turn, said["due_at"])
    own = [{**_later(tx, p, said["due_at"], steps.get(p.id, ())), "with": case.id} for p in with_it]
    turns = give_out_all_anew(tx, with_it, "assignment.resumed", own, NOTHING_SAID)
    for share, its, arm in zip((case, *with_it), (said, *own), (turn, *turns), strict=True):
        go_on(tx, steps.get(share.id, ()), dict(its["steps"]), case.ladder, arm)
    dates = [(p.id, it["due_at"], turn) for p, turn, it in zip(with_it, turns, own, strict=True)]
    arm_again(tx, dates, parse_ladder(case.ladder))
    tell(tx, [notice_of(c, "resumed") for c in (case, *with_it)])
    return int(case.item_id)


def _parts(tx: Tx, case: Case) -> list[Case]:
    """What a share was handed down in, at every level, and is still open."""
    if not case.n_parts_open:
        return []
    below = parts_of(siblings(tx, case.item_id), case.id)
    return [p for p in cases_of(tx, {r.id for r in below}).values() if p.state not in (State.CLOSED, State.WITHDRAWN)]


def _stopped_with(tx: Tx, case: Case) -> list[Case]:
    """The parts that stand still because this share does."""
    stopped = [p for p in _parts(tx, case) if p.overlay == State.SUSPENDED]
    by = stopped_with(tx, case.item_id) if stopped else {}
    return [p for p in stopped if by.get(p.id) == case.id]


def _later(tx: Tx, case: Case, within: datetime | None, steps: Sequence[AnyRow]) -> dict[str, Any]:
    """What the event says of a share that goes on: its dates and those of its steps, moved by the working days that it
    stood still."""
    days = days_since(tx, case.suspended_at)
    due_at = inner(moved(tx, case.due_at, days), within, case.due_at)
    return {
        "due_at": due_at,
        "steps": [[s.id, inner(moved(tx, s.due_at, days), due_at, s.due_at)] for s in steps],
        "original_due": moved(tx, case.original_due, days),
        "days": days,
        "since": case.suspended_at,
    }
