"""A hand for a script of human acts: finds who holds the todo and gives the same commands as the pages do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, select

from engine.clockwork import advance_to
from engine.commands import (
    Entry,
    Part,
    TodoRef,
    acknowledge_many,
    decide,
    perform,
    report,
    report_round,
    split,
    submit,
    urge,
)
from ledger.database import Database
from ledger.people import Actor, actor_of, holders
from ledger.schema import AnyRow, assignment, indicator, item, person, round_, share, todo


class Office:
    """The people of a run, acting on its items by printed number and unit key."""

    def __init__(self, db: Database, run_id: int) -> None:
        self.db, self.run_id = db, run_id

    def who(self, login: str) -> Actor:
        """The person of an account, as they stand today."""
        with self.db.read() as connection:
            found = connection.execute(select(person.c.id).where(person.c.login == login)).scalar_one()
            actor = actor_of(connection, found)
        assert actor is not None
        return actor

    def at(self, moment: datetime) -> None:
        """Let time pass up to a moment, with everything that it makes happen."""
        advance_to(self.db, moment)

    # ---------------------------------------------------------------- acts
    def acknowledge(self, unit: str) -> None:
        """签收 of everything that waits for this unit's liaison."""
        with self.db.read() as connection:
            rows = connection.execute(self._open().where(todo.c.step == "acknowledge", assignment.c.unit == unit)).all()
            actor = self._holder(connection, unit, "liaison") if rows else None
        if actor:
            perform(self.db, actor, acknowledge_many, [TodoRef(r.id, r.step, r.arm) for r in rows])

    def report(
        self,
        unit: str,
        no: str,
        progress: str,
        figures: Mapping[str, int] | None = None,
        files: Sequence[int] = (),
    ) -> None:
        """填报 outside of any round, with uploads of the liaison's."""
        with self.db.read() as connection:
            share_id = self._share(connection, unit, no).id
            entry = Entry(self._values(connection, share_id, figures), progress, files=files)
            actor = self._holder(connection, unit, "liaison")
        perform(self.db, actor, report, share_id, entry, confirmed=True)

    def nothing_new(self, unit: str, no: str) -> None:
        """本期无新进展 on one item."""
        with self.db.read() as connection:
            share_id = self._share(connection, unit, no).id
            actor = self._holder(connection, unit, "liaison")
        perform(self.db, actor, report, share_id, Entry(), nothing_new=True)

    def split(self, unit: str, no: str, until: date, towns: Sequence[str]) -> None:
        """分解下达 to lower units, all until the same day."""
        with self.db.read() as connection:
            share_id = self._share(connection, unit, no).id
            actor = self._holder(connection, unit, "liaison")
        perform(self.db, actor, split, share_id, parts=[Part(town, None, until) for town in towns])

    def urge(self, by: tuple[str, str], units: Sequence[str], no: str, words: str) -> None:
        """催办 by the holder of a post (unit, role)."""
        with self.db.read() as connection:
            ids = [self._share(connection, unit, no).id for unit in units]
            actor = self._holder(connection, *by)
        perform(self.db, actor, urge, ids, words=words)

    def report_round(self, unit: str, cadence: str, entries: Mapping[str, tuple[Mapping[str, int], str]]) -> None:
        """期次报送 of the open round of a cadence, by item number; no entries mean 本期无新进展."""
        with self.db.read() as connection:
            asked = (
                connection.execute(
                    select(share.c.id)
                    .join(round_, round_.c.id == share.c.round_id)
                    .where(round_.c.run_id == self.run_id, round_.c.cadence == cadence)
                    .where(share.c.unit == unit, share.c.state == "owed")
                    .order_by(round_.c.n)
                )
                .scalars()
                .first()
            )
            shares = {no: self._share(connection, unit, no).id for no in entries}
            filled = {
                shares[no]: Entry(self._values(connection, shares[no], figures), progress)
                for no, (figures, progress) in entries.items()
            }
            actor = self._holder(connection, unit, "liaison")
        if asked is not None:
            perform(self.db, actor, report_round, asked, filled, nothing_new=not filled, confirmed=True)

    def apply(
        self,
        unit: str,
        no: str,
        summary: str,
        figures: Mapping[str, int] | None = None,
        files: Sequence[int] = (),
    ) -> None:
        """申请办结, or 提交反馈 of a cooperating unit, with uploads of the liaison's."""
        with self.db.read() as connection:
            step = self._todo(connection, unit, no)
            entry = Entry(self._values(connection, step.id, figures), files=files)
            actor = self._holder(connection, step.todo_unit, step.role)
        perform(self.db, actor, submit, TodoRef(step.id, step.step, step.arm), entry, summary=summary, confirmed=True)

    def decide(self, unit: str, no: str, *, agree: bool = True, reason: str = "") -> str:
        """Whoever stands at the share's present step signs, accepts, agrees or returns; returns the step's name."""
        with self.db.read() as connection:
            step = self._todo(connection, unit, no)
            actor = self._holder(connection, step.todo_unit, step.role)
        perform(self.db, actor, decide, TodoRef(step.id, step.step, step.arm), agree=agree, reason=reason)
        return str(step.step)

    def is_waiting(self, unit: str, no: str) -> bool:
        """Whether the share waits for a signer or reviewer."""
        with self.db.read() as connection:
            found = connection.execute(self._open().where(assignment.c.unit == unit, item.c.no == no)).one_or_none()
        return found is not None and found.step not in ("acknowledge", "work")

    # ---------------------------------------------------------------- look-ups
    def holder(self, unit: str, role: str) -> int:
        """The id of the person who holds a post."""
        with self.db.read() as connection:
            return self._holder(connection, unit, role).person_id

    def _open(self) -> Select[Any]:
        return (
            select(assignment.c.id, todo.c.step, todo.c.arm, todo.c.unit.label("todo_unit"), todo.c.role, item.c.no)
            .select_from(
                todo.join(assignment, (todo.c.owner_kind == "assignment") & (todo.c.owner_id == assignment.c.id)).join(
                    item, item.c.id == assignment.c.item_id
                )
            )
            .where(todo.c.run_id == self.run_id, todo.c.closed_at.is_(None))
            .order_by(assignment.c.id)
        )

    def _todo(self, connection: Connection, unit: str, no: str) -> AnyRow:
        return connection.execute(self._open().where(assignment.c.unit == unit, item.c.no == no)).one()

    def _share(self, connection: Connection, unit: str, no: str) -> AnyRow:
        return connection.execute(
            select(assignment)
            .join(item, item.c.id == assignment.c.item_id)
            .where(item.c.run_id == self.run_id, item.c.no == no, assignment.c.unit == unit)
        ).one()

    def _values(self, connection: Connection, share_id: int, by_key: Mapping[str, int] | None) -> dict[int, Decimal]:
        if not by_key:
            return {}
        ids = dict(
            connection.execute(
                select(indicator.c.key, indicator.c.id)
                .join(assignment, assignment.c.item_id == indicator.c.item_id)
                .where(assignment.c.id == share_id)
            ).all()
        )
        return {ids[key]: Decimal(value) for key, value in by_key.items()}

    def _holder(self, connection: Connection, unit: str, role: str) -> Actor:
        first = holders(connection, {(unit, role)})[unit, role][0]
        actor = actor_of(connection, first.person_id)
        if actor is None:
            raise LookupError(f"nobody holds {unit} {role}")
        return actor
