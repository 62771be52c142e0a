"""The turn of a rhythm that a round is, by its day."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("round", sa.Column("day", sa.Date(), nullable=True))
