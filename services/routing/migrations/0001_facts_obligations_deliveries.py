"""Facts, links, decisions, obligations, questions, deliveries and their histories, beside the kit's tables."""

from alembic import op

from services.kit.tables import kit_tables

revision = "0001"
down_revision = None

_TABLES = (
    """
    CREATE TABLE routing.case_link (
        case_key TEXT NOT NULL,
        linked_case_key TEXT NOT NULL,
        event_id UUID NOT NULL,
        recorded_at timestamptz NOT NULL,
        PRIMARY KEY (case_key, linked_case_key)
    )
    """,
    """
    CREATE TABLE routing.decision (
        case_key TEXT NOT NULL,
        revision INTEGER NOT NULL,
        decided_at timestamptz NOT NULL,
        rulebook JSONB NOT NULL,
        calendar TEXT NOT NULL,
        traces JSONB NOT NULL,
        conflicts JSONB NOT NULL,
        event_ids UUID[] NOT NULL,
        PRIMARY KEY (case_key, revision)
    )
    """,
    """
    CREATE TABLE routing.delivery (
        delivery_id UUID NOT NULL,
        seq BIGINT GENERATED ALWAYS AS IDENTITY,
        kind TEXT NOT NULL,
        notice_id UUID NOT NULL,
        obligation_id UUID NOT NULL,
        case_key TEXT NOT NULL,
        rule TEXT NOT NULL,
        recipient TEXT NOT NULL,
        profile TEXT NOT NULL,
        revision INTEGER NOT NULL,
        state TEXT NOT NULL,
        reason TEXT,
        due_by timestamptz,
        owed_at timestamptz NOT NULL,
        due_since timestamptz,
        next_at timestamptz,
        attempts INTEGER DEFAULT 0 NOT NULL,
        person_told BOOLEAN DEFAULT false NOT NULL,
        maybe_arrived BOOLEAN DEFAULT false NOT NULL,
        granted_at timestamptz,
        lease_until timestamptz,
        lease_epoch INTEGER DEFAULT 0 NOT NULL,
        reference TEXT,
        delivered_at timestamptz,
        payload JSONB NOT NULL,
        PRIMARY KEY (delivery_id)
    )
    """,
    "CREATE INDEX ix_routing_delivery_case_key ON routing.delivery (case_key)",
    "CREATE INDEX ix_routing_delivery_live ON routing.delivery (recipient, case_key, seq) WHERE state IN ('due', 'sending')",
    "CREATE INDEX ix_routing_delivery_notice_id ON routing.delivery (notice_id)",
    "CREATE INDEX ix_routing_delivery_obligation_id ON routing.delivery (obligation_id)",
    """
    CREATE TABLE routing.delivery_history (
        seq BIGINT GENERATED ALWAYS AS IDENTITY,
        delivery_id UUID NOT NULL,
        at timestamptz NOT NULL,
        state TEXT NOT NULL,
        attempt INTEGER,
        http_status INTEGER,
        reference TEXT,
        reason TEXT,
        by TEXT,
        PRIMARY KEY (seq)
    )
    """,
    "CREATE INDEX ix_routing_delivery_history_delivery_id ON routing.delivery_history (delivery_id)",
    """
    CREATE TABLE routing.fact (
        event_id UUID NOT NULL,
        subject TEXT NOT NULL,
        name TEXT NOT NULL,
        case_key TEXT NOT NULL,
        authority TEXT NOT NULL,
        value TEXT,
        occurred_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        corrects UUID,
        PRIMARY KEY (event_id, subject, name)
    )
    """,
    "CREATE INDEX ix_routing_fact_case_key ON routing.fact (case_key)",
    """
    CREATE TABLE routing.happening (
        event_id UUID NOT NULL,
        case_key TEXT NOT NULL,
        event TEXT NOT NULL,
        source TEXT NOT NULL,
        subject TEXT NOT NULL,
        occurred_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        notice_id UUID,
        obligation_id UUID,
        PRIMARY KEY (event_id)
    )
    """,
    "CREATE INDEX ix_routing_happening_case_key ON routing.happening (case_key)",
    """
    CREATE TABLE routing.obligation (
        obligation_id UUID NOT NULL,
        case_key TEXT NOT NULL,
        rule TEXT NOT NULL,
        position INTEGER NOT NULL,
        duty_holder TEXT NOT NULL,
        subject TEXT NOT NULL,
        anchor TEXT NOT NULL,
        revision INTEGER NOT NULL,
        state TEXT NOT NULL,
        reason TEXT,
        superseded_by UUID,
        opened_at timestamptz NOT NULL,
        opened JSONB NOT NULL,
        PRIMARY KEY (obligation_id)
    )
    """,
    "CREATE INDEX ix_routing_obligation_case_key ON routing.obligation (case_key)",
    """
    CREATE TABLE routing.obligation_history (
        seq BIGINT GENERATED ALWAYS AS IDENTITY,
        obligation_id UUID NOT NULL,
        changed_at timestamptz NOT NULL,
        state TEXT NOT NULL,
        released BOOLEAN NOT NULL,
        due_on DATE,
        reason TEXT,
        PRIMARY KEY (seq)
    )
    """,
    "CREATE INDEX ix_routing_obligation_history_obligation_id ON routing.obligation_history (obligation_id)",
    """
    CREATE TABLE routing.question (
        question_id UUID NOT NULL,
        case_key TEXT NOT NULL,
        state TEXT NOT NULL,
        opened_at timestamptz NOT NULL,
        closed_at timestamptz,
        reason TEXT,
        opened JSONB NOT NULL,
        PRIMARY KEY (question_id)
    )
    """,
    "CREATE INDEX ix_routing_question_case_key ON routing.question (case_key)",
)
_APPEND_ONLY = ("fact", "happening", "case_link", "decision", "obligation_history", "delivery_history")


def upgrade() -> None:
    kit_tables(op, "routing")
    for statement in _TABLES:
        op.execute(statement)
    for table in _APPEND_ONLY:  # by privilege, not by promise
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON routing.{table} FROM handrail_routing")


def downgrade() -> None:
    for table in (*_APPEND_ONLY, "delivery", "question", "obligation"):
        op.execute(f"DROP TABLE routing.{table}")
