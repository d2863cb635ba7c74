"""After how many attempts a delivery's waiting began anew, because a person sent it again or something came to wait behind it.

What was sent again before goes on waiting as it did.
"""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("ALTER TABLE routing.delivery ADD COLUMN anew_after INTEGER DEFAULT 0 NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE routing.delivery DROP COLUMN anew_after")
