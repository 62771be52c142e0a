"""Triggers that keep the log append-only against everybody but the database's owner, who is found by the chain instead.

Events are never updated, deleted or truncated. A text kept apart may only be cleared (依规清除), never changed.
"""

from __future__ import annotations

MESSAGE = "the log is append-only"

SQLITE = tuple(
    f"CREATE TRIGGER {name} BEFORE {when} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
    for name, when in (
        ("event_no_update", "UPDATE ON event"),
        ("event_no_delete", "DELETE ON event"),
        ("content_no_delete", "DELETE ON content"),
        ("content_only_cleared", "UPDATE ON content WHEN NEW.text IS NOT NULL OR NEW.salt IS NOT NULL"),
    )
)

POSTGRESQL = (
    f"CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{MESSAGE}'; END $$",
    "CREATE TRIGGER event_no_change BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON event EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER content_no_delete BEFORE DELETE ON content FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER content_no_truncate BEFORE TRUNCATE ON content EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER content_only_cleared BEFORE UPDATE ON content FOR EACH ROW"
    " WHEN (NEW.text IS NOT NULL OR NEW.salt IS NOT NULL) EXECUTE FUNCTION refuse_change()",
)


def statements(dialect: str) -> tuple[str, ...]:
    """The statements that create the triggers on a fresh database."""
    return {"sqlite": SQLITE, "postgresql": POSTGRESQL}[dialect]
