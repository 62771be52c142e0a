"""Triggers that keep the log append-only against everybody but the database's owner, who is found by the chain instead.

Events and seals are never updated, deleted or truncated. A text or file kept apart may only be cleared (依规清除),
never changed.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, text

MESSAGE = "the log is append-only"
CLEARING = "NEW.text IS NOT NULL OR NEW.salt IS NOT NULL"
APPEND_ONLY = ("event", "seal")

_FUNCTION = (
    f"CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{MESSAGE}'; END $$"
)


def append_only(table: str, dialect: str) -> tuple[str, ...]:
    """The statements that make a table append-only; on PostgreSQL `refuse_change` must stand already."""
    if dialect == "sqlite":
        return (
            _sqlite(f"{table}_no_update", f"UPDATE ON {table}"),
            _sqlite(f"{table}_no_delete", f"DELETE ON {table}"),
        )
    return (
        _postgresql(f"{table}_no_change", f"DELETE OR UPDATE ON {table} FOR EACH ROW"),
        _postgresql(f"{table}_no_truncate", f"TRUNCATE ON {table} FOR EACH STATEMENT"),
    )


def statements(dialect: str) -> tuple[str, ...]:
    """The statements that create the triggers of the first release on a fresh database."""
    if dialect == "sqlite":
        return (*append_only("event", dialect), *_content(dialect))
    return (_FUNCTION, *append_only("event", dialect), *_content(dialect))


def _guards(dialect: str) -> tuple[str, ...]:
    return (*_content(dialect), *attachment(dialect), *(s for t in APPEND_ONLY for s in append_only(t, dialect)))


def missing(connection: Connection) -> Iterator[str]:
    """The names of the triggers that do not stand as this release made them: dropped, switched off or rewritten."""
    dialect = connection.dialect.name
    wanted = {statement.split()[2]: statement for statement in _guards(dialect)}
    standing = dict(map(tuple, connection.execute(text(_STANDING[dialect])).all()))
    yield from (name for name, statement in wanted.items() if standing.get(name) != statement)
    if dialect == "postgresql":
        body = connection.execute(text("SELECT prosrc FROM pg_proc WHERE proname = 'refuse_change'")).scalars().all()
        if [f"$${b}$$" for b in body] != ["$$" + _FUNCTION.split("$$")[1] + "$$"]:
            yield "refuse_change"
        roles = connection.execute(text(_ROLES)).scalars().all()
        if any(role != "origin" for role in roles):
            yield "session_replication_role"  # under another one they stand and do nothing


def unexpected(connection: Connection) -> Iterator[str]:
    """Triggers, and on PostgreSQL rules, that this release never made: whoever adds one decides what is written."""
    dialect = connection.dialect.name
    ours = {statement.split()[2] for statement in _guards(dialect)}
    yield from (name for name in connection.execute(text(_EVERY[dialect])).scalars() if name not in ours)


_EVERY = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal UNION ALL"
        " SELECT rulename FROM pg_rules WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
    ),
}
# A trigger as the statement that made it; one that is switched off is no trigger.
_STANDING = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": (
        "SELECT tgname, pg_get_triggerdef(oid, true) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
    ),
}


_ROLES = """
    SELECT current_setting('session_replication_role')
    UNION ALL SELECT split_part(c, '=', 2) FROM pg_db_role_setting, unnest(setconfig) AS c
    WHERE c LIKE 'session_replication_role=%'
"""


def _sqlite(name: str, when: str) -> str:
    return f"CREATE TRIGGER {name} BEFORE {when} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"


def _postgresql(name: str, when: str) -> str:
    return f"CREATE TRIGGER {name} BEFORE {when} EXECUTE FUNCTION refuse_change()"


def _content(dialect: str) -> tuple[str, ...]:
    if dialect == "sqlite":
        return (
            _sqlite("content_no_delete", "DELETE ON content"),
            _sqlite("content_only_cleared", f"UPDATE ON content WHEN {CLEARING}"),
        )
    return (
        _postgresql("content_no_delete", "DELETE ON content FOR EACH ROW"),
        _postgresql("content_no_truncate", "TRUNCATE ON content FOR EACH STATEMENT"),
        # as PostgreSQL prints a condition, so that `missing` can compare it
        _postgresql(
            "content_only_cleared",
            "UPDATE ON content FOR EACH ROW WHEN (new.text IS NOT NULL OR new.salt IS NOT NULL)",
        ),
    )


# The file of an event may only be cleared: digest and salt go, what the event says of it stays. The casts are those
# with which PostgreSQL prints the condition.
_ATTACHMENT_SAYS = ("id", "stream::text", "seq", "assignment_id", "size", "media_type::text")


def attachment(dialect: str) -> tuple[str, ...]:
    """The statements that guard `attachment`; on PostgreSQL `refuse_change` must stand already."""
    columns = [c if dialect == "postgresql" else c.partition("::")[0] for c in _ATTACHMENT_SAYS]
    kept = " OR ".join(f"new.{column} <> old.{column}" for column in columns)
    changed = f"new.salt IS NOT NULL OR new.sha256 IS NOT NULL OR {kept}"
    if dialect == "sqlite":
        return (
            _sqlite("attachment_no_delete", "DELETE ON attachment"),
            _sqlite("attachment_only_cleared", f"UPDATE ON attachment WHEN {changed}"),
        )
    return (
        _postgresql("attachment_no_delete", "DELETE ON attachment FOR EACH ROW"),
        _postgresql("attachment_no_truncate", "TRUNCATE ON attachment FOR EACH STATEMENT"),
        _postgresql("attachment_only_cleared", f"UPDATE ON attachment FOR EACH ROW WHEN ({changed})"),
    )
