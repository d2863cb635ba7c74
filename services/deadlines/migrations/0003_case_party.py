"""The parties to each case, which say who may read it.

Of cases decided earlier only the duty holders are known here; who reported them, and whom they told, comes with the next
message of routing about them. Until then they stand on the desks of their duty holders and of the installation alone.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

_BACKFILL = """
    INSERT INTO deadlines.case_party (case_key, party)
    SELECT DISTINCT case_key, duty_holder FROM deadlines.duty WHERE kind = 'obligation'
"""


def upgrade() -> None:
    op.execute("""
        CREATE TABLE deadlines.case_party (
            case_key text NOT NULL,
            party text NOT NULL,
            PRIMARY KEY (case_key, party))
    """)
    op.execute(_BACKFILL)
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON deadlines.case_party FROM handrail_deadlines")


def downgrade() -> None:
    op.execute("DROP TABLE deadlines.case_party")
