"""The directory of units is kept by the ledger: places, what else units are called, groups."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jurisdiction",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_jurisdiction")),
    )
    op.create_table(
        "unit_alias",
        sa.Column("unit", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("unit", "name", name=op.f("pk_unit_alias")),
    )
    op.create_table(
        "unit_group",
        sa.Column("jurisdiction", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("aliases", sa.Text(), nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("jurisdiction", "name", name=op.f("pk_unit_group")),
    )
    op.add_column("indicator", sa.Column("among", sa.Text(), nullable=True))
