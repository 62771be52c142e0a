"""Plans without an end, figures with a day of their own, units that only the coordinator can confirm."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("run") as run:
        run.alter_column("period_end", existing_type=sa.Date(), nullable=True)
    op.add_column("indicator", sa.Column("by", sa.Date(), nullable=True))
    op.add_column("assignment", sa.Column("presumed", sa.Boolean(), nullable=False, server_default=sa.false()))
