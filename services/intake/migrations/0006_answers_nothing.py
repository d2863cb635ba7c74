"""Whether an event answers a notice or a duty that there is none of, for its receipt.

Of what was decided before, nobody has said so: it stands as it did.
"""

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = ("submission", "early_decision")


def upgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE intake.{table} ADD COLUMN answers_nothing boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE intake.{table} DROP COLUMN answers_nothing")
