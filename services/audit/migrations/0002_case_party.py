"""The parties to each case, and the other case that an entry names: both say who may read it.

They are derived from the log, so the index is emptied, and filled again from the first entry when the service starts.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE audit.case_party (                     -- derived from the log, can be rebuilt at any time
          case_key text NOT NULL,
          party text NOT NULL,
          PRIMARY KEY (case_key, party)
        )
    """)
    op.execute("ALTER TABLE audit.entry_index ADD COLUMN linked_case_key text")
    op.execute("DELETE FROM audit.entry_index")
    op.execute("UPDATE audit.projection SET size = 0")


def downgrade() -> None:
    op.execute("ALTER TABLE audit.entry_index DROP COLUMN linked_case_key")
    op.execute("DROP TABLE audit.case_party")
