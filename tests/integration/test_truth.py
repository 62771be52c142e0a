"""What keeps the ledger true: append-only triggers, chains, texts apart, one writer of projections, migrations."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DatabaseError

from engine import ticking
from engine.commands import Entry, TodoRef, perform, submit
from ledger.database import Database
from ledger.errors import Conflict, Invalid
from ledger.people import actor_of
from ledger.schema import assignment, content, event, item, metadata, stream
from ledger.triggers import MESSAGE
from ledger.verification import broken_chains, replay_differences
from webapp.demo.office import Office

ON_BOTH = [
    "UPDATE event SET payload = '{}' WHERE id = 1",
    "DELETE FROM event WHERE id = 1",
    "UPDATE content SET text = 'x' WHERE field = 'name'",
    "DELETE FROM content WHERE field = 'name'",
    "UPDATE seal SET hash = 'x' WHERE ordinal = 1",
    "DELETE FROM seal WHERE ordinal = 1",
]
ON_SQLITE = [
    f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} WHERE {key} = 1"
    for table, key in (("event", "id"), ("seal", "ordinal"))
]
ON_POSTGRESQL = ["TRUNCATE event", "TRUNCATE content", "TRUNCATE seal"]


def statements(db: Database) -> list[str]:
    return ON_BOTH + (ON_SQLITE if db.is_sqlite else ON_POSTGRESQL)


def test_the_log_refuses_every_change(office: Office) -> None:
    ticking.tick(office.db)
    for statement in statements(office.db):
        with pytest.raises(DatabaseError, match=MESSAGE), office.db.writer.begin() as connection:
            connection.execute(text(statement))


def drop_triggers(db: Database) -> None:
    """What only the database's owner can do, and what the chain then has to find."""
    with db.writer.begin() as connection:
        if db.is_sqlite:
            for name in ("event_no_update", "event_no_delete", "content_no_delete", "content_only_cleared"):
                connection.execute(text(f"DROP TRIGGER {name}"))
        else:
            connection.execute(text("ALTER TABLE event DISABLE TRIGGER USER"))
            connection.execute(text("ALTER TABLE content DISABLE TRIGGER USER"))


def last_of(db: Database, name: str) -> int:
    with db.read() as connection:
        return int(connection.execute(select(stream.c.seq).where(stream.c.name == name)).scalar_one())


@pytest.mark.parametrize("act", ["change", "cut", "drop", "reorder", "retime", "retext"])
def test_tampering_breaks_the_chain(office: Office, act: str) -> None:
    office.acknowledge("renshe")
    office.report("renshe", "4", "已走访三所高校。")
    name, last = "item:4", last_of(office.db, "item:4")
    drop_triggers(office.db)
    at = (event.c.stream == name) & (event.c.seq == 2)
    end = (event.c.stream == name) & (event.c.seq == last)
    change = {
        "change": update(event).where(at).values(payload='{"texts":{}}'),
        "cut": delete(event).where(end),
        "drop": delete(event).where(at),
        "reorder": update(event).where(end).values(seq=last + 1),
        "retime": update(event).where(at).values(at=event.c.recorded_at),
        "retext": update(content).where(content.c.stream == name, content.c.seq == last).values(text="别人"),
    }[act]
    with office.db.writer.begin() as connection:
        connection.execute(change)
    with office.db.read() as connection:
        assert any(name in sentence for sentence in broken_chains(connection))


def test_a_projection_changed_by_hand_is_found(office: Office) -> None:
    with office.db.writer.begin() as connection:
        connection.execute(update(item).where(item.c.no == "4").values(title="改过的标题"))
        connection.execute(delete(assignment).where(assignment.c.item_id == 1, assignment.c.ord == 1))
    with office.db.read() as connection:
        found = replay_differences(connection)
    assert len(found) == 2
    assert any("title" in sentence for sentence in found)
    assert any("assignment" in sentence for sentence in found)


def test_a_refused_command_leaves_nothing_behind(office: Office) -> None:
    office.acknowledge("renshe")
    with office.db.read() as connection:
        before = connection.execute(select(event.c.id).order_by(event.c.id.desc())).scalars().first()
        actor = actor_of(connection, office.holder("renshe", "liaison"))
        assert actor is not None
        share = connection.execute(
            select(assignment.c.id).join(item, item.c.id == assignment.c.item_id).where(item.c.no == "4")
        ).scalar_one()
    with pytest.raises(Invalid):
        perform(office.db, actor, submit, TodoRef(share, "work", 1), Entry(), summary=" ")
    with pytest.raises(Conflict):
        perform(office.db, actor, submit, TodoRef(share, "acknowledge", 1), Entry(), summary="已完成")
    with office.db.read() as connection:
        assert connection.execute(select(event.c.id).order_by(event.c.id.desc())).scalars().first() == before
        assert replay_differences(connection) == []


def test_migrations_make_what_the_schema_says(migrated: Database) -> None:
    with migrated.writer.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
