"""Which duties a digest stands for. Of one that was raised before it is not known: operations see it and close it, as before."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("ALTER TABLE deadlines.alert ADD COLUMN duties uuid[] NOT NULL DEFAULT '{}'")
    op.execute("""
        CREATE INDEX ix_alert_digest ON deadlines.alert (alert_id)
        WHERE acknowledged_at IS NULL AND closed_at IS NULL AND kind = 'deadline.digest'
    """)


def downgrade() -> None:
    op.execute("DROP INDEX deadlines.ix_alert_digest")
    op.execute("ALTER TABLE deadlines.alert DROP COLUMN duties")
