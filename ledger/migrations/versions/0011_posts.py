"""Posts for one plan, handing over, and what became of units."""

import json

import sqlalchemy as sa
from alembic import op

from ledger.schema import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("post", sa.Column("plan", sa.String(length=60), nullable=True))
    op.add_column("post", sa.Column("rank", sa.String(length=1), nullable=True))
    op.add_column("post", sa.Column("field", sa.String(length=40), nullable=True))
    op.add_column("post", sa.Column("seq", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("person", sa.Column("browsers", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("unit", sa.Column("ended_at", Instant(), nullable=True))
    op.add_column("unit", sa.Column("successor", sa.String(length=60), nullable=True))
    op.create_index(op.f("ix_unit_successor"), "unit", ["successor"])
    op.create_table(
        "unit_name",
        sa.Column("unit", sa.String(length=60), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("short", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("unit", "until", name=op.f("pk_unit_name")),
    )
    op.create_table(
        "unit_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("unit", sa.String(length=60), nullable=False),
        sa.Column("to_unit", sa.String(length=60), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=True),
        sa.Column("short", sa.String(length=40), nullable=True),
        sa.Column("shares", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_change")),
    )
    op.create_index("ix_unit_change_unit", "unit_change", ["unit"])
    op.create_table(
        "handover",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("to_post", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    op.create_index(op.f("ix_handover_to_post"), "handover", ["to_post"])
    with op.batch_alter_table("notice") as table:
        table.alter_column("tier", type_=sa.String(length=120), existing_type=sa.String(length=60), nullable=False)
    _say_where_posts_were_taken()


def _say_where_posts_were_taken() -> None:
    """The number of the event by which each post was taken."""
    connection = op.get_bind()
    event = sa.table("event", sa.column("stream"), sa.column("seq"), sa.column("kind"), sa.column("payload"))
    post = sa.table("post", sa.column("id"), sa.column("seq"))
    taken = sa.select(event.c.seq, event.c.payload).where(event.c.stream == "admin", event.c.kind == "post.taken")
    rows = [{"b_id": json.loads(r.payload)["post"], "b_seq": r.seq} for r in connection.execute(taken)]
    if rows:
        where = post.c.id == sa.bindparam("b_id")
        connection.execute(sa.update(post).where(where).values(seq=sa.bindparam("b_seq")), rows)
