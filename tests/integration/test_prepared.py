"""Statements that go straight to the driver give what SQLAlchemy gives."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import BindParameter, String, bindparam, cast, func, literal, select, union_all

from ledger import prepared
from ledger.clock import wall_now
from ledger.schema import assignment, item, run, todo, unit
from webapp.demo.office import Office

_several: BindParameter[Any] = bindparam("ids", expanding=True)
_IN = select(item.c.id, item.c.due_at, item.c.gated).where(item.c.id.in_(_several)).order_by(item.c.id)
_NOT_IN = select(item.c.id, item.c.title).where(~item.c.id.in_(_several)).order_by(item.c.id).limit(bindparam("most"))
_PARTIAL = (
    select(todo.c.owner_id).where(todo.c.closed_at.is_(None), todo.c.step == "acknowledge").order_by(todo.c.owner_id)
)
_SINCE = select(run.c.id, run.c.period_end).where(run.c.started_at < bindparam("at", type_=run.c.started_at.type))
_UNITED = union_all(
    select(func.max(assignment.c.quota).label("n")),
    select(func.count().label("n")).where(unit.c.kind == bindparam("kind")),
)
_WORDS = select(cast(literal("50% %s : ? \\' x"), String).label("words"), cast(unit.c.key, String)).where(
    unit.c.key == bindparam("key")
)
ASKED: list[tuple[Any, dict[str, Any]]] = [
    *((_IN, {"ids": list(range(n))}) for n in (0, 1, 2, 3, 9, 40, 300, 1500)),
    *((_NOT_IN, {"ids": list(range(n)), "most": 5}) for n in (0, 1, 3, 33, 300, 1500)),
    (_PARTIAL, {}),
    (_SINCE, {"at": wall_now() + timedelta(days=1)}),
    (_UNITED, {"kind": "organ"}),
    (_WORDS, {"key": "renshe"}),
]


def test_the_same_rows(office: Office) -> None:
    with office.db.read() as connection:
        for query, values in ASKED * 2:  # the second time what was kept is asked
            expected = connection.execute(query, values).all()
            found = prepared.rows(connection, query, values)
            assert [tuple(r) for r in found] == [tuple(r) for r in expected], (str(query), values)
            assert [type(v) for r in found for v in r] == [type(v) for r in expected for v in r]


def test_several_values_are_a_list(office: Office) -> None:
    with office.db.read() as connection, pytest.raises(TypeError):
        prepared.rows(connection, _IN, {"ids": (1, 2)})
