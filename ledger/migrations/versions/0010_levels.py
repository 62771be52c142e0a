"""Shares handed down (分解下达), and the tree of units they are handed down in."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_PART = sa.text("parent_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("unit", sa.Column("parent", sa.String(length=60), nullable=True))
    op.create_index(op.f("ix_unit_parent"), "unit", ["parent"])
    op.add_column("assignment", sa.Column("parent_id", sa.Integer(), nullable=True))
    op.add_column("assignment", sa.Column("lifecycle", sa.String(length=40), nullable=True))
    op.create_index("ix_assignment_parent_id", "assignment", ["parent_id"], sqlite_where=_PART, postgresql_where=_PART)
