"""What a database is asked, however it gets there: through SQLAlchemy, or compiled and straight to the driver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine, event

from ledger import prepared


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """(SQL, parameters) of each statement of a block, in order; one for however many rows."""
    found: list[tuple[str, Any]] = []
    execute = prepared.execute

    def seen(_c: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        found.append((statement, parameters))

    def sent(driver: Any, sql: str, bind: prepared.Bind, given: Any) -> list[Any]:
        found.append((sql, bind(given[0])))
        return execute(driver, sql, bind, given)

    event.listen(engine, "before_cursor_execute", seen)
    try:
        with patch.object(prepared, "execute", sent):
            yield found
    finally:
        event.remove(engine, "before_cursor_execute", seen)
