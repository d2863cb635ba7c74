"""What a batch needs to be decided, in a few set-based queries: linked cases, facts, happenings, and what stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.decisions import CaseDecided, ObligationOpenedData, QuestionOpenedData
from schemas.deliveries import NoticeAttempted, NoticeDelivered
from schemas.messages import parse
from schemas.parties import CLIENT
from schemas.vocabulary import Vocabulary
from services.kit.restored import published_of
from services.routing.domain import ledger
from services.routing.domain.happenings import Slot
from services.routing.domain.happenings_of import Told
from services.routing.domain.periods import Dates
from services.routing.domain.replay import Published
from services.routing.domain.statements import Fact

Row = RowMapping | Mapping[str, Any]

# Links stand in the table in both directions.
_REACHED: Final = """
    WITH RECURSIVE reached(root, case_key) AS (
        SELECT k, k FROM unnest(CAST(:keys AS text[])) AS k
        UNION
        SELECT r.root, l.linked_case_key FROM reached r JOIN routing.case_link l ON l.case_key = r.case_key
    )
"""
_LINKED: Final = text(f"{_REACHED} SELECT root, case_key FROM reached")  # noqa: S608 - a constant
# With how often each case has been decided, and by which version of the rulebook the last time.
_REVISIONS: Final = text(f"""
    {_REACHED} SELECT root, reached.case_key, coalesce(last.revision, 0) AS revision, last.rulebook
    FROM reached LEFT JOIN LATERAL (
        SELECT revision, rulebook ->> 'version' AS rulebook FROM routing.decision d
        WHERE d.case_key = reached.case_key ORDER BY revision DESC LIMIT 1
    ) last ON true
""")  # noqa: S608 - a constant
_OF_ENDED: Final = text("""
    SELECT case_key FROM routing.obligation WHERE state = 'open'
        AND (duty_holder = ANY(CAST(:ended AS text[])) OR jsonb_exists_any(opened -> 'recipients', CAST(:ended AS text[])))
    UNION SELECT case_key FROM routing.question WHERE state = 'open' AND opened ->> 'of_whom' = ANY(CAST(:ended AS text[]))
    UNION SELECT case_key FROM routing.delivery WHERE kind = 'notice' AND recipient = ANY(CAST(:ended AS text[]))
        AND state IN ('awaiting_release', 'due', 'sending', 'refused')
    ORDER BY case_key
""")
_OPEN: Final = text("""
    SELECT case_key FROM routing.obligation WHERE state = 'open'
    UNION SELECT case_key FROM routing.question WHERE state = 'open'
    UNION SELECT case_key FROM routing.delivery WHERE kind = 'notice'
        AND state IN ('awaiting_release', 'due', 'sending', 'refused')
    ORDER BY case_key
""")
_AT_ONCE: Final = 5_000
_COUNTED_OTHERWISE: Final = text("""
    SELECT case_key, sum(duty) FROM (
        SELECT case_key, 1 AS duty FROM routing.obligation WHERE state = 'open' AND opened ->> 'calendar' <> :calendar
        UNION ALL
        SELECT case_key, 0 FROM routing.question WHERE state = 'open' AND opened ->> 'calendar' <> :calendar
    ) counted GROUP BY case_key ORDER BY case_key
""")
_IS_DECIDED: Final = text("SELECT EXISTS (SELECT FROM routing.decision WHERE case_key = :case_key)")
_FACTS: Final = text("SELECT * FROM routing.fact WHERE case_key = ANY(:keys)")
_HAPPENINGS: Final = text("SELECT * FROM routing.happening WHERE case_key = ANY(:keys)")
_OBLIGATIONS: Final = text("SELECT * FROM routing.obligation WHERE case_key = ANY(:keys)")
_QUESTIONS: Final = text("SELECT * FROM routing.question WHERE case_key = ANY(:keys) AND state = 'open'")
# Locked, because the dispatcher claims rows without holding the case.
_NOTICES: Final = text("""
    SELECT * FROM routing.delivery WHERE case_key = ANY(:keys) AND kind = 'notice' ORDER BY seq FOR UPDATE
""")
# A client is a party as `client:<name>`.
_REPORTERS: Final = text("""
    SELECT case_key, substr(party, length(:prefix) + 1) AS client FROM routing.case_party
    WHERE case_key = ANY(:keys) AND starts_with(party, :prefix) ORDER BY case_key, party
""")
# A case that is named by one of its notices or obligations: whoever answers a notice may do so under a case of its own.
_CASES_OF: Final = text("""
    SELECT notice_id AS id, case_key FROM routing.delivery WHERE notice_id = ANY(:ids) AND kind = 'notice'
    UNION ALL SELECT obligation_id, case_key FROM routing.obligation WHERE obligation_id = ANY(:ids)
""")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is known of one set of linked cases; `case_keys` sorted. `rulebooks`: by which those decided before were decided last."""

    case_keys: tuple[str, ...]
    facts: tuple[Fact, ...]
    told: Mapping[UUID, Told]
    known: ledger.Known
    reporters: Mapping[str, tuple[str, ...]]
    revisions: Mapping[str, int]
    rulebooks: Mapping[str, str]


async def linked_sets(connection: AsyncConnection, keys: Collection[str]) -> list[tuple[str, ...]]:
    """Return the sets of linked cases that `keys` belong to, each once, sorted."""
    return _sets(await connection.execute(_LINKED, {"keys": sorted(keys)}))


def _sets(rows: Iterable[Any]) -> list[tuple[str, ...]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row.root].add(row.case_key)
    return sorted({tuple(sorted(members)) for members in found.values()})


@dataclass(frozen=True, slots=True)
class Said:
    """What was published of some cases and is lacking since a restore: decisions, by which rulebook each was, attempts to deliver."""

    decided: Published
    rulebooks: Mapping[str, Mapping[int, str]]
    tried: Sequence[NoticeDelivered | NoticeAttempted]


async def published(connection: AsyncConnection, keys: Collection[str]) -> Said:
    """Return the decisions of these cases, and what came of their notices, that were published and are lacking since a restore."""
    decided: defaultdict[str, dict[int, frozenset[UUID]]] = defaultdict(dict)
    rulebooks: defaultdict[str, dict[int, str]] = defaultdict(dict)
    tried: list[NoticeDelivered | NoticeAttempted] = []
    for message in map(parse, await published_of(connection, keys)):
        if isinstance(message, CaseDecided) and message.case_key:
            decided[message.case_key][message.data.revision] = frozenset(message.data.event_ids)
            rulebooks[message.case_key][message.data.revision] = message.data.rulebook.version
        elif isinstance(message, NoticeDelivered | NoticeAttempted):
            tried.append(message)
    return Said(decided, rulebooks, tried)


async def cases_of(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the case of each notice or obligation that exists among `ids`."""
    if not ids:
        return {}
    found = await connection.execute(_CASES_OF, {"ids": list(ids)})
    return {row.id: row.case_key for row in found}


async def cases_of_ended(connection: AsyncConnection, ended: Collection[str]) -> list[str]:
    """Return the cases in which one of these bodies owes, is told or is asked something that is open."""
    return list(await connection.scalars(_OF_ENDED, {"ended": sorted(ended)}))


async def open_cases(connection: AsyncConnection) -> list[str]:
    """Return the cases in which something is owed, asked or to be told still; others have their turn meanwhile."""
    found: list[str] = []
    async for part in (await connection.stream_scalars(_OPEN)).partitions(_AT_ONCE):
        found += part
    return found


async def counted_otherwise(connection: AsyncConnection, calendar: str) -> dict[str, int]:
    """Return the cases with open duties or questions whose day was counted with another calendar, and how many duties each has."""
    return dict((await connection.execute(_COUNTED_OTHERWISE, {"calendar": calendar})).all())


async def is_decided(connection: AsyncConnection, case_key: str) -> bool:
    """Say whether anything was ever decided about a case."""
    return bool(await connection.scalar(_IS_DECIDED, {"case_key": case_key}))


async def load(connection: AsyncConnection, keys: Collection[str], vocabulary: Vocabulary) -> list[Loaded]:
    """Return everything about the sets of linked cases that `keys` belong to, sorted by their keys; notices stay locked."""
    reached = (await connection.execute(_REVISIONS, {"keys": sorted(keys)})).all()
    revisions = {row.case_key: row.revision for row in reached}
    rulebooks = {row.case_key: row.rulebook for row in reached if row.rulebook}
    members = {"keys": sorted(revisions)}
    facts = await _by_case(connection, _FACTS, members)
    happened = await _by_case(connection, _HAPPENINGS, members)
    decided = {"keys": sorted(key for key, revision in revisions.items() if revision)}  # nothing stands in the others
    obligations = await _by_case(connection, _OBLIGATIONS, decided)
    questions = await _by_case(connection, _QUESTIONS, decided)
    notices = await _by_case(connection, _NOTICES, decided)
    reporters: defaultdict[str, list[str]] = defaultdict(list)
    for row in await connection.execute(_REPORTERS, {**members, "prefix": CLIENT}):
        reporters[row.case_key].append(row.client)
    return [
        Loaded(
            case_keys=linked,
            facts=tuple(fact_of(row, vocabulary) for row in of_members(linked, facts)),
            told={row["event_id"]: told_of(row) for row in of_members(linked, happened)},
            known=ledger.Known(
                obligations=tuple(obligation_of(row) for row in of_members(linked, obligations)),
                questions=tuple(_question_of(row) for row in of_members(linked, questions)),
                notices=tuple(notice_of(row) for row in of_members(linked, notices)),
            ),
            reporters={key: tuple(reporters[key]) for key in linked},
            revisions={key: revisions[key] for key in linked},
            rulebooks={key: rulebooks[key] for key in linked if key in rulebooks},
        )
        for linked in _sets(reached)
    ]


async def _by_case(connection: AsyncConnection, query: Any, keys: Mapping[str, Any]) -> Mapping[str, list[Row]]:
    return by_case((await connection.execute(query, keys)).mappings()) if keys["keys"] else {}


def by_case(rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    """Return rows by their case, in their order."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["case_key"]].append(row)
    return found


def of_members(members: Iterable[str], rows: Mapping[str, list[Row]]) -> Iterable[Row]:
    """Return the rows of some cases, case by case."""
    return (row for member in members for row in rows.get(member, ()))


def fact_of(row: Row, vocabulary: Vocabulary) -> Fact:
    """Return the fact in a row; values are kept as text and read back by the vocabulary."""
    value = row["value"]
    return Fact(
        case_key=row["case_key"],
        subject=row["subject"],
        authority=row["authority"],
        name=row["name"],
        value=None if value is None else vocabulary.read(row["name"], value),
        occurred_at=row["occurred_at"],
        recorded_at=row["recorded_at"],
        event_id=row["event_id"],
        corrects=row["corrects"],
    )


def told_of(row: Row) -> Told:
    """Return what may have ended a duty, from its row."""
    return Told(**{name: row[name] for name in Told.__slots__})


def obligation_of(row: Row) -> ledger.KnownObligation:
    """Return an obligation as it stands, from its row."""
    opened = ObligationOpenedData.model_validate(row["opened"], strict=False)
    period = opened.period
    return ledger.KnownObligation(
        obligation_id=row["obligation_id"],
        case_key=row["case_key"],
        slot=Slot(row["rule"], row["position"], row["duty_holder"], row["subject"], row["anchor"]),
        revision=row["revision"],
        state=row["state"],
        opened_at=row["opened_at"],
        recipients=opened.recipients,
        dates=Dates(
            from_fact=period.from_fact if period else None,
            from_on=period.from_on if period else None,
            due_on=opened.due_on,
            warn_on=opened.warn_on,
            provisional=opened.provisional,
            ends_on=period.ends_on if period else None,
        ),
        released=opened.released,
        terms=(
            *(opened.title, opened.duty, opened.citation.cite, opened.citation.href, opened.citation.quote),
            *(opened.profile, opened.release, opened.stops_when),
        ),
        editions=opened.editions if "editions" in row["opened"] else None,
        met_on=row["met_on"],
    )


def _question_of(row: Row) -> ledger.KnownQuestion:
    opened = QuestionOpenedData.model_validate(row["opened"], strict=False)
    return ledger.KnownQuestion(
        question_id=row["question_id"],
        case_key=row["case_key"],
        fact=opened.fact,
        of_whom=opened.of_whom,
        subject=opened.subject,
        rules=opened.rules,
        from_on=opened.period.from_on,
        due_on=opened.due_on,
        opened_at=row["opened_at"],
    )


def notice_of(row: Row) -> ledger.KnownNotice:
    """Return a notice as it stands, from its row."""
    body, grant = row["payload"]["body"], row["payload"]["grant"]
    return ledger.KnownNotice(
        notice_id=row["notice_id"],
        obligation_id=row["obligation_id"],
        case_key=row["case_key"],
        rule=row["rule"],
        recipient=row["recipient"],
        profile=row["profile"],
        revision=row["revision"],
        state=row["state"],
        due_on=date.fromisoformat(due_on) if (due_on := body["due_on"]) else None,
        tried=row["attempts"] > 0,
        taken=row["reference"] is not None,
        maybe_arrived=row["maybe_arrived"] or row["state"] in {"sending", "delivered", "accepted"},
        reason=row["reason"],
        disclosure=(grant["purpose"], tuple(body["lawful_basis"]), frozenset(grant["give"].items())),
    )


def firsts(facts: Sequence[Fact]) -> list[tuple[str, str]]:
    """Return (subject, case key) of each fact, the earliest recorded first."""

    def age(fact: Fact) -> tuple[datetime, str]:
        return fact.recorded_at, str(fact.event_id)

    return [(fact.subject, fact.case_key) for fact in sorted(facts, key=age)]
