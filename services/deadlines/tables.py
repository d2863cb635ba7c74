"""The tables of the schema `deadlines`, for queries that are built. The kit's own tables are not listed here.

Duties and alerts are read by people, each those of the cases that they may read; rungs are the hot table (see the migration for its storage parameters).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    any_,
    literal,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.elements import CollectionAggregate
from sqlalchemy.types import TypeEngine

SCHEMA: Final = "deadlines"
PENDING: Final = 0
FIRED: Final = 1
SUPERSEDED: Final = 2

metadata = MetaData(schema=SCHEMA)

duty = Table(
    "duty",
    metadata,
    Column("duty_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("case_key", Text, nullable=False),
    Column("partnership", Text, nullable=False),
    Column("rules", ARRAY(Text), nullable=False),
    Column("title", Text, nullable=False),
    Column("strength", Text, nullable=False),
    Column("duty_holder", Text, nullable=False),
    Column("holder_name", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("recipients", ARRAY(Text), nullable=False),
    Column("citation", JSONB, nullable=False),
    Column("rulebook", Text, nullable=False),
    Column("stops_when", Text, nullable=False),
    Column("awaits", Text, nullable=False),
    Column("period", JSONB(none_as_null=True)),
    Column("due_on", Date),
    Column("warn_on", Date),
    Column("provisional", Boolean, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    Column("met_on", Date),
)

case_party = Table(
    "case_party",
    metadata,
    Column("case_key", Text, primary_key=True),
    Column("party", Text, primary_key=True),  # schemas.parties
)

rung = Table(
    "rung",
    metadata,
    Column("rung_id", BigInteger, Identity(always=True), primary_key=True),
    Column("duty_id", Uuid, nullable=False),
    Column("case_key", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("days_left", SmallInteger, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("wake_at", DateTime(timezone=True), nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("settled_at", DateTime(timezone=True)),
)

alert = Table(
    "alert",
    metadata,
    Column("alert_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("says", Text, nullable=False),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("case_key", Text),
    Column("partnership", Text),
    Column("acknowledged_at", DateTime(timezone=True)),
    Column("acknowledged_by", Text),
    Column("acknowledged_name", Text),
    Column("closed_at", DateTime(timezone=True)),
    Column("closed_because", Text),
    Column("since_then", Text),  # both null of what a process of the release before raised
    Column("duties", ARRAY(Uuid)),
)

clock_move = Table(
    "clock_move",
    metadata,
    Column("move_id", BigInteger, Identity(always=True), primary_key=True),
    Column("seconds", BigInteger, nullable=False),
    Column("offset_s", BigInteger, nullable=False),
    Column("moved_at", DateTime(timezone=True), nullable=False),
    Column("moved_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

tick = Table(
    "tick",
    metadata,
    Column("one", Boolean, primary_key=True),
    Column("legal_at", DateTime(timezone=True), nullable=False),
    Column("witness_at", DateTime(timezone=True), nullable=False),
    Column("logged_offset_s", BigInteger, nullable=False),
)


def among(values: Collection[Any], kind: type[TypeEngine[Any]]) -> CollectionAggregate[Any]:
    """Return what a column is compared with to be one of `values`: one array parameter, however many there are."""
    return any_(literal(list(values), ARRAY(kind)))
