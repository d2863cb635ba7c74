"""The tables that the kit keeps in each service's schema, as SQLAlchemy Core; made by the first migration of a service.

`outbox` is append-only: the service's role may insert and read, nothing else. Column names can be mapped one to one
onto Debezium's outbox router (`event_id`, `key`, `topic`, `payload`), so that a deployment can switch to it.
"""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.types import UserDefinedType


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_kw: Any) -> str:
        """Return the column type in SQL."""
        return "xid8"


class Operations(Protocol):
    """The part of Alembic's `op` that is used here."""

    def get_bind(self) -> Connection:
        """Return the connection of the running migration."""
        ...


def kit_tables(target: MetaData | Operations, schema: str) -> MetaData:
    """Define the kit's tables on a `MetaData`, or create them when given Alembic's `op`.

    Use in a service's first migration: `kit_tables(op, "routing")`.
    """
    if isinstance(target, MetaData):
        return _define(target, schema)
    metadata = _define(MetaData(), schema)
    bind = target.get_bind()
    metadata.create_all(bind)
    role = f"handrail_{schema}"
    # Append-only by privilege, not by promise.
    bind.execute(text(f'REVOKE UPDATE, DELETE, TRUNCATE ON "{schema}".outbox FROM "{role}"'))
    bind.execute(metadata.tables[f"{schema}.relay_cursor"].insert().values(one=True, xid=text("'0'"), id=0))
    return metadata


def add_published_before(operations: Operations, schema: str) -> None:
    """Create the table of what Kafka has from before the database was restored from an older backup.

    A row is a message that this service published after the backup. `in_outbox` is false while the database lacks it:
    what made it is gone, and nothing that the service has read again since made it anew. Nor does the database lack what a
    person decided and has decided once more since (`services.kit.outbox.decided_again`): that has another message.
    """
    bind = operations.get_bind()
    bind.execute(
        text(f"""
            CREATE TABLE "{schema}".published_before (
                event_id uuid PRIMARY KEY,
                topic text NOT NULL,
                partition int NOT NULL,
                "offset" bigint NOT NULL,
                producer_seq bigint NOT NULL,
                case_key text,
                case_seq bigint,
                payload bytea NOT NULL,
                in_outbox boolean NOT NULL
            )
        """)
    )
    bind.execute(text(f'CREATE INDEX ix_{schema}_published_before_case ON "{schema}".published_before (case_key)'))


def place_published_before(operations: Operations, schema: str) -> None:
    """Note where a message from before a restore stands: under its key, after this row of the outbox, by its number.

    So a rewound relay says everything again in its order and with the numbers that it had. What was taken over before this
    was noted comes first.
    """
    bind, table = operations.get_bind(), f'"{schema}".published_before'
    for statement in (
        f"""ALTER TABLE {table}
            ADD COLUMN key text, ADD COLUMN after_xid xid8 NOT NULL DEFAULT '0', ADD COLUMN after_id bigint NOT NULL DEFAULT 0""",
        f"UPDATE {table} SET key = coalesce(case_key, CAST(event_id AS text))",  # noqa: S608 - our own text
        f"""ALTER TABLE {table}
            ALTER COLUMN key SET NOT NULL, ALTER COLUMN after_xid DROP DEFAULT, ALTER COLUMN after_id DROP DEFAULT""",
        f"CREATE INDEX ix_{schema}_published_before_place ON {table} (after_xid, after_id, producer_seq)",
    ):
        bind.execute(text(statement))


def forget_place_of_published_before(operations: Operations, schema: str) -> None:
    """Undo `place_published_before`."""
    operations.get_bind().execute(
        text(f'ALTER TABLE "{schema}".published_before DROP COLUMN key, DROP COLUMN after_xid, DROP COLUMN after_id')
    )


def _define(metadata: MetaData, schema: str) -> MetaData:
    instant = DateTime(timezone=True)
    now = text("clock_timestamp()")
    Table(
        "outbox",
        metadata,
        Column("xid", Xid8, server_default=text("pg_current_xact_id()"), nullable=False),
        Column("id", BigInteger, Identity(always=True), nullable=False),
        Column("created_at", instant, server_default=now, nullable=False),
        Column("topic", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("event_id", Uuid, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        PrimaryKeyConstraint("xid", "id"),  # the order in which the relay reads
        schema=schema,
    )
    Table(
        "relay_cursor",
        metadata,
        Column("one", Boolean, primary_key=True),
        Column("xid", Xid8, nullable=False),
        Column("id", BigInteger, nullable=False),
        Column("producer_seq", BigInteger, server_default=text("0"), nullable=False),
        Column("epoch", BigInteger, server_default=text("0"), nullable=False),
        Column("database_identity", Text),
        Column("acknowledged", JSONB, server_default=text("'{}'"), nullable=False),
        Column("saved_at", instant, server_default=now, nullable=False),
        schema=schema,
    )
    Table(
        "inbox",
        metadata,
        Column("consumer", Text, primary_key=True),
        Column("event_id", Uuid, primary_key=True),
        Column("received_at", instant, server_default=now, nullable=False),
        schema=schema,
    )
    Table(
        "consumer_offset",
        metadata,
        Column("consumer", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("next_offset", BigInteger, nullable=False),
        schema=schema,
    )
    Table(
        "case_head",
        metadata,
        Column("case_key", Text, primary_key=True),
        Column("last_seq", BigInteger, nullable=False),
        schema=schema,
    )
    # One counter for both: it orders what waits in a case, whichever table it waits in.
    arrival = Sequence("arrival", metadata=metadata, schema=schema)
    record = (
        ("consumer", Text, False),
        ("topic", Text, False),
        ("partition", Integer, False),
        ("offset", BigInteger, False),
        ("key", LargeBinary, True),  # key, payload and headers are sealed when the service has a quarantine key
        ("payload", LargeBinary, False),
        ("headers", LargeBinary, False),
        ("sealed", Boolean, False),
    )
    quarantine = Table(
        "quarantine",
        metadata,
        Column("quarantine_id", Uuid, primary_key=True),
        Column("arrival", BigInteger, arrival, server_default=arrival.next_value(), nullable=False),
        *(Column(name, kind, nullable=nullable) for name, kind, nullable in record),
        Column("case_key", Text),
        Column("sha256", LargeBinary, nullable=False),
        Column("size_bytes", Integer, nullable=False),
        Column("reason", Text, nullable=False),
        Column("parked", Boolean, nullable=False),
        Column("state", Text, server_default=text("'held'"), nullable=False),
        Column("attempts", Integer, server_default=text("0"), nullable=False),
        Column("held_at", instant, nullable=False),
        Column("due_at", instant, nullable=False),
        Column("resolved_at", instant),
        Column("resolved_by", Text),
        Column("resolution", Text),
        schema=schema,
    )
    Index(
        f"ix_{schema}_quarantine_parking",
        quarantine.c.consumer,
        quarantine.c.case_key,
        postgresql_where=text("state = 'held' AND parked"),
    )
    parked = Table(
        "parked_event",
        metadata,
        Column("arrival", BigInteger, arrival, server_default=arrival.next_value(), primary_key=True),
        *(Column(name, kind, nullable=nullable) for name, kind, nullable in record),
        Column("case_key", Text, nullable=False),
        Column("parked_at", instant, nullable=False),
        schema=schema,
    )
    Index(f"ix_{schema}_parked_event_case", parked.c.consumer, parked.c.case_key, parked.c.arrival)
    return metadata
