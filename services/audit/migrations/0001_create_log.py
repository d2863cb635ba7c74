"""Create the log: what the sequencer writes, append-only, and what is derived from it for searching.

Privileges and triggers make tampering hard, also for a superuser who forgets to switch the triggers off; that makes it
tamper-resistant. Only checkpoints that have left this database make it tamper-evident.
"""

from __future__ import annotations

from alembic import op

from services.kit.tables import kit_tables

revision = "0001"
down_revision = None

TABLES = (
    """
    CREATE TABLE audit.log (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      origin text NOT NULL,
      size bigint NOT NULL DEFAULT 0 CHECK (size >= 0),
      root bytea NOT NULL,
      edge bytea[] NOT NULL DEFAULT '{}'               -- the unfinished tile of each level
    )
    """,
    """
    CREATE TABLE audit.entry (
      seq bigint PRIMARY KEY,
      leaf_hash bytea NOT NULL,
      entry bytea NOT NULL CHECK (octet_length(entry) <= 32768),
      event_id uuid NOT NULL UNIQUE,
      CHECK (leaf_hash = sha256('\\x00'::bytea || entry))
    )
    """,
    """
    CREATE TABLE audit.record (                         -- what an entry commits to; can be erased, the entry cannot
      seq bigint PRIMARY KEY,
      salt bytea NOT NULL CHECK (octet_length(salt) = 32),
      payload bytea NOT NULL
    )
    """,
    """
    CREATE TABLE audit.tile (
      level smallint NOT NULL,
      idx bigint NOT NULL,
      hashes bytea NOT NULL CHECK (octet_length(hashes) = 8192),
      PRIMARY KEY (level, idx)
    )
    """,
    """
    CREATE TABLE audit.checkpoint (
      size bigint PRIMARY KEY,
      root bytea NOT NULL,
      note text NOT NULL,
      signed_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE audit.entry_index (                    -- derived from the log, can be rebuilt at any time
      seq bigint PRIMARY KEY,
      kind text NOT NULL,
      type text,
      case_key text,
      producer text,
      producer_seq bigint,
      rules text[] NOT NULL,
      recipients text[] NOT NULL,
      occurred_at timestamptz NOT NULL,
      recorded_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX ON audit.entry_index (case_key, seq)",
    "CREATE INDEX ON audit.entry_index (recorded_at, seq)",
    "CREATE INDEX ON audit.entry_index USING gin (rules)",
    "CREATE INDEX ON audit.entry_index USING gin (recipients)",
    "CREATE TABLE audit.producer_head (producer text PRIMARY KEY, contiguous bigint NOT NULL)",
    """
    CREATE TABLE audit.producer_ahead (                 -- numbers seen before all the numbers below them
      producer text NOT NULL,
      producer_seq bigint NOT NULL,
      seen_at timestamptz NOT NULL,
      PRIMARY KEY (producer, producer_seq)
    )
    """,
    "CREATE TABLE audit.projection (one boolean PRIMARY KEY DEFAULT true CHECK (one), size bigint NOT NULL DEFAULT 0)",
    "INSERT INTO audit.projection DEFAULT VALUES",
)

GUARDS = (
    """
    CREATE FUNCTION audit.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'audit.% is append-only: % refused', TG_TABLE_NAME, TG_OP;
    END $$
    """,
    """
    CREATE FUNCTION audit.check_appended() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE first_seq bigint; last_seq bigint; added bigint; expected bigint;
    BEGIN
      SELECT min(seq), max(seq), count(*) INTO first_seq, last_seq, added FROM fresh;
      SELECT size INTO expected FROM audit.log;
      IF added > 0 AND (first_seq <> expected OR last_seq <> expected + added - 1) THEN
        RAISE EXCEPTION 'entries must follow number %, got % to %', expected - 1, first_seq, last_seq;
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION audit.check_head() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE entries bigint;
    BEGIN
      SELECT coalesce(max(seq) + 1, 0) INTO entries FROM audit.entry;
      IF NEW.origin <> OLD.origin OR NEW.size < OLD.size OR NEW.size <> entries THEN
        RAISE EXCEPTION 'the head must keep its origin and count % entries, got %', entries, NEW.size;
      END IF;
      RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER check_appended AFTER INSERT ON audit.entry REFERENCING NEW TABLE AS fresh
      FOR EACH STATEMENT EXECUTE FUNCTION audit.check_appended()
    """,
    "ALTER TABLE audit.entry ENABLE ALWAYS TRIGGER check_appended",
    "CREATE TRIGGER check_head BEFORE UPDATE ON audit.log FOR EACH ROW EXECUTE FUNCTION audit.check_head()",
    "ALTER TABLE audit.log ENABLE ALWAYS TRIGGER check_head",
)

REFUSED = {
    "log": "DELETE",
    "entry": "UPDATE OR DELETE",
    "tile": "UPDATE OR DELETE",
    "checkpoint": "UPDATE OR DELETE",
    "record": "UPDATE OR DELETE",
}


def upgrade() -> None:
    kit_tables(op, "audit")
    for statement in (*TABLES, *GUARDS):
        op.execute(statement)
    for table, events in REFUSED.items():
        for name, event in (("refuse_change", events), ("refuse_truncate", "TRUNCATE")):
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON audit.{table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change()"
            )
            op.execute(f"ALTER TABLE audit.{table} ENABLE ALWAYS TRIGGER {name}")
        revoked = "DELETE" if table == "log" else "UPDATE, DELETE"
        op.execute(f"REVOKE {revoked}, TRUNCATE ON audit.{table} FROM handrail_audit")
