"""Clients, cases, submissions, the vault, the log of reads, and what routing has said about them."""

from __future__ import annotations

from alembic import op

from services.kit.tables import kit_tables

revision = "0001"
down_revision = None

_TABLES = (
    """
    CREATE TABLE intake.client (
        name text PRIMARY KEY CHECK (name ~ '^[a-z0-9-]{3,40}$'),
        body text NOT NULL,
        area text NOT NULL,
        recipient text,
        token_sha256 bytea NOT NULL UNIQUE,
        created_at timestamptz NOT NULL,
        revoked_at timestamptz)
    """,
    """
    CREATE TABLE intake.case_ref (
        case_key text PRIMARY KEY,
        client text NOT NULL REFERENCES intake.client,
        digest bytea NOT NULL UNIQUE,
        created_at timestamptz NOT NULL)
    """,
    """
    CREATE TABLE intake.child_ref (
        case_key text NOT NULL REFERENCES intake.case_ref,
        digest bytea NOT NULL,
        child_key text NOT NULL,
        PRIMARY KEY (case_key, digest))
    """,
    """
    CREATE TABLE intake.case_link (
        link_id uuid PRIMARY KEY,
        case_key text NOT NULL,
        linked_case_key text NOT NULL,
        linked_at timestamptz NOT NULL)
    """,
    "CREATE INDEX ix_intake_case_link_case_key ON intake.case_link (case_key)",
    "CREATE INDEX ix_intake_case_link_linked_case_key ON intake.case_link (linked_case_key)",
    """
    CREATE TABLE intake.pending_link (
        digest bytea NOT NULL,
        case_key text NOT NULL,
        since timestamptz NOT NULL,
        PRIMARY KEY (digest, case_key))
    """,
    "CREATE INDEX ix_intake_pending_link_case_key ON intake.pending_link (case_key)",
    """
    CREATE TABLE intake.submission (
        event_id uuid PRIMARY KEY,
        receipt_id uuid NOT NULL UNIQUE,
        client text NOT NULL REFERENCES intake.client,
        case_key text NOT NULL REFERENCES intake.case_ref,
        type text NOT NULL,
        sameness bytea NOT NULL,
        occurred_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        wrapped_key bytea NOT NULL,
        sealed bytea NOT NULL,
        decided_at timestamptz,
        revision integer,
        rulebook text)
    """,
    "CREATE INDEX ix_intake_submission_case_key ON intake.submission (case_key)",
    "CREATE INDEX ix_intake_submission_client ON intake.submission (client, recorded_at)",
    """
    CREATE TABLE intake.returned (
        returned_id uuid PRIMARY KEY,
        client text NOT NULL REFERENCES intake.client,
        returned_at timestamptz NOT NULL,
        reason text NOT NULL,
        wrapped_key bytea NOT NULL,
        sealed bytea NOT NULL)
    """,
    """
    CREATE TABLE intake.vault_key (
        case_key text NOT NULL,
        child_key text NOT NULL,
        wrapped_key bytea NOT NULL,
        PRIMARY KEY (case_key, child_key))
    """,
    """
    CREATE TABLE intake.vault_item (
        event_id uuid NOT NULL,
        child_key text NOT NULL,
        field text NOT NULL,
        case_key text NOT NULL,
        seq bigint GENERATED ALWAYS AS IDENTITY,
        sealed bytea NOT NULL,
        PRIMARY KEY (event_id, child_key, field))
    """,
    "CREATE INDEX ix_intake_vault_item_case_key ON intake.vault_item (case_key)",
    """
    CREATE TABLE intake.access_log (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        read_at timestamptz NOT NULL,
        recipient text NOT NULL,
        participant text,
        notice_id uuid NOT NULL,
        profile text NOT NULL,
        purpose text NOT NULL,
        case_keys text[] NOT NULL,
        fields text[] NOT NULL)
    """,
    "CREATE INDEX ix_intake_access_log_notice_id ON intake.access_log (notice_id)",
    """
    CREATE TABLE intake.obligation (
        obligation_id uuid PRIMARY KEY,
        case_key text NOT NULL,
        cause_id uuid,
        duty_holder text NOT NULL,
        due_on date)
    """,
    "CREATE INDEX ix_intake_obligation_case_key ON intake.obligation (case_key)",
    """
    CREATE TABLE intake.notice (
        notice_id uuid PRIMARY KEY,
        obligation_id uuid NOT NULL,
        case_key text NOT NULL,
        rule text NOT NULL,
        recipient text NOT NULL,
        state text NOT NULL,
        reference text,
        superseded_by uuid,
        at timestamptz NOT NULL)
    """,
    "CREATE INDEX ix_intake_notice_obligation_id ON intake.notice (obligation_id)",
    "CREATE INDEX ix_intake_notice_case_key ON intake.notice (case_key)",
    """
    CREATE TABLE intake.question (
        question_id uuid PRIMARY KEY,
        case_key text NOT NULL,
        cause_id uuid,
        fact text NOT NULL,
        of_whom text NOT NULL,
        ask text NOT NULL,
        due_on date NOT NULL)
    """,
    "CREATE INDEX ix_intake_question_case_key ON intake.question (case_key)",
    # Who read what is not for the reader to change; what a partner sent stays as it was sent.
    "REVOKE UPDATE, DELETE, TRUNCATE ON intake.access_log FROM handrail_intake",
)


def upgrade() -> None:
    """Create everything."""
    kit_tables(op, "intake")
    for statement in _TABLES:
        op.execute(statement)
