"""What the office settles about an item's time: 核定时限 where the document sets none, 长期坚持 and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import Connection, bindparam, or_, select

from engine import published
from engine.adjusting import item_for, require_ground
from engine.chasing import arm, disarm, parse_ladder
from engine.desk import Case, cases_of
from engine.moving import NOTHING_SAID, give_out_all_anew
from engine.notices import Notice, tell
from ledger.calendar import end_of, local_day
from ledger.database import Tx
from ledger.errors import Invalid, Refused
from ledger.events import canonical
from ledger.rules.due import OPEN_ENDED
from ledger.rules.texts import due_words, full_day
from ledger.rules.verbs import State, Verb
from ledger.schema import AnyRow, assignment

IN_HAND = (State.ACKNOWLEDGING, State.WORKING, State.RETURNED, State.SIGNING)  # a unit is chased for these
# Open shares without a date, or with one of their own beyond the item's. A suspended one gets its date when resumed.
_undated = (
    select(assignment.c.id)
    .where(
        assignment.c.item_id == bindparam("b_item"),
        assignment.c.closed_at.is_(None),
        assignment.c.overlay.is_distinct_from(State.SUSPENDED.value),
        or_(
            assignment.c.due_at.is_(None),
            assignment.c.due_at > bindparam("b_until", type_=assignment.c.due_at.type),
        ),
    )
    .order_by(assignment.c.id)
)


_open = (
    select(assignment.c.id, assignment.c.arm, assignment.c.unit)
    .where(assignment.c.item_id == bindparam("b_item"), assignment.c.closed_at.is_(None))
    .order_by(assignment.c.id)
)
_dated = (
    select(assignment.c.id, assignment.c.due_at)
    .where(
        assignment.c.item_id == bindparam("b_item"),
        assignment.c.closed_at.is_(None),
        assignment.c.overlay.is_distinct_from(State.SUSPENDED.value),
        assignment.c.due_at.is_not(None),
    )
    .order_by(assignment.c.id)
)


def date_item(tx: Tx, item_id: int, *, until: date | None, ground: str) -> int:
    """核定时限 of an item that has none: each open share is due then at the latest, its ladder armed. Returns the
    item's id.

    Raises: Invalid, Refused, NotAllowed, NotFound.
    """
    found = item_for(tx, item_id, Verb.DATE)
    _require_undated(tx, found)
    faults = require_ground(ground)
    if until is None or until < local_day(tx.now):
        faults["until"] = "请填写完成时限，不早于今天。"
    if faults or until is None:
        raise Invalid(faults)
    due_at, steps = end_of(until), [["核定", f"专班办 {full_day(local_day(tx.now))} 核定"]]
    said = {"item": item_id, "run": found.run_id, "due_at": due_at, "due_steps": canonical(steps)}
    tx.record(f"item:{item_id}", "item.dated", said, {"ground": ground})
    _give_dates(tx, found, {r.id: due_at for r in tx.read(_undated, {"b_item": item_id, "b_until": due_at})})
    return item_id


def _give_dates(tx: Tx, found: AnyRow, dates: Mapping[int, datetime]) -> None:
    """Shares of an item are due then from now on: each is given out anew, its ladder armed as far as it lies ahead."""
    cases = list(cases_of(tx, sorted(dates)).values()) if dates else []
    said = [{"due_at": dates[case.id]} for case in cases]
    turns = give_out_all_anew(tx, cases, "assignment.dated", said, NOTHING_SAID)
    disarm(tx, [("assignment", case.id) for case in cases if case.due_at])
    in_hand = [(turn, case.id) for turn, case in zip(turns, cases, strict=True) if case.state in IN_HAND]
    for turn, due_at in sorted({(turn, dates[share]) for turn, share in in_hand}):
        shares = [share for its, share in in_hand if (its, dates[share]) == (turn, due_at)]
        arm(tx, "assignment", shares, due_at, parse_ladder(found.ladder), turn=turn, only_ahead=True)
    tell(tx, [_notice(case) for case in cases])


def is_undated(connection: Connection, found: AnyRow) -> bool:
    """Whether an item has no date and gets none by itself: the document sets none, or says that it is settled later."""
    if found.due_at or found.cadence:
        return False
    if not found.due_text:
        return True
    rules = (i.due for i in published.of_run(connection, found.run_id).plan.items if i.id == found.element)
    return any(rule is not None and rule.kind in OPEN_ENDED for rule in rules)


def _require_undated(tx: Tx, found: AnyRow) -> None:
    if found.due_at:
        raise Refused(
            f"本任务已有时限 {due_words(found.due_at)}，不能另行核定；"
            "确需调整的，请用“调整时限”，或由承办单位申请延期。"
        )
    if not is_undated(tx.connection, found):
        raise Refused(f"本任务的时限按“{found.due_text or '各期报送'}”计算，不能另行核定。")


def _notice(case: Case) -> Notice:
    return Notice(
        "assignment", case.id, case.arm, "dated", case.unit, "liaison", case.run_id, case.item_id, immediate=True
    )


def last(tx: Tx, item_id: int, *, ground: str) -> int:
    """转为长期坚持: work goes on without an end, the light is never red, which the units are told. Returns the item's
    id. Raises: as `date_item`."""
    found = _require_other(tx, item_id, ground, lasting=True)
    _set_lasting(tx, found, ground, True, tx.read(_open, {"b_item": item_id}))
    return item_id


def end_last(tx: Tx, item_id: int, *, ground: str) -> int:
    """转为限时办理: judged and chased by its date again, which the units are told. Returns the item's id. Raises: as
    `date_item`."""
    found = _require_other(tx, item_id, ground, lasting=False)
    dates = {} if found.cadence else {r.id: r.due_at for r in tx.read(_dated, {"b_item": item_id})}
    others = [r for r in tx.read(_open, {"b_item": item_id}) if r.id not in dates]
    _set_lasting(tx, found, ground, False, others)
    _give_dates(tx, found, dates)
    return item_id


def _require_other(tx: Tx, item_id: int, ground: str, *, lasting: bool) -> AnyRow:
    """The item, which is not yet what it is to become. Raises: as `date_item`."""
    found = item_for(tx, item_id, Verb.LAST if lasting else Verb.END_LAST)
    if bool(found.lasting) is lasting:
        raise Refused("本任务已经是长期坚持任务，无需再转。" if lasting else "本任务不是长期坚持任务，无需再转。")
    if faults := require_ground(ground):
        raise Invalid(faults)
    return found


def _set_lasting(tx: Tx, found: AnyRow, ground: str, lasting: bool, shares: Sequence[AnyRow]) -> None:
    """`shares`: those whose units are told of it by this act."""
    tier = f"{'lasting' if lasting else 'limited'}:{found.stream_seq + 1}"  # it may be done and undone again
    payload = {"item": found.id, "run": found.run_id, "lasting": lasting}
    payload |= {"tier": tier, "told": [[r.id, r.arm] for r in shares]}
    tx.record(f"item:{found.id}", "item.lasting", payload, {"ground": ground})
    told = (Notice("assignment", r.id, r.arm, tier, r.unit, "liaison", found.run_id, found.id, True) for r in shares)
    tell(tx, told)
