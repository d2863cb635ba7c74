"""Where what Kafka has from before a restore stands among the messages, so that a rewound relay repeats it too."""

from alembic import op

from services.kit.tables import forget_place_of_published_before, place_published_before

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    place_published_before(op, "deadlines")


def downgrade() -> None:
    forget_place_of_published_before(op, "deadlines")
