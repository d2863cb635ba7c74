"""The duty that an entry is about, so that it is found by what a later entry says of that duty.

It is derived from the log, so the index is emptied, and filled again from the first entry when the service starts.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE audit.entry_index ADD COLUMN duty_id uuid")
    op.execute("CREATE INDEX entry_index_duty_id ON audit.entry_index (duty_id) WHERE duty_id IS NOT NULL")
    op.execute("DELETE FROM audit.entry_index")
    op.execute("UPDATE audit.projection SET size = 0")


def downgrade() -> None:
    op.execute("ALTER TABLE audit.entry_index DROP COLUMN duty_id")
