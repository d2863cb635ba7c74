"""What was recorded of cases, given out to be decided under a draft: facts, what may have ended duties, and what stands.

It names nobody: routing has keys and the facts that rules use. Reading changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.calendar.london import LONDON
from services.kit.database import Database, legal_now
from services.kit.reach import Reach
from services.routing.domain import ledger
from services.routing.domain.happenings_of import Told
from services.routing.domain.rulebook.model import numbers
from services.routing.domain.statements import Fact
from services.routing.laws import Laws
from services.routing.store import loading, reading
from services.routing.views import View

PAGE: Final = 50


class RecordedCase(View):
    """Everything that the rules see of one set of linked cases, and the version by which it was decided last."""

    case_keys: tuple[str, ...]
    rulebook: str
    facts: tuple[Fact, ...]
    told: tuple[Told, ...]
    known: ledger.Known


class RecordedCases(View):
    """A page of the cases in which something was recorded, by their keys; `total` counts all of them.

    `next` is the `after` of the page that follows, absent on the last.
    """

    as_of: datetime
    total: int
    cases: tuple[RecordedCase, ...]
    next: str | None


class Recorder:
    """Reads what was recorded."""

    def __init__(self, database: Database, laws: Laws) -> None:
        self._database = database
        self._laws = laws

    async def page(self, reach: Reach, since: date, after: str = "") -> RecordedCases:
        """Return a page of the cases that may be read and in which anything was recorded on a day or later.

        Args:
            reach: Which cases may be read.
            since: The first day, in England.
            after: The first key of the last set of the page before.
        """
        begins = datetime.combine(since, time(), LONDON)
        async with self._database.connect() as connection:
            now = await legal_now(connection)
            found, total = await reading.recorded_since(connection, reach, begins, after=after, most=PAGE + 1)
            sets = found[:PAGE]
            cases = await self._cases(connection, sets, now)
        more = len(found) > PAGE
        return RecordedCases(as_of=now, total=total, cases=tuple(cases), next=sets[-1][0] if more else None)

    async def _cases(self, connection: AsyncConnection, sets: list[list[str]], now: datetime) -> Iterable[RecordedCase]:
        keys = sorted({key for members in sets for key in members})
        facts = loading.by_case(await reading.facts(connection, keys, now))
        told = loading.by_case(await reading.happened(connection, keys, now))
        obligations = loading.by_case(await reading.obligations(connection, keys, now))
        notices = loading.by_case(await reading.notices(connection, keys, now))
        versions = await reading.rulebooks(connection, keys)
        return [
            RecordedCase(
                case_keys=tuple(members),
                rulebook=max((versions[key] for key in members if key in versions), key=numbers),
                facts=tuple(loading.fact_of(row, self._laws.vocabulary) for row in loading.of_members(members, facts)),
                told=tuple(loading.told_of(row) for row in loading.of_members(members, told)),
                known=ledger.Known(
                    obligations=tuple(loading.obligation_of(row) for row in loading.of_members(members, obligations)),
                    notices=tuple(loading.notice_of(row) for row in loading.of_members(members, notices)),
                ),
            )
            for members in sets
        ]
