"""What can be seen after a fault, gathered once: the load's own memory, the recipients' journal, the services' tables, the log.

A row is judged on its own cases, so that a row whose service was damaged on purpose does not colour those after it; the
outboxes and the log are looked at whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from handrail.installation.clients import Credentials
from handrail.installation.web import Web
from handrail.verify import Report, verify_log
from schemas.topics import SERVICES
from tests.support.faults import onlookers
from tests.support.faults.load import Sent
from tests.support.faults.rig import Rig, wait_for
from tests.support.installation import journal
from tests.support.reports import CANARY

Row = Mapping[str, Any]
PAGES: Final = 50

_OUTBOXES: Final = " UNION ALL ".join(
    f"SELECT '{service}' AS service, event_id, xid, id, topic, key FROM {service}.outbox"  # noqa: S608 - our own names
    for service in SERVICES
)
# Said before a database was restored, and known to it from Kafka alone.
_PUBLISHED: Final = " UNION ALL ".join(
    f"SELECT event_id FROM {service}.published_before"  # noqa: S608 - our own names
    for service in SERVICES
)
# The cases of these events. After a restore a case can have got another key, which is linked with the one that it had.
_CASES: Final = """(SELECT case_key FROM intake.submission WHERE event_id = ANY($1)
    UNION SELECT l.linked_case_key FROM intake.case_link l JOIN intake.submission s USING (case_key) WHERE s.event_id = ANY($1))"""
_QUERIES: Final = {
    "submissions": "SELECT event_id, receipt_id, case_key, decided_at FROM intake.submission WHERE event_id = ANY($1)",
    "decisions": """SELECT e AS event_id, case_key, revision, rulebook->>'sha256' AS rulebook FROM routing.decision, unnest(event_ids) AS e
        WHERE e = ANY($1)""",
    # What was decided before a restore and known from Kafka alone: decided in other batches, its number is not given again.
    "revisions": f"""SELECT case_key, revision FROM routing.decision WHERE case_key IN {_CASES}
        UNION SELECT case_key, (said->'data'->>'revision')::int
        FROM (SELECT case_key, convert_from(payload, 'UTF8')::jsonb AS said FROM routing.published_before) p
        WHERE said->>'type' = 'case.decided.v1' AND case_key IN {_CASES}""",  # noqa: S608 - our own text
    "obligations": """SELECT obligation_id, case_key, CAST(subject AS uuid) AS event_id, state, rule, duty_holder,
            opened->>'due_on' AS due_on,
            ARRAY(SELECT jsonb_array_elements_text(opened->'recipients')) AS recipients FROM routing.obligation
        WHERE rule = 'N-11' AND subject = ANY(CAST($1 AS uuid[])::text[])""",
    "deliveries": """SELECT d.delivery_id, d.kind, d.notice_id, d.obligation_id, d.recipient, d.state, CAST(o.subject AS uuid) AS event_id,
            d.rule, d.profile, d.payload->>'rulebook_sha256' AS rulebook
        FROM routing.delivery d JOIN routing.obligation o USING (obligation_id)
        WHERE o.subject = ANY(CAST($1 AS uuid[])::text[])""",
    "duties": f"""SELECT d.duty_id, d.kind, d.state, d.due_on FROM deadlines.duty d
        WHERE d.case_key IN {_CASES}""",  # noqa: S608
    "rungs": f"""SELECT r.duty_id, r.generation, d.generation AS present, r.kind, r.days_left, r.due_at, r.state,
            r.settled_at, d.due_on, (r.settled_at AT TIME ZONE 'Europe/London')::date AS settled_on,
            d.state AS duty_state, clock.legal_now() AS now
        FROM deadlines.rung r JOIN deadlines.duty d USING (duty_id)
        WHERE d.case_key IN {_CASES}""",  # noqa: S608
    "alerts": f"""SELECT a.alert_id, a.kind, a.reference, a.raised_at FROM deadlines.alert a
        WHERE a.case_key IN {_CASES}""",  # noqa: S608
    "case_entries": f"""SELECT i.seq, i.producer, i.case_key, i.type, e.event_id,
            convert_from(e.entry, 'UTF8')::jsonb->'record'->>'topic' AS topic,
            (convert_from(e.entry, 'UTF8')::jsonb->'event'->>'caseseq')::bigint AS case_seq,
            (convert_from(r.payload, 'UTF8')::jsonb->'data'->>'revision')::int AS revision,
            convert_from(r.payload, 'UTF8')::jsonb->'data'->>'obligation_id' AS obligation_id,
            convert_from(r.payload, 'UTF8')::jsonb->'data'->>'due_on' AS due_on,
            ARRAY(SELECT CAST(jsonb_array_elements_text(convert_from(r.payload, 'UTF8')::jsonb->'data'->'event_ids')
                AS uuid)) AS decides
        FROM audit.entry_index i JOIN audit.entry e USING (seq) JOIN audit.record r USING (seq)
        WHERE i.kind = 'message'
          AND i.case_key IN {_CASES} ORDER BY i.seq""",  # noqa: S608
}
_READS: Final = """SELECT notice_id, recipient, read_at, purpose, fields FROM intake.access_log
    WHERE notice_id = ANY($1)"""
_WHOLE: Final = {
    "quarantined": """SELECT q.quarantine_id, q.sha256, q.reason, count(a.reference) AS alerts
        FROM intake.quarantine q LEFT JOIN deadlines.alert a ON a.reference = q.quarantine_id::text GROUP BY 1""",
    "said_aloud": " UNION ALL ".join(
        f"""SELECT '{table}' AS place, count(*) FROM {table}
            WHERE position(convert_to('{CANARY}', 'UTF8') IN payload) > 0 HAVING count(*) > 0"""  # noqa: S608
        for table in (*(f"{service}.outbox" for service in SERVICES), "audit.record")
    ),
    "said_twice": f"SELECT service, event_id, count(*) FROM ({_OUTBOXES}) o GROUP BY 1, 2 HAVING count(*) > 1",  # noqa: S608
    "unlogged": f"""SELECT service, topic, event_id FROM ({_OUTBOXES}) o
        WHERE NOT EXISTS (SELECT FROM audit.entry e WHERE e.event_id = o.event_id)""",  # noqa: S608
    "unsaid": f"""SELECT i.seq, i.producer, i.type FROM audit.entry_index i JOIN audit.entry e USING (seq)
        WHERE i.kind = 'message' AND NOT EXISTS (SELECT FROM ({_OUTBOXES}) o WHERE o.event_id = e.event_id)
            AND NOT EXISTS (SELECT FROM ({_PUBLISHED}) p WHERE p.event_id = e.event_id)""",  # noqa: S608
}


@dataclass(frozen=True)
class Evidence:
    """Everything that the invariants are asked about. Rows are named as in `_QUERIES` and `_WHOLE`."""

    sent: Sent
    journal: Sequence[Row]
    report: Report
    pages: Sequence[Row]
    """What intake shows its client of some of its receipts."""
    given: Sequence[Row]
    """What recipients were given under the grants of some notices."""
    strange: Sequence[Row]
    """What another client was answered when it asked for some of these receipts, and for one that there is not."""
    written: Sequence[str]
    """Logs, metrics and webhooks that have a word of what is personal."""
    rows: Mapping[str, Sequence[Row]]
    at: datetime

    def __getitem__(self, name: str) -> Sequence[Row]:
        return self.rows[name]

    @property
    def events(self) -> frozenset[UUID]:
        """The events for which we must answer: each got a receipt, or Kafka acknowledged it."""
        return frozenset(self.sent.accepted) | self.sent.produced

    @property
    def outcomes(self) -> int:
        """How many of them were decided, plus how many unreadable records are in quarantine."""
        decided = {row["event_id"] for row in self["submissions"] if row["decided_at"]} & self.events
        return len(decided) + len({row["sha256"] for row in self["quarantined"]} & self.sent.poison)


def gather(rig: Rig, sent: Sent, police: Credentials, other: Credentials) -> Evidence:
    """Look at everything once, as the client who sent it, and as another; the road should be quiet."""
    wait_for(lambda: rig.is_ready("audit") and rig.is_ready("intake"), "audit and intake answer")
    key = (rig.installation.keys / "log.pub").read_bytes()
    report = verify_log(rig.installation.url("audit"), rig.auditor, key)
    intake = Web(rig.installation.url("intake"), police.token)
    mine = [receipt for event, receipt in sent.accepted.items() if event not in sent.of_others]
    pages = [intake.get(f"/v1/receipts/{receipt}") for receipt in mine[:PAGES]]
    rows, at = asyncio.run(_read(rig.database_url, sent))
    deliveries = {str(row["delivery_id"]) for row in rows["deliveries"]}
    told = [entry for entry in journal(rig.installation) if entry["webhook_id"] in deliveries]
    posted = {str(row["delivery_id"]) for row in rows["deliveries"] if row["event_id"] in sent.reports}
    given = onlookers.read_content(told, posted)
    rows["reads"] = asyncio.run(_reads(rig.database_url, rows["deliveries"]))
    strange = onlookers.ask_for(mine[:PAGES], Web(rig.installation.url("intake"), other.token))
    return Evidence(sent, told, report, pages, given, strange, onlookers.written(rig), rows, at)


async def _read(url: str, sent: Sent) -> tuple[dict[str, Sequence[Row]], datetime]:
    connection = await asyncpg.connect(url, command_timeout=300)
    try:
        rows: dict[str, Sequence[Row]] = {}
        for name, query in _QUERIES.items():
            rows[name] = list(map(dict, await connection.fetch(query, list(sent.tried))))
        for name, query in _WHOLE.items():
            rows[name] = list(map(dict, await connection.fetch(query)))
        return rows, await connection.fetchval("SELECT clock.legal_now()")
    finally:
        await connection.close()


async def _reads(url: str, deliveries: Sequence[Row]) -> list[Row]:
    """Return every logged read of the content of these notices."""
    connection = await asyncpg.connect(url, command_timeout=300)
    try:
        notices = [row["notice_id"] for row in deliveries]
        return list(map(dict, await connection.fetch(_READS, notices)))
    finally:
        await connection.close()
