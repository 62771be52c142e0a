"""Units that are there from a day to come."""

import sqlalchemy as sa
from alembic import op

from ledger.schema import Instant

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("unit", sa.Column("begins_at", Instant(), nullable=True))
