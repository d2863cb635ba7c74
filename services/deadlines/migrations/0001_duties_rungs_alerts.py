"""Duties, their timers (rungs), alerts, the log of clock moves and the last trusted tick, beside the kit's tables."""

from alembic import op

from services.kit.tables import kit_tables

revision = "0001"
down_revision = None

_TABLES = (
    """
    CREATE TABLE deadlines.duty (
        duty_id uuid PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('obligation', 'question')),
        case_key text NOT NULL,
        partnership text NOT NULL,
        rules text[] NOT NULL,
        title text NOT NULL,
        strength text NOT NULL,
        duty_holder text NOT NULL,
        holder_name text NOT NULL,
        subject text NOT NULL,
        recipients text[] NOT NULL,
        citation jsonb NOT NULL,
        rulebook text NOT NULL,
        stops_when text NOT NULL,
        awaits text NOT NULL,
        period jsonb,
        due_on date,
        warn_on date,
        provisional boolean NOT NULL,
        calendar text NOT NULL,
        opened_at timestamptz NOT NULL,
        generation integer NOT NULL CHECK (generation >= 1),
        state text NOT NULL CHECK (state IN ('open', 'met', 'withdrawn', 'superseded', 'closed')),
        reason text NOT NULL,
        closed_at timestamptz,
        met_on date,
        CHECK ((state = 'open') = (closed_at IS NULL)))
    """,
    "CREATE INDEX ix_duty_case ON deadlines.duty (case_key)",
    "CREATE INDEX ix_duty_open ON deadlines.duty (due_on, duty_id) WHERE state = 'open'",
    # The hot table. Room in each page lets a settled rung be rewritten beside itself; vacuum comes early.
    """
    CREATE TABLE deadlines.rung (
        rung_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        duty_id uuid NOT NULL REFERENCES deadlines.duty,
        case_key text NOT NULL,
        generation integer NOT NULL,
        kind text NOT NULL CHECK (kind IN ('warn', 'soon', 'breach')),
        days_left smallint NOT NULL,
        due_at timestamptz NOT NULL,
        wake_at timestamptz NOT NULL CHECK (wake_at >= due_at),
        state smallint NOT NULL CHECK (state IN (0, 1, 2)),
        settled_at timestamptz,
        UNIQUE (duty_id, generation, kind, days_left))
    WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01)
    """,
    "CREATE INDEX ix_rung_pending ON deadlines.rung (wake_at, rung_id) WHERE state = 0",
    "CREATE INDEX ix_rung_pending_case ON deadlines.rung (case_key) WHERE state = 0",
    """
    CREATE TABLE deadlines.alert (
        alert_id uuid PRIMARY KEY,
        kind text NOT NULL,
        severity text NOT NULL CHECK (severity IN ('warning', 'breach', 'fault')),
        reference text NOT NULL,
        says text NOT NULL,
        raised_at timestamptz NOT NULL,
        case_key text,
        partnership text,
        acknowledged_at timestamptz,
        acknowledged_by text,
        acknowledged_name text,
        closed_at timestamptz,
        closed_because text)
    """,
    """
    CREATE INDEX ix_alert_open ON deadlines.alert (reference)
    WHERE acknowledged_at IS NULL AND closed_at IS NULL
    """,
    "CREATE INDEX ix_alert_acknowledged ON deadlines.alert (acknowledged_at) WHERE acknowledged_at IS NOT NULL",
    """
    CREATE TABLE deadlines.clock_move (
        move_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        seconds bigint NOT NULL,
        offset_s bigint NOT NULL,
        moved_at timestamptz NOT NULL,
        moved_by text NOT NULL,
        reason text NOT NULL)
    """,
    """
    CREATE TABLE deadlines.tick (
        one boolean PRIMARY KEY CHECK (one),
        legal_at timestamptz NOT NULL,
        witness_at timestamptz NOT NULL,
        logged_offset_s bigint NOT NULL)
    """,
)


def upgrade() -> None:
    kit_tables(op, "deadlines")
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    for table in ("tick", "clock_move", "alert", "rung", "duty"):
        op.execute(f"DROP TABLE deadlines.{table}")
