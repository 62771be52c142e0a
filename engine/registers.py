"""The register (登记簿) of an office for a kind of case: a run without drawn items, opened with the first registration.

So what is registered is an item like any other: in a run, with its office, ladder, lists and rights.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select

from bpmn.plan import Facts
from bpmn.writing import write_register
from engine.opening import publish, start_run
from ledger.calendar import local_day
from ledger.database import Tx
from ledger.people import Desk
from ledger.rules.intakes import Kind
from ledger.schema import run, unit

_MOST_KEY = 40  # characters of a process id
_standing = select(run.c.id).where(
    run.c.office == bindparam("b_office"), run.c.plan == bindparam("b_plan"), run.c.ended_at.is_(None)
)
_office = select(unit.c.name, unit.c.short).where(unit.c.key == bindparam("b_key"))


def register_of(tx: Tx, kind: Kind, desk: Desk) -> int:
    """The run of the register that an office keeps for a kind of case; it is opened where there is none yet.

    Raises: Refused where the office is not in the directory of its jurisdiction.
    """
    key = f"{kind.key}-{desk.unit}"[:_MOST_KEY].rstrip("-")
    found = tx.connection.execute(_standing, {"b_office": desk.unit, "b_plan": key}).scalar()
    return found if found is not None else _open(tx, kind, desk, key)


def _open(tx: Tx, kind: Kind, desk: Desk, key: str) -> int:
    office, today = tx.connection.execute(_office, {"b_key": desk.unit}).one(), local_day(tx.now)
    facts = Facts(
        key=key,
        title=f"{office.short}{kind.name}登记簿",
        short=f"{kind.name}登记簿",
        issuer=office.name,
        doc_no="",
        issued=today,
        period=(today, None),
        jurisdiction=desk.jurisdiction,
        office=office.name,
        sign_roles=("lead",),
        mail="titles",
        intake=kind.key,
    )
    return start_run(tx, publish(tx, write_register(facts), f"开始登记{kind.name}"))
