"""The day on which each obligation was met, so that one that was met on another after all is published again.

Of those that were met before, it is told once more when their case is decided next.
"""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("ALTER TABLE routing.obligation ADD COLUMN met_on DATE")


def downgrade() -> None:
    op.execute("ALTER TABLE routing.obligation DROP COLUMN met_on")
