"""The registers by which everything that was open has been decided, one after the other: that it began, and that it is done."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE routing.register (
            seq INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            fingerprint TEXT NOT NULL,
            version TEXT NOT NULL,
            day DATE NOT NULL,
            pass INTEGER NOT NULL,
            done BOOLEAN NOT NULL,
            at TIMESTAMPTZ NOT NULL
        )
    """)
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON routing.register FROM handrail_routing")


def downgrade() -> None:
    op.execute("DROP TABLE routing.register")
