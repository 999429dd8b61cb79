"""events by project and type: a rare type is found among millions without reading them"""

from webapp.migrations.indexing import build_index, drop_index

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
release = "0.1.0"

NAME = "ix_event_project_id_type_seq"


def upgrade() -> None:
    build_index(NAME, "event", ["project_id", "type", "seq"])


def downgrade() -> None:
    drop_index(NAME, "event")
