"""Extensions, objections, suspensions, and what else may come at any time."""

import sqlalchemy as sa
from alembic import op

from ledger.schema import Instant

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_STANDING = sa.text("state NOT IN ('terminated', 'revoked')")
_OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    who = "section_head inspector leader"
    op.add_column("run", sa.Column("extends", sa.String(length=60), nullable=False, server_default=who))
    op.add_column("item", sa.Column("origin", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_item_origin"), "item", ["origin"])
    with op.batch_alter_table("assignment") as table:
        table.add_column(sa.Column("overlay", sa.String(length=20), nullable=True))
        table.add_column(sa.Column("original_due", Instant(), nullable=True))
        table.add_column(sa.Column("suspended_at", Instant(), nullable=True))
        table.add_column(sa.Column("keeper", sa.Integer(), nullable=True))
        table.drop_constraint("uq_assignment_item_id_unit", type_="unique")
    op.create_index(
        "uq_assignment_item_id_unit",
        "assignment",
        ["item_id", "unit"],
        unique=True,
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    )
    op.create_index("ix_assignment_item_id", "assignment", ["item_id"])
    op.create_table(
        "petition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("applied_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("asked_due", Instant(), nullable=True),
        sa.Column("asked_unit", sa.String(length=60), nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignment.id"], name=op.f("fk_petition_assignment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_petition")),
    )
    op.create_index(
        "uq_petition_open", "petition", ["assignment_id"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_table(
        "glance",
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("arm", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("assignment_id", "step", "arm", "person_id", name=op.f("pk_glance")),
    )
    for name in ("checked", "settled"):
        op.add_column("reading", sa.Column(name, sa.Numeric(precision=18, scale=4), nullable=True))
    op.add_column("reading", sa.Column("corrects", sa.Integer(), nullable=True))
    op.create_table(
        "entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("entered_at", Instant(), nullable=False),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignment.id"], name=op.f("fk_entry_assignment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
    )
    op.create_index(op.f("ix_entry_assignment_id"), "entry", ["assignment_id"])
    op.add_column("post", sa.Column("deputy_for", sa.Integer(), nullable=True))
