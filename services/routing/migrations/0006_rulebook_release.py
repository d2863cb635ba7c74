"""The releases of the rulebook that this installation has taken: none of them can become another afterwards."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE routing.rulebook_release (
            version TEXT PRIMARY KEY,
            sha256 TEXT NOT NULL,
            record_sha256 TEXT NOT NULL,
            taken_at TIMESTAMPTZ NOT NULL
        )
    """)
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON routing.rulebook_release FROM handrail_routing")


def downgrade() -> None:
    op.execute("DROP TABLE routing.rulebook_release")
