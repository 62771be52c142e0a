"""What was closed lately is found without reading every item."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    closed = sa.text("closed_at IS NOT NULL")
    op.create_index("ix_item_closed_at", "item", ["closed_at"], sqlite_where=closed, postgresql_where=closed)
