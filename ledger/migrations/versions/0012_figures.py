"""Steps of a share (节点计划), 长期坚持; what an indicator means."""

import sqlalchemy as sa
from alembic import op

from ledger.schema import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("lasting", "needs_steps"):
        op.add_column("item", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    for name, length in (("definition", 400), ("source", 120), ("as_of", 60)):
        op.add_column("indicator", sa.Column(name, sa.String(length=length), nullable=True))
    op.add_column("indicator", sa.Column("reporter", sa.String(length=60), nullable=True))
    op.add_column("indicator", sa.Column("same_as", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_indicator_same_as"), "indicator", ["same_as"])
    op.add_column("assignment", sa.Column("steps_in_force", sa.Integer(), nullable=True))
    op.create_table(
        "step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("petition_id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("share", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("field", sa.Integer(), nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.Column("done_seq", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["petition_id"], ["petition.id"], name=op.f("fk_step_petition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
    )
    op.create_index(op.f("ix_step_petition_id"), "step", ["petition_id"])
    op.create_index(op.f("ix_step_assignment_id"), "step", ["assignment_id"])
