"""Lets a process of the release before go on raising alerts until it is started again: it leaves out what it does not know.

The tables are made before the services are started again, and its statement gives every column, those without a value as null.
"""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE deadlines.alert ALTER COLUMN since_then DROP NOT NULL, ALTER COLUMN duties DROP NOT NULL")


def downgrade() -> None:
    op.execute("UPDATE deadlines.alert SET since_then = coalesce(since_then, ''), duties = coalesce(duties, '{}')")
    op.execute("ALTER TABLE deadlines.alert ALTER COLUMN since_then SET NOT NULL, ALTER COLUMN duties SET NOT NULL")
