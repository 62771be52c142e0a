"""Views of the ledger that people keep and share."""

import sqlalchemy as sa
from alembic import op

from ledger.schema import Instant

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=60), nullable=True),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_view")),
    )
    op.create_index(op.f("ix_ledger_view_person_id"), "ledger_view", ["person_id"])
    op.create_index(op.f("ix_ledger_view_unit"), "ledger_view", ["unit"])
    op.create_table(
        "default_view",
        sa.Column("person_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("view_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_default_view")),
    )
