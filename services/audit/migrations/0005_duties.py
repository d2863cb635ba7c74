"""The rules and recipients of each duty: most messages about one name it by its id alone.

They are derived from the log, so the index is emptied, and filled again from the first entry when the service starts.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE audit.duty (                           -- derived from the log, can be rebuilt at any time
          duty_id uuid PRIMARY KEY,
          rules text[] NOT NULL,
          recipients text[] NOT NULL
        )
    """)
    op.execute("DELETE FROM audit.entry_index")
    op.execute("UPDATE audit.projection SET size = 0")


def downgrade() -> None:
    op.execute("DROP TABLE audit.duty")
