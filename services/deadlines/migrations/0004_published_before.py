"""What Kafka has from before the database was restored from an older backup."""

from alembic import op

from services.kit.tables import add_published_before

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    add_published_before(op, "deadlines")


def downgrade() -> None:
    op.execute("DROP TABLE deadlines.published_before")
