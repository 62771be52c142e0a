"""Bringing a database to the shape of this release (Alembic)."""

from __future__ import annotations

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine


def config(url: str) -> Config:
    """Alembic's configuration for this database; scripts come with the package."""
    made = Config()
    made.set_main_option("script_location", str(resources.files("ledger") / "migrations"))
    made.attributes["url"] = url
    return made


def upgrade(url: str) -> None:
    """Create or migrate every table and trigger; nothing happens when the database is up to date."""
    command.upgrade(config(url), "head")


def is_current(engine: Engine) -> bool:
    """Whether the database has the shape this release expects."""
    head = ScriptDirectory.from_config(config(str(engine.url))).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head
