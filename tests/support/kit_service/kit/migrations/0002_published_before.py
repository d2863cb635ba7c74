"""What Kafka has from before the database was restored: what every service's later migration adds."""

from alembic import op

from services.kit.tables import add_published_before

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    add_published_before(op, "kit")
