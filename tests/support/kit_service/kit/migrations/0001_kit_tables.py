"""Make the kit's tables: what every service's first migration does."""

from alembic import op

from services.kit.tables import kit_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    kit_tables(op, "kit")
