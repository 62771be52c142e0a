"""Where items stand, kept in order beside the ledger; which streams it has taken in."""

import sqlalchemy as sa
from alembic import op

from ledger.schema import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLOURS = ("red", "yellow", "green", "grey", "blue")


def upgrade() -> None:
    op.add_column("stream", sa.Column("followed", sa.Integer(), nullable=False, server_default=sa.text("0")))
    unfollowed = sa.text("followed < seq")
    op.create_index("ix_stream_unfollowed", "stream", ["name"], sqlite_where=unfollowed, postgresql_where=unfollowed)
    op.create_index("ix_run_office", "run", ["office"])
    op.create_index("ix_run_jurisdiction", "run", ["jurisdiction"])
    op.create_table(
        "standing",
        sa.Column("item_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("ord", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("changes_at", Instant(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_standing")),
    )
    op.create_index("ix_standing_rank", "standing", ["rank", "due_at", "run_id", "ord"])
    op.create_index("ix_standing_run_id_rank", "standing", ["run_id", "rank", "due_at", "ord"])
    op.create_index("ix_standing_run_id_ord", "standing", ["run_id", "ord"])
    op.create_index("ix_standing_due_at", "standing", ["due_at", "run_id", "ord"])
    changing = sa.text("changes_at IS NOT NULL")
    op.create_index(
        "ix_standing_changes_at", "standing", ["changes_at"], sqlite_where=changing, postgresql_where=changing
    )
    op.create_table(
        "tally",
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(colour, sa.Integer(), nullable=False) for colour in COLOURS),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_tally")),
    )
    op.create_table(
        "basis",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_basis")),
    )
