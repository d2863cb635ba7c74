"""Finds the reads of personal data of one case."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("CREATE INDEX ix_intake_access_log_case_keys ON intake.access_log USING gin (case_keys)")


def downgrade() -> None:
    op.execute("DROP INDEX intake.ix_intake_access_log_case_keys")
