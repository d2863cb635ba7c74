"""An index for the other case that an entry names: that entry belongs to the log of both."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
        CREATE INDEX entry_index_linked_case_key ON audit.entry_index (linked_case_key, seq) WHERE linked_case_key IS NOT NULL
    """)


def downgrade() -> None:
    op.execute("DROP INDEX audit.entry_index_linked_case_key")
