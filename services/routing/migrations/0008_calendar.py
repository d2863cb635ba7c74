"""The calendars of working days that this installation has counted with, one after the other."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE routing.calendar (
            seq INTEGER PRIMARY KEY,
            calendar TEXT NOT NULL,
            holidays JSONB NOT NULL,
            taken_at TIMESTAMPTZ NOT NULL
        )
    """)
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON routing.calendar FROM handrail_routing")


def downgrade() -> None:
    op.execute("DROP TABLE routing.calendar")
