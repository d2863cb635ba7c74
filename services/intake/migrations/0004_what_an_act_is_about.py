"""What each act is about, in the clear, so that a correction of it is known to be about that once the act cannot be read."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("submission", sa.Column("about", sa.Text), schema="intake")


def downgrade() -> None:
    op.drop_column("submission", "about", schema="intake")
