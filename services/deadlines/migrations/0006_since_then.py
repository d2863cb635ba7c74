"""What has become since of what a breach was told about. Of breaches that stand already it is said with the next change."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE deadlines.alert ADD COLUMN since_then text NOT NULL DEFAULT ''")


def downgrade() -> None:
    op.execute("ALTER TABLE deadlines.alert DROP COLUMN since_then")
