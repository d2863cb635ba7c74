"""What Kafka has from before the database was restored from an older backup, and what routing decided of it."""

from alembic import op

from services.kit.tables import add_published_before

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    add_published_before(op, "intake")
    op.execute("""
        CREATE TABLE intake.early_decision (
            event_id uuid PRIMARY KEY,
            decided_at timestamptz NOT NULL,
            revision int NOT NULL,
            rulebook text NOT NULL
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE intake.early_decision")
    op.execute("DROP TABLE intake.published_before")
