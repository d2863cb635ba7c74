"""The texts of the rulebooks that cases were decided by: the guard checks a notice by its own, whatever the files say by then."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE routing.rulebook_text (
            sha256 TEXT PRIMARY KEY,
            text TEXT NOT NULL,
            taken_at TIMESTAMPTZ NOT NULL
        )
    """)
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON routing.rulebook_text FROM handrail_routing")


def downgrade() -> None:
    op.execute("DROP TABLE routing.rulebook_text")
