"""Bringing a database to the shape of this release (Alembic)."""

from __future__ import annotations

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine


def config(url: str = "") -> Config:
    """Alembic's configuration for this database; scripts come with the package."""
    made = Config()
    made.set_main_option("script_location", str(resources.files("ledger") / "migrations"))
    made.attributes["url"] = url
    return made


def upgrade(url: str) -> None:
    """Create or migrate every table and trigger; nothing happens when the database is up to date."""
    command.upgrade(config(url), "head")


def upgrade_within(connection: Connection, revision: str = "head") -> None:
    """The same inside the caller's transaction, and on demand no further than a revision."""
    made = config()
    made.attributes["connection"] = connection
    command.upgrade(made, revision)


def head() -> str:
    """The revision of this release."""
    return ScriptDirectory.from_config(config()).get_current_head() or ""


def knows(revision: str) -> bool:
    """Whether this release can read or migrate a database of this revision."""
    return revision in {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}


def revision_of(connection: Connection) -> str | None:
    """The shape the database has; None where there is none."""
    return MigrationContext.configure(connection).get_current_revision()


def is_current(engine: Engine) -> bool:
    """Whether the database has the shape this release expects."""
    with engine.connect() as connection:
        return revision_of(connection) == head()
