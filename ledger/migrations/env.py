"""Alembic's entry: migrates over the connection that `ledger.migrating` hands over, or the database of its URL."""

from alembic import context
from sqlalchemy import Connection, create_engine

from ledger.schema import metadata


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


if (handed := context.config.attributes.get("connection")) is not None:
    migrate(handed)
else:
    engine = create_engine(context.config.attributes["url"])
    with engine.connect() as own:
        migrate(own)
    engine.dispose()
