"""A step of a lifecycle may stand before several posts at once (会签, 或签): each has a todo of its own."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_KEY = ["owner_kind", "owner_id", "step", "arm"]


def upgrade() -> None:
    with op.batch_alter_table("todo") as table:
        table.drop_constraint(op.f("pk_todo"), type_="primary")
        table.create_primary_key(op.f("pk_todo"), [*_KEY, "unit", "role"])
