"""Which cases were moved to another version of the rulebook, when, why and by whom."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE routing.rulebook_migration (
            case_key TEXT NOT NULL,
            revision INTEGER NOT NULL,
            migrated_at TIMESTAMPTZ NOT NULL,
            from_version TEXT NOT NULL,
            to_version TEXT NOT NULL,
            reason TEXT NOT NULL,
            by TEXT,
            PRIMARY KEY (case_key, revision)
        )
    """)
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON routing.rulebook_migration FROM handrail_routing")


def downgrade() -> None:
    op.execute("DROP TABLE routing.rulebook_migration")
