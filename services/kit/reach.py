"""Which cases a person may read: those to which the agency that they act for is a party, or all of them.

Every service that shows cases keeps their parties (`schemas.parties`) in a table `case_party` of its own schema and puts
the condition of `readable` into each query, so that lists, counts and pages hold nothing else. A case that may not be
read is never loaded: whatever is answered is the answer about a case that there is not (docs/decisions/0005).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Envelope
from schemas.parties import client_party, parties_of
from services.kit.auth import Principal

_INSTALLATION: Final = frozenset({"operations", "auditor", "service"})
_ADD: Final = text("""
    INSERT INTO case_party (case_key, party)
    SELECT * FROM unnest(CAST(:case_keys AS text[]), CAST(:parties AS text[])) ON CONFLICT DO NOTHING
""")


@dataclass(frozen=True, slots=True)
class Reach:
    """Which cases may be read: those that have one of `parties`, or everything. Without either, none."""

    parties: tuple[str, ...] = ()
    everything: bool = False

    @property
    def values(self) -> dict[str, Any]:
        """Return the values of `readable`."""
        return {"reads_all": self.everything, "reads_for": list(self.parties)}

    def bound(self, condition: str) -> TextClause:
        """Return a condition that has `readable` in it with its values, for queries that are built."""
        return text(condition).bindparams(**self.values)


EVERYTHING: Final = Reach(everything=True)


def reach_of(who: Principal) -> Reach:
    """Return which cases a signed-in person may read; a review officer who acts for nobody reads none."""
    if who.role in _INSTALLATION:
        return EVERYTHING
    if who.role != "review_officer" or who.client is None:
        return Reach()
    bodies = (who.body, *sorted(who.stands_for)) if who.body else ()
    return Reach((client_party(who.client), *bodies))


def readable(column: str) -> str:
    """Return the condition, in SQL, that the case whose key stands in `column` may be read; false where it is null.

    Give the query the values of a reach: `{**reach.values}`.
    """
    return f"""(CAST(:reads_all AS boolean) OR EXISTS (
        SELECT FROM case_party
        WHERE case_party.case_key = {column} AND {read_for("case_party.party")}
    ))"""


def read_for(column: str) -> str:
    """Return the condition, in SQL, that the party in `column` is one for whom a person reads: never true of everything.

    It goes by the values of a reach, as `readable` does, and opens what is put to a party in a case of others, not the case.
    """
    return f"{column} = ANY(CAST(:reads_for AS text[]))"


def made_by(messages: Iterable[Envelope]) -> list[dict[str, str]]:
    """Return the rows of `case_party` that messages make, sorted, each once."""
    found = {(one.case_key, party) for one in messages if one.case_key for party in parties_of(one)}
    return [{"case_key": case_key, "party": party} for case_key, party in sorted(found)]


async def add(connection: AsyncConnection, messages: Iterable[Envelope]) -> None:
    """Keep the parties that messages make to their cases; the caller holds the cases."""
    if rows := made_by(messages):
        values = {"case_keys": [row["case_key"] for row in rows], "parties": [row["party"] for row in rows]}
        await connection.execute(_ADD, values)
