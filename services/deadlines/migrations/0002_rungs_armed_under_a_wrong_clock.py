"""An index on the rungs that wake after they are due: those armed late, and those armed while the clock was ahead."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE INDEX ix_rung_delayed ON deadlines.rung (due_at) WHERE state = 0 AND wake_at > due_at")


def downgrade() -> None:
    op.execute("DROP INDEX deadlines.ix_rung_delayed")
