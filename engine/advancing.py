"""Advancing a run: what closed items mean to the plan's diagram.

Closing an item leaves a unique row of `advance` in the same transaction. The rows of a run are drained together under
its lock: one load, one save. A replay finds nothing to do. The request that closed the item tries once after its
commit; the tick guarantees it.
"""

from __future__ import annotations

from sqlalchemy import delete, select

from bpmn.plan import Plan
from engine import instances
from engine.chasing import disarm
from engine.opening import open_waits, reopen_state, save_state, schedule_timers
from ledger.database import Database, Tx
from ledger.rules.verbs import ENDED
from ledger.schema import advance, item


def advance_run(db: Database, run_id: int) -> None:
    """Drain a run's rows in a transaction of its own."""
    with db.write() as tx:
        drain(tx, run_id)


def drain(tx: Tx, run_id: int) -> None:
    """Complete every wait state whose items are all closed, open what follows, end the run when nothing is left."""
    plan, instance = reopen_state(tx, run_id)
    rows = tx.connection.execute(select(advance.c.item_id).where(advance.c.run_id == run_id)).scalars().all()
    if not rows:
        return
    tx.connection.execute(delete(advance).where(advance.c.run_id == run_id, advance.c.item_id.in_(rows)))
    if instances.is_ended(instance):
        return  # whoever drained before saw these items closed, but not yet their rows
    is_open = {
        r.element: r.state not in ENDED
        for r in tx.connection.execute(select(item.c.element, item.c.state).where(item.c.run_id == run_id))
    }
    held = {i.heading or i.id for i in plan.items if is_open[i.id]}
    for wait in instances.waits(instance):
        if wait not in held:
            instances.complete(instance, wait)
    _go_on(tx, run_id, plan, instance)


def release_timer(tx: Tx, run_id: int, timer: str) -> None:
    """A date of the diagram has come: what stands behind it opens, whatever is late elsewhere."""
    plan, instance = reopen_state(tx, run_id)
    instances.release(instance, timer)
    _go_on(tx, run_id, plan, instance)


def _go_on(tx: Tx, run_id: int, plan: Plan, instance: instances.Instance) -> None:
    save_state(tx, run_id, instance)
    schedule_timers(tx, run_id, instance)
    open_waits(tx, run_id, plan, instances.waits(instance))
    if instances.is_ended(instance):
        tx.record(f"run:{run_id}", "run.ended", {"run": run_id})
        disarm(tx, [("run", run_id)])  # turns that would have asked nobody any more
        tx.flush()
