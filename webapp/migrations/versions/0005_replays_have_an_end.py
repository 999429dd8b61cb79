"""replays know the last delivery that was meant: no step looks for one among all that came later"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
release = "0.1.0"


def upgrade() -> None:
    with op.batch_alter_table("replay") as table:
        table.add_column(sa.Column("last_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("replay") as table:
        table.drop_column("last_seq")
