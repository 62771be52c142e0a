"""Statements that are compiled once and then go straight to the driver.

Compiling, binding and unpacking a statement costs SQLAlchemy several times what SQLite needs to run it. What stands in
the way of every act is written as a constant in SQLAlchemy Core, compiled here for its dialect, and kept.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, CompoundSelect, Connection, Select, all_, any_, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Delete, Insert, Update, operators, visitors
from sqlalchemy.sql.expression import BinaryExpression, BindParameter, TextClause

from ledger.schema import AnyRow

REMEMBERED = 2048  # values of one column
FEW = 100  # values that are numbered one by one
LONGEST = 1024  # of lists in a kept statement; longer ones are rare, and may be more than a database takes

Query = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]
Statement = Insert | Update | Delete | TextClause | Query
Row = Mapping[str, Any]
Bind = Callable[[Row], Any]
Unpack = Callable[[Iterable[Any]], list[AnyRow]]


def rows(connection: Connection, query: Query, values: Row) -> list[AnyRow]:
    """What a query that is a constant of a module gives for these values. A row has its columns as attributes.

    Lists are the values of `expanding` parameters. Raises: DBAPIError as SQLAlchemy would.
    """
    dialect = connection.dialect
    driver = connection.connection.driver_connection
    if any(isinstance(value, Sized) and not isinstance(value, list | str | bytes) for value in values.values()):
        raise TypeError("several values are given as a list")
    if any(isinstance(value, list) and len(value) > LONGEST for value in values.values()):
        return list(connection.execute(query, values).all())
    lists = {name: value for name, value in values.items() if isinstance(value, list)}
    numbered = {} if _goes_as_array(dialect, lists) else {name: _padded(value) for name, value in lists.items()}
    if numbered:
        values = {**values, **{_nth(name, n): v for name, each in numbered.items() for n, v in enumerate(each, 1)}}
    lengths = tuple([(name, len(each)) for name, each in numbered.items()])
    sql, bind = compiled(query, tuple(values), dialect, lengths)
    with errors(connection):
        (cursor,) = execute(driver, sql, bind, [values])
        found = cursor.fetchall()
    return _unpacking(query, dialect, tuple([column[1] for column in cursor.description]))(found) if found else []


def _goes_as_array(dialect: Dialect, lists: Mapping[str, Sized]) -> bool:
    """Whether lists go to the database as one value each: the driver of PostgreSQL takes longer to number a thousand
    values than the server takes to find their rows, and longer to make an array of three than to number them."""
    return dialect.name == "postgresql" and any(len(each) > FEW for each in lists.values())


def _padded(values: list[Any]) -> list[Any]:
    """The same set in a list whose length is a power of two, so that a statement is compiled for few lengths; an empty
    one, which IN and NOT IN take differently, stays empty."""
    length = 1 << (len(values) - 1).bit_length() if values else 0
    return values + values[-1:] * (length - len(values))


def _nth(name: str, n: int) -> str:
    """What SQLAlchemy calls the nth value of an expanding parameter, from 1."""
    return f"{name}_{n}"


@lru_cache(maxsize=512)
def compiled(
    statement: Statement, keys: tuple[str, ...], dialect: Dialect, lengths: tuple[tuple[str, int], ...] = ()
) -> tuple[str, Bind]:
    """A statement's SQL for rows of these keys, and what makes the driver's parameters of a row. `lengths`: of the
    lists among the values, none where they go as arrays."""
    if isinstance(statement, Insert):
        statement = statement.inline()  # nobody waits for the identifiers that the database gives
    if isinstance(statement, Select | CompoundSelect):
        visited: dict[str, Callable[[Any], None]] = {"bindparam": _write_out}
        if dialect.name == "postgresql" and not lengths:
            visited["binary"] = _among_an_array
        statement = visitors.cloned_traverse(statement, {}, visited)
    made: Any = statement.compile(dialect=dialect, column_keys=list(keys))
    state = made.construct_expanded_state({k: None for k in keys} | {k: [None] * n for k, n in lengths})
    types = {name: bind.type for bind, name in made.bind_names.items()}
    types |= {each: types[name] for name, names in state.parameter_expansion.items() for each in names}
    given = {*keys, *(each for name, _ in lengths for each in state.parameter_expansion.get(name, ()))}
    binds = []
    for name in state.positiontup or state.parameters:
        processor = types[name].dialect_impl(dialect).bind_processor(dialect)
        constant = state.parameters[name] if name not in given else None
        if processor and constant is not None:
            constant = processor(constant)
        binds.append((name, name in given, processor, constant))

    def value(row: Row, bind: tuple[str, bool, Callable[[Any], Any] | None, Any]) -> Any:
        name, is_given, processor, constant = bind
        if not is_given:
            return constant
        return processor(row[name]) if processor else row[name]

    if state.positiontup is not None:
        return state.statement, lambda row: tuple([value(row, bind) for bind in binds])
    return state.statement, lambda row: {bind[0]: value(row, bind) for bind in binds}


def _write_out(bind: BindParameter[Any]) -> None:
    """A constant stands in the statement itself: only then does SQLite see that a partial index holds what is asked
    for, without planning anew each time."""
    bind.literal_execute = not bind.required


def _among_an_array(binary: BinaryExpression[Any]) -> None:
    """`x IN (a, b, c)` of an expanding parameter becomes `x = ANY (array)`, NOT IN becomes `x <> ALL (array)`."""
    given = binary.right
    if not isinstance(given, BindParameter) or not (given.expanding and given.required):
        return
    array: BindParameter[Any] = bindparam(given.key, type_=ARRAY(given.type))
    if binary.operator is operators.in_op:
        binary.operator, binary.right = operators.eq, any_(array)
    else:
        binary.operator, binary.right = operators.ne, all_(array)


@lru_cache(maxsize=512)
def _unpacking(query: Query, dialect: Dialect, codes: tuple[Any, ...]) -> Unpack:
    """What makes rows of the driver's tuples, whose columns have these type codes."""
    columns = query.selected_columns
    shape: Any = namedtuple("Row", [str(c.key) for c in columns], rename=True)  # type: ignore[misc]
    processors = [
        (n, lru_cache(maxsize=REMEMBERED)(processor))  # dates and numbers come again and again
        for n, (column, code) in enumerate(zip(columns, codes, strict=True))
        if (processor := column.type.dialect_impl(dialect).result_processor(dialect, code))
    ]

    def unpack(found: Iterable[Any]) -> list[AnyRow]:
        made: list[Any] = []
        for raw in found:
            row = list(raw)
            for n, processor in processors:
                if row[n] is not None:
                    row[n] = processor(row[n])
            made.append(shape._make(row))
        return made

    return unpack


def execute(driver: Any, sql: str, bind: Bind, given: Sequence[Row]) -> list[Any]:
    """The cursors that know which rows were met."""
    if len(given) > 1 and not hasattr(driver, "pipeline"):
        return [driver.executemany(sql, map(bind, given))]
    return [driver.execute(sql, bind(row)) for row in given]


class errors(AbstractContextManager[None]):
    """Errors of the driver leave as SQLAlchemy's, and a lost connection is not given back to the pool."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if error is None:
            return
        dialect = self.connection.dialect
        module: Any = dialect.loaded_dbapi
        if not isinstance(error, module.Error):
            return
        lost = dialect.is_disconnect(error, self.connection.connection.dbapi_connection, None)
        if lost:
            self.connection.invalidate(error)
        raise DBAPIError.instance(
            None, None, error, module.Error, connection_invalidated=lost, dialect=dialect
        ) from error
