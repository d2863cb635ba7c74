"""The tables of the schema `intake`, as SQLAlchemy Core. The kit's own tables are not listed here.

Nothing a partner wrote stands here in plain text except words of the vocabulary: case and child references are kept as keyed
digests, and everything else under the vault's keys.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

SCHEMA: Final = "intake"
_INSTANT: Final = DateTime(timezone=True)

metadata: Final = MetaData(schema=SCHEMA)

client = Table(
    "client",
    metadata,
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("recipient", Text),
    Column("token_sha256", LargeBinary, nullable=False, unique=True),
    Column("created_at", _INSTANT, nullable=False),
    Column("revoked_at", _INSTANT),
)

case_ref = Table(
    "case_ref",
    metadata,
    Column("case_key", Text, primary_key=True),
    Column("client", Text, ForeignKey(client.c.name), nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("created_at", _INSTANT, nullable=False),
)

child_ref = Table(
    "child_ref",
    metadata,
    Column("case_key", Text, ForeignKey(case_ref.c.case_key), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("child_key", Text, nullable=False),
    PrimaryKeyConstraint("case_key", "digest"),
)

case_link = Table(
    "case_link",
    metadata,
    Column("link_id", Uuid, primary_key=True),
    Column("case_key", Text, nullable=False, index=True),
    Column("linked_case_key", Text, nullable=False, index=True),
    Column("linked_at", _INSTANT, nullable=False),
)

pending_link = Table(  # a case named a reference, and the other side has not let it in yet
    "pending_link",
    metadata,
    Column("digest", LargeBinary, nullable=False),
    Column("case_key", Text, nullable=False, index=True),
    Column("since", _INSTANT, nullable=False),
    PrimaryKeyConstraint("digest", "case_key"),
)

submission = Table(
    "submission",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("receipt_id", Uuid, nullable=False, unique=True),
    Column("client", Text, ForeignKey(client.c.name), nullable=False),
    Column("case_key", Text, ForeignKey(case_ref.c.case_key), nullable=False, index=True),
    Column("about", Text),  # the key of the one action, request or other item that an act is about
    Column("type", Text, nullable=False),
    Column("sameness", LargeBinary, nullable=False),
    Column("occurred_at", _INSTANT, nullable=False),
    Column("recorded_at", _INSTANT, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # what the partner sent, byte for byte
    Column("decided_at", _INSTANT),
    Column("revision", Integer),
    Column("rulebook", Text),
    Column("answers_nothing", Boolean, nullable=False, server_default=text("false")),
    Index("ix_intake_submission_client", "client", "recorded_at"),
)

early_decision = Table(  # of an event that was lost in a restore, and read before its client sent it again
    "early_decision",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("decided_at", _INSTANT, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("rulebook", Text, nullable=False),
    Column("answers_nothing", Boolean, nullable=False, server_default=text("false")),
)

returned = Table(  # what came by HTTP and could not be accepted: the partner was told, the bytes are kept
    "returned",
    metadata,
    Column("returned_id", Uuid, primary_key=True),
    Column("client", Text, ForeignKey(client.c.name), nullable=False),
    Column("returned_at", _INSTANT, nullable=False),
    Column("reason", Text, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

vault_key = Table(
    "vault_key",
    metadata,
    Column("case_key", Text, nullable=False),
    Column("child_key", Text, nullable=False),  # empty: the incident
    Column("wrapped_key", LargeBinary, nullable=False),
    PrimaryKeyConstraint("case_key", "child_key"),
)

vault_item = Table(
    "vault_item",
    metadata,
    Column("event_id", Uuid, nullable=False),
    Column("child_key", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("case_key", Text, nullable=False, index=True),
    Column("seq", BigInteger, Identity(always=True), nullable=False),  # the later said wins
    Column("sealed", LargeBinary, nullable=False),
    PrimaryKeyConstraint("event_id", "child_key", "field"),
)

access_log = Table(
    "access_log",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("read_at", _INSTANT, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("participant", Text),
    Column("notice_id", Uuid, nullable=False, index=True),
    Column("profile", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("case_keys", ARRAY(Text), nullable=False),
    Column("fields", ARRAY(Text), nullable=False),
    Index("ix_intake_access_log_case_keys", "case_keys", postgresql_using="gin"),
)

obligation = Table(  # what routing has said; projected from the topics decisions and deliveries
    "obligation",
    metadata,
    Column("obligation_id", Uuid, primary_key=True),
    Column("case_key", Text, nullable=False, index=True),
    Column("cause_id", Uuid),
    Column("duty_holder", Text, nullable=False),
    Column("due_on", Date),
)

notice = Table(
    "notice",
    metadata,
    Column("notice_id", Uuid, primary_key=True),
    Column("obligation_id", Uuid, nullable=False, index=True),
    Column("case_key", Text, nullable=False, index=True),
    Column("rule", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reference", Text),
    Column("superseded_by", Uuid),
    Column("at", _INSTANT, nullable=False),
)

question = Table(
    "question",
    metadata,
    Column("question_id", Uuid, primary_key=True),
    Column("case_key", Text, nullable=False, index=True),
    Column("cause_id", Uuid),
    Column("fact", Text, nullable=False),
    Column("of_whom", Text, nullable=False),
    Column("ask", Text, nullable=False),
    Column("due_on", Date, nullable=False),
)
