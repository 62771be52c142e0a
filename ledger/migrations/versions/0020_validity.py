"""Units that are there from a day to come; more orders of the ledger, whose places the scheduler works out anew."""

import sqlalchemy as sa
from alembic import op

from ledger.schema import Instant

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("unit", sa.Column("begins_at", Instant(), nullable=True))
    for name, kind in _PLACES.items():
        op.add_column("standing", sa.Column(name, kind, nullable=False, server_default=sa.text("0")))
        op.create_index(f"ix_standing_{name}", "standing", [name, "run_id", "ord"])


_PLACES = {"unit_ord": sa.Integer(), "state_rank": sa.Integer(), "done": sa.Integer(), "touched": sa.BigInteger()}
