"""What the index has of an entry, by a number, so that a process that knows more fills it again when it starts.

0006 emptied it while a process of the release before was still at work, which filled it again without the duties.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE audit.projection ADD COLUMN has int NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE audit.projection DROP COLUMN has")
