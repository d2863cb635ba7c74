"""Receipts: what a submitter is told at once, and later how far its event has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from pydantic import BaseModel

from schemas.bodies import Bodies
from schemas.calendar.london import london_date
from schemas.envelope import iso
from schemas.vocabulary import Vocabulary
from services.intake.domain.missing import missing
from services.intake.service import Accepted
from services.intake.store import progress
from services.intake.store.clients import Client
from services.intake.store.progress import Place
from services.kit.database import Database, legal_now
from services.kit.errors import BadPlace, NotFound


class Question(BaseModel):
    """A fact that such a report usually needs. `child_ref` is your own reference, absent if it is not about one child."""

    fact: str
    ask: str
    child_ref: str | None = None


class Links(BaseModel):
    """Where to go on."""

    self: str


class Receipt(BaseModel):
    """The event is kept. The same event sent again gets the same receipt."""

    receipt_id: UUID
    event_id: UUID
    case_key: str
    status: str = "kept"
    missing: list[Question]
    links: Links


class Told(BaseModel):
    """One notice: who is told under which rule, and how far that has come."""

    recipient: str
    rule: str
    notice_id: UUID
    obligation_id: UUID
    state: str
    reference: str | None
    at: datetime
    due_on: date | None


class OpenQuestion(BaseModel):
    """A fact that is missing for the case, and who is asked for it."""

    fact: str
    of_whom: str
    ask: str
    due_on: date


class ReceiptLine(BaseModel):
    """A receipt in the list. `status` is `kept` until routing has decided, then `decided`.

    `answers_nothing`: there is no such notice or duty of yours as the event answers, so that it has no effect.
    """

    receipt_id: UUID
    event_id: UUID
    case_key: str
    type: str
    status: str
    occurred_at: datetime
    recorded_at: datetime
    decided_at: datetime | None
    revision: int | None
    rulebook: str | None
    answers_nothing: bool


class ReceiptProgress(ReceiptLine):
    """How far an event has come."""

    told: list[Told]
    questions: list[OpenQuestion]
    links: Links


class ReceiptList(BaseModel):
    """A client's receipts, newest first. `next` is the value of `before` for the following page."""

    receipts: list[ReceiptLine]
    next: str | None


@dataclass(frozen=True, slots=True)
class Receipts:
    """Makes receipts. `base_url` is where intake is reached."""

    database: Database
    vocabulary: Vocabulary
    bodies: Bodies
    base_url: str

    def of(self, accepted: Accepted) -> Receipt:
        """Return the receipt of an event that was accepted, now or before."""
        kept = accepted.kept
        asked = missing(accepted.reading.submitted.data, self.vocabulary)
        return Receipt(
            receipt_id=kept.receipt_id,
            event_id=kept.event_id,
            case_key=kept.case_key,
            missing=[Question(fact=one.fact, ask=one.ask, child_ref=one.child_ref) for one in asked],
            links=self._links(kept.receipt_id),
        )

    async def progress(self, receipt_id: UUID, client: Client) -> ReceiptProgress:
        """Return how far one event of this client has come.

        Raises:
            NotFound: The client has no such receipt; another client's looks exactly the same.
        """
        async with self.database.connect() as connection:
            row = await progress.receipt(connection, receipt_id, client.name)
            if row is None:
                raise NotFound
            own = self._own(client, london_date(await legal_now(connection)))
            told, questions = await progress.told(connection, row["case_key"], client.name, own)
        decided = row["decided_at"] is not None
        return ReceiptProgress(
            **row,
            status=_status(decided=decided),
            told=[Told(**one) for one in told] if decided else [],
            questions=[OpenQuestion(**one) for one in questions] if decided else [],
            links=self._links(receipt_id),
        )

    async def list(self, client: Client, before: str | None, limit: int) -> ReceiptList:
        """Return a page of this client's receipts, from the newest, or before a page's `next` or an instant.

        Raises:
            BadPlace: `before` cannot be read.
        """
        place = _place(before) if before is not None else None
        async with self.database.connect() as connection:
            rows = await progress.receipts(connection, client.name, place, limit + 1)
        lines = [ReceiptLine(**row, status=_status(decided=row["decided_at"] is not None)) for row in rows[:limit]]
        return ReceiptList(receipts=lines, next=_before(lines[-1]) if len(rows) > limit else None)

    def _own(self, client: Client, on: date) -> set[str]:
        """Return the bodies whose notices, duties and questions are a client's own business on a day."""
        own = client.answers_for
        return {self.bodies.in_place_of(each, on) for each in own}.union(
            *(self.bodies.stands_for(each, on) for each in own)
        )

    def _links(self, receipt_id: UUID) -> Links:
        return Links(self=f"{self.base_url}/v1/receipts/{receipt_id}")


def _before(line: ReceiptLine) -> str:
    return f"{iso(line.recorded_at)}~{line.event_id}"


def _place(before: str) -> Place:
    instant, _, event_id = before.partition("~")
    try:
        at = datetime.fromisoformat(instant)
        # Nothing at the instant itself comes before the least id.
        return Place(
            (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC), UUID(event_id) if event_id else UUID(int=0)
        )
    except (ValueError, OverflowError):
        raise BadPlace(
            "`before` is neither the `next` of an earlier page nor an instant: leave it out to start from the newest."
        ) from None


def _status(*, decided: bool) -> str:
    return "decided" if decided else "kept"
