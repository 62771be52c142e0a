"""Seals over all events, and applications for 依规清除."""

import sqlalchemy as sa
from alembic import op

from ledger.schema import Instant
from ledger.triggers import append_only

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seal",
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("ordinal", name=op.f("pk_seal")),
        sa.UniqueConstraint("stream", "seq", name=op.f("uq_seal_stream_seq")),
    )
    op.create_table(
        "clearing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("stream", sa.String(length=40), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("fields", sa.Text(), nullable=True),
        sa.Column("subject", sa.Integer(), nullable=True),
        sa.Column("jurisdiction", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("applied_at", Instant(), nullable=False),
        sa.Column("applied_by", sa.Integer(), nullable=False),
        sa.Column("applied_post", sa.Integer(), nullable=False),
        sa.Column("applied_seq", sa.Integer(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_post", sa.Integer(), nullable=True),
        sa.Column("decided_seq", sa.Integer(), nullable=True),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearing")),
    )
    op.create_index("ix_clearing_stream", "clearing", ["stream"], unique=False)
    op.create_index("ix_clearing_state", "clearing", ["state", "id"], unique=False)
    op.add_column("stream", sa.Column("sealed", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_index(
        "ix_stream_unsealed",
        "stream",
        ["name"],
        unique=False,
        sqlite_where=sa.text("seq > sealed"),
        postgresql_where=sa.text("seq > sealed"),
    )
    for statement in append_only("seal", op.get_bind().dialect.name):
        op.execute(statement)
