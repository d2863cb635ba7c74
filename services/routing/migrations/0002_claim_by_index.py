"""When a delivery changed last, and indexes by which those that may go now are found without reading those that wait."""

from alembic import op

revision = "0002"
down_revision = "0001"

_BACKFILL = """
    UPDATE routing.delivery d SET changed_at = (
        SELECT h.at FROM routing.delivery_history h WHERE h.delivery_id = d.delivery_id ORDER BY h.seq DESC LIMIT 1)
    WHERE EXISTS (SELECT FROM routing.delivery_history h WHERE h.delivery_id = d.delivery_id)
"""


def upgrade() -> None:
    op.execute("ALTER TABLE routing.delivery ADD COLUMN changed_at timestamptz NOT NULL DEFAULT clock.legal_now()")
    op.execute(_BACKFILL)
    op.execute("CREATE INDEX ix_routing_delivery_due ON routing.delivery (recipient, next_at, seq) WHERE state = 'due'")
    op.execute("CREATE INDEX ix_routing_delivery_changed ON routing.delivery (changed_at) WHERE state = 'due'")
    op.execute("CREATE INDEX ix_routing_delivery_leased ON routing.delivery (lease_until) WHERE state = 'sending'")


def downgrade() -> None:
    op.execute("DROP INDEX routing.ix_routing_delivery_due, routing.ix_routing_delivery_changed")
    op.execute("DROP INDEX routing.ix_routing_delivery_leased")
    op.execute("ALTER TABLE routing.delivery DROP COLUMN changed_at")
