"""Routing's tables, as SQLAlchemy Core. Facts, happenings and the two histories are append-only, by privilege.

`obligation`, `question` and `delivery` hold what stands now; `obligation_history` and `delivery_history` hold every
change with its legal time, so that any earlier moment can be shown. Nothing here identifies a person.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

SCHEMA: Final = "routing"
APPEND_ONLY: Final = (
    *("case_party", "fact", "happening", "case_link", "decision"),
    *("obligation_history", "delivery_history", "rulebook_release", "rulebook_migration"),
    *("rulebook_text", "calendar", "register"),
)
metadata: Final = MetaData(schema=SCHEMA)
_INSTANT: Final = DateTime(timezone=True)

fact = Table(
    "fact",
    metadata,
    Column("event_id", Uuid, nullable=False),
    Column("subject", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("case_key", Text, nullable=False, index=True),
    Column("authority", Text, nullable=False),
    Column("value", Text),
    Column("occurred_at", _INSTANT, nullable=False),
    Column("recorded_at", _INSTANT, nullable=False),
    Column("corrects", Uuid),
    PrimaryKeyConstraint("event_id", "subject", "name"),
)

happening = Table(
    "happening",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("case_key", Text, nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("occurred_at", _INSTANT, nullable=False),
    Column("recorded_at", _INSTANT, nullable=False),
    Column("notice_id", Uuid),
    Column("obligation_id", Uuid),
)

case_link = Table(
    "case_link",
    metadata,
    Column("case_key", Text, primary_key=True),
    Column("linked_case_key", Text, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("recorded_at", _INSTANT, nullable=False),
)

case_party = Table(
    "case_party",
    metadata,
    Column("case_key", Text, primary_key=True),
    Column("party", Text, primary_key=True),  # schemas.parties
)

decision = Table(
    "decision",
    metadata,
    Column("case_key", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("decided_at", _INSTANT, nullable=False),
    Column("rulebook", JSONB, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("traces", JSONB, nullable=False),
    Column("conflicts", JSONB, nullable=False),
    Column("event_ids", ARRAY(Uuid), nullable=False),
)

rulebook_release = Table(
    "rulebook_release",
    metadata,
    Column("version", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("record_sha256", Text, nullable=False),  # of the record, which names who wrote and who approved it
    Column("taken_at", _INSTANT, nullable=False),
)

rulebook_text = Table(
    "rulebook_text",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("text", Text, nullable=False),  # with its overlays
    Column("taken_at", _INSTANT, nullable=False),
)

calendar = Table(
    "calendar",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("calendar", Text, nullable=False),  # version and the digest's beginning
    Column("holidays", JSONB, nullable=False),
    Column("taken_at", _INSTANT, nullable=False),
)

register = Table(
    "register",
    metadata,
    Column("seq", Integer, Identity(always=True), primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("pass", Integer, nullable=False),  # over all that was open: the how manieth by it
    Column("done", Boolean, nullable=False),  # or only begun
    Column("at", _INSTANT, nullable=False),
)

rulebook_migration = Table(
    "rulebook_migration",
    metadata,
    Column("case_key", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),  # of the first decision by the other version
    Column("migrated_at", _INSTANT, nullable=False),
    Column("from_version", Text, nullable=False),
    Column("to_version", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text),  # account that asked for it; none where cases were linked
)

obligation = Table(
    "obligation",
    metadata,
    Column("obligation_id", Uuid, primary_key=True),
    Column("case_key", Text, nullable=False, index=True),
    Column("rule", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("duty_holder", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("anchor", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("superseded_by", Uuid),
    Column("met_on", Date),
    Column("opened_at", _INSTANT, nullable=False),
    Column("opened", JSONB, nullable=False),  # schemas.decisions.ObligationOpenedData as it now stands
)

obligation_history = Table(
    "obligation_history",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("obligation_id", Uuid, nullable=False, index=True),
    Column("changed_at", _INSTANT, nullable=False),
    Column("state", Text, nullable=False),
    Column("released", Boolean, nullable=False),
    Column("due_on", Date),
    Column("reason", Text),
)

question = Table(
    "question",
    metadata,
    Column("question_id", Uuid, primary_key=True),
    Column("case_key", Text, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("opened_at", _INSTANT, nullable=False),
    Column("closed_at", _INSTANT),
    Column("reason", Text),
    Column("opened", JSONB, nullable=False),  # schemas.decisions.QuestionOpenedData
)

delivery = Table(
    "delivery",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),  # the webhook-id; for a notice, the notice's own id
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("kind", Text, nullable=False),  # notice (a correction too) | withdrawal
    Column("notice_id", Uuid, nullable=False, index=True),
    Column("obligation_id", Uuid, nullable=False, index=True),
    Column("case_key", Text, nullable=False, index=True),
    Column("rule", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("due_by", _INSTANT),  # first instant at which it is late
    Column("owed_at", _INSTANT, nullable=False),
    Column("due_since", _INSTANT),  # since when it may be sent
    Column("next_at", _INSTANT),
    Column("changed_at", _INSTANT, nullable=False, server_default=text("clock.legal_now()")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column(
        "anew_after", Integer, nullable=False, server_default=text("0")
    ),  # of the attempts; the waits count from there
    Column("person_told", Boolean, nullable=False, server_default=text("false")),
    Column("maybe_arrived", Boolean, nullable=False, server_default=text("false")),
    Column("granted_at", DateTime(timezone=True)),  # wall clock
    Column("lease_until", _INSTANT),  # wall clock of the database
    Column("lease_epoch", Integer, nullable=False, server_default=text("0")),
    Column("reference", Text),
    Column("delivered_at", _INSTANT),
    Column("payload", JSONB, nullable=False),
)
Index(
    "ix_routing_delivery_live",
    delivery.c.recipient,
    delivery.c.case_key,
    delivery.c.seq,
    postgresql_where=text("state IN ('due', 'sending')"),
)
_DUE: Final = text("state = 'due'")
Index("ix_routing_delivery_due", delivery.c.recipient, delivery.c.next_at, delivery.c.seq, postgresql_where=_DUE)
Index("ix_routing_delivery_changed", delivery.c.changed_at, postgresql_where=_DUE)
Index("ix_routing_delivery_leased", delivery.c.lease_until, postgresql_where=text("state = 'sending'"))

delivery_history = Table(
    "delivery_history",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("delivery_id", Uuid, nullable=False, index=True),
    Column("at", _INSTANT, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer),
    Column("http_status", Integer),
    Column("reference", Text),
    Column("reason", Text),
    Column("by", Text),  # account that redrove it
)
