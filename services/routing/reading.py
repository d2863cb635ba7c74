"""Assembles what the API and the pages show: a case at any time, and the answer to "was this recipient told?".

Facts are taken as they had been recorded by that time and the rulebook is asked again; what had become of duties and
notices comes from their histories. Nothing is changed by looking.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.decisions import RulebookRef
from schemas.envelope import iso
from services.kit.database import Database, legal_now
from services.kit.errors import BadPlace, NotFound
from services.kit.reach import Reach
from services.routing.answering import Asked, answer
from services.routing.domain import ledger
from services.routing.domain.decide import Decision
from services.routing.explaining import explanation
from services.routing.laws import Laws
from services.routing.store import loading, reading
from services.routing.views import (
    AskView,
    CaseLine,
    CaseList,
    CaseView,
    DeliveryList,
    DeliveryView,
    ExplanationView,
    MigrationView,
    NoticeView,
    ObligationView,
    PutView,
    QuestionView,
)

PAGE: Final = 500
CASES: Final = 50


class NoSuchCase(NotFound):
    """Routing knows no such case, or did not at that time."""


class Reader:
    """Reads for the API and the pages."""

    def __init__(self, database: Database, laws: Laws) -> None:
        self._database = database
        self._laws = laws

    async def now(self) -> datetime:
        """Return the legal clock."""
        async with self._database.connect() as connection:
            return await legal_now(connection)

    async def require(self, reach: Reach, case_key: str) -> None:
        """Return if something has been decided about a case that may be read, or something in it was asked of whoever reads.

        Raises:
            NoSuchCase: Nothing has been decided about it, or it may not be read.
        """
        async with self._database.connect() as connection:
            now = await legal_now(connection)
            if not await reading.put(connection, reach, case_key, now):
                await _latest(connection, reach, case_key, now)

    async def put(self, reach: Reach, case_key: str) -> tuple[PutView, ...]:
        """Return what those for whom a person reads were asked in a case that they may not read themselves, open or closed.

        Raises:
            NoSuchCase: Nothing was.
        """
        async with self._database.connect() as connection:
            found = await reading.put(connection, reach, case_key, await legal_now(connection))
        if not found:
            raise NoSuchCase
        kept = ("case_key", "opened_at", "closed_at", "reason")
        return tuple(
            PutView.model_validate({**row["opened"], **{name: row[name] for name in kept}}, strict=False)
            for row in found
        )

    async def case(self, reach: Reach, case_key: str, as_of: datetime | None = None) -> CaseView:
        """Return everything decided about a case at a time, by default now.

        Raises:
            NoSuchCase: Nothing had been decided about it then, or it may not be read.
        """
        async with self._database.connect() as connection:
            return await self._case(connection, reach, case_key, as_of or await legal_now(connection))

    async def _case(self, connection: AsyncConnection, reach: Reach, case_key: str, as_of: datetime) -> CaseView:
        decided = await _latest(connection, reach, case_key, as_of)
        keys = await reading.linked(connection, reach, case_key, as_of)
        notices: defaultdict[UUID, list[NoticeView]] = defaultdict(list)
        for row in await reading.notices(connection, keys, as_of):
            notices[row["obligation_id"]].append(self._notice(row))
        obligations = [
            ObligationView.model_validate(
                {
                    **row["opened"],
                    "case_key": row["case_key"],
                    "state": row["state_then"],
                    "reason": row["reason_then"],
                    "opened_at": row["opened_at"],
                    "notices": notices[row["obligation_id"]],
                },
                strict=False,
            )
            for row in await reading.obligations(connection, keys, as_of)
        ]
        questions = [
            QuestionView.model_validate(
                {**row["opened"], "case_key": row["case_key"], "opened_at": row["opened_at"]}, strict=False
            )
            for row in await reading.questions(connection, keys, as_of)
        ]
        return CaseView(
            case_key=case_key,
            linked=tuple(key for key in keys if key != case_key),
            as_of=as_of,
            revision=decided["revision"],
            rulebook=RulebookRef(**decided["rulebook"]),
            migrations=tuple(
                MigrationView(**{name: row[name] for name in MigrationView.model_fields})
                for row in await reading.migrations(connection, keys, as_of)
            ),
            obligations=tuple(obligations),
            questions=tuple(questions),
            conflicts=tuple(decided["conflicts"]),
            traces=tuple(decided["traces"]),
        )

    async def decision(self, reach: Reach, case_key: str, as_of: datetime | None = None) -> tuple[CaseView, Decision]:
        """Return a case as shown, and its decision asked again from the facts known at that time.

        The rulebook is the one by which the case was decided then. Of linked cases that may not be read nothing is asked:
        neither their facts nor what follows from them is shown.

        Raises:
            NoSuchCase: Nothing had been decided about it then, or it may not be read.
        """
        async with self._database.connect() as connection:
            at = as_of or await legal_now(connection)
            shown = await self._case(connection, reach, case_key, at)
            keys = sorted({case_key, *shown.linked})
            facts = tuple(
                loading.fact_of(row, self._laws.vocabulary) for row in await reading.facts(connection, keys, at)
            )
            told = {row["event_id"]: loading.told_of(row) for row in await reading.happened(connection, keys, at)}
            known = await self._known(connection, keys, at)
        law = self._laws.of(shown.rulebook.version)
        return shown, law.decide(facts, told, known, at)

    async def _known(self, connection: AsyncConnection, keys: list[str], as_of: datetime) -> ledger.Known:
        obligations = await reading.obligations(connection, keys, as_of)
        notices = await reading.notices(connection, keys, as_of)
        return ledger.Known(
            obligations=tuple(loading.obligation_of({**row, "state": row["state_then"]}) for row in obligations),
            notices=tuple(loading.notice_of({**row, "state": row["state_then"]}) for row in notices),
        )

    async def ask(self, reach: Reach, case_key: str, recipient: str, as_of: datetime | None = None) -> AskView:
        """Return whether a recipient was told, as at a time, with the reason.

        Raises:
            NoSuchCase: Nothing had been decided about the case then, or it may not be read.
            NotFound: The recipient is not in the register.
        """
        if recipient not in self._laws.register.bodies:
            raise NotFound("this recipient is not in the register")
        shown, decision = await self.decision(reach, case_key, as_of)
        return answer(Asked(shown, decision, recipient), shown)

    async def explanation(self, reach: Reach, case_key: str, as_of: datetime | None = None) -> ExplanationView:
        """Return every rule and every recipient of a case with the reasons, as at a time.

        Raises:
            NoSuchCase: Nothing had been decided about it then, or it may not be read.
        """
        shown, decision = await self.decision(reach, case_key, as_of)
        return explanation(decision, shown.rulebook, shown)

    async def cases(self, reach: Reach, prefix: str = "", after: str = "") -> CaseList:
        """Return a page of the cases that may be read and whose key begins with `prefix`, those decided last first.

        Raises:
            BadPlace: `after` cannot be read.
        """
        place = _case_place(after) if after else None
        async with self._database.connect() as connection:
            found = await reading.cases(connection, reach, prefix=prefix, after=place, most=CASES + 1)
        shown = tuple(CaseLine(**row) for row in found[:CASES])
        return CaseList(cases=shown, next=_after_case(shown[-1]) if len(found) > CASES else None)

    async def deliveries(self, reach: Reach, state: str | None, recipient: str | None, after: int) -> DeliveryList:
        """Return a page of deliveries of cases that may be read, in a state and to a recipient, the oldest first."""
        async with self._database.connect() as connection:
            found = await reading.deliveries(connection, reach, state, recipient, after=after, most=PAGE + 1)
        names, shown = DeliveryView.model_fields, found[:PAGE]
        return DeliveryList(
            deliveries=tuple(DeliveryView(**{name: row[name] for name in names}) for row in shown),
            next=shown[-1]["seq"] if len(found) > PAGE else None,
        )

    def _notice(self, row: Any) -> NoticeView:
        state = row["state_then"]
        if state == "due":
            state = "sending" if row["state"] == "sending" else "owed"
        body = row["payload"]["body"]
        return NoticeView(
            notice_id=row["notice_id"],
            recipient=row["recipient"],
            name=self._laws.register.name(row["recipient"]),
            state=state,
            attempts=row["attempts_then"],
            reference=row["reference_then"],
            reason=row["reason_then"],
            at=row["at_then"],
            due_on=body["due_on"],
            corrects=corrects["notice_id"] if (corrects := body.get("corrects")) else None,
        )


def _after_case(case: CaseLine) -> str:
    return f"{iso(case.decided_at)}~{case.case_key}"


def _case_place(after: str) -> reading.CasePlace:
    instant, _, case_key = after.partition("~")
    try:
        return reading.CasePlace(datetime.fromisoformat(instant).astimezone(UTC), UUID(case_key).hex)
    except (ValueError, OverflowError):
        raise BadPlace from None


async def _latest(connection: AsyncConnection, reach: Reach, case_key: str, as_of: datetime) -> RowMapping:
    decided = await reading.latest_decision(connection, reach, case_key, as_of)
    if decided is None:
        raise NoSuchCase
    return decided
