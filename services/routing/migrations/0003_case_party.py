"""The parties to each case: who reported it, who owes a duty in it, whom it tells. They say who may read it."""

from alembic import op

revision = "0003"
down_revision = "0002"

# A fact stands under the body that stated it, or under `client:<name>` where the client answers for none. Which of a
# body's clients reported an earlier case was not kept, so those cases count as reported by the body.
_BACKFILL = """
    INSERT INTO routing.case_party (case_key, party)
    SELECT case_key, authority FROM routing.fact
    UNION SELECT case_key, duty_holder FROM routing.obligation
    UNION SELECT case_key, recipient FROM routing.delivery WHERE due_since IS NOT NULL
"""


def upgrade() -> None:
    op.execute("""
        CREATE TABLE routing.case_party (
            case_key TEXT NOT NULL,
            party TEXT NOT NULL,
            PRIMARY KEY (case_key, party)
        )
    """)
    op.execute(_BACKFILL)
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON routing.case_party FROM handrail_routing")


def downgrade() -> None:
    op.execute("DROP TABLE routing.case_party")
