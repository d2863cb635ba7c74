"""What Kafka has from before the database was restored from an older backup."""

from alembic import op

from services.kit.tables import add_published_before

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    add_published_before(op, "audit")


def downgrade() -> None:
    op.execute("DROP TABLE audit.published_before")
