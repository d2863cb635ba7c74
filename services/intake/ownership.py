"""Whose the event, the notice or the duty is that an event names: only who said a thing may correct it, only who was told may answer.

Refuses what routing, which merges linked cases alone, would not find to correct or to answer (decision 0015).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.bodies import Bodies
from schemas.calendar.london import london_date
from schemas.case_events import ActRecordedData, NotificationSubmittedData, Reporter
from schemas.submissions import (
    SUBMISSIONS,
    CrossPartnershipOutcome,
    DeliveryAcknowledged,
    FactCorrected,
    NotAppropriateRecorded,
)
from services.intake.domain.casebook import CaseBook
from services.intake.domain.problems import FieldError, Refusal, invalid
from services.intake.domain.stated import named
from services.intake.domain.translate import child_refs, translate
from services.intake.domain.validate import is_registered
from services.intake.keeping import open_whole
from services.intake.reading import Reader, Reading
from services.intake.store import clients, submissions
from services.intake.store.clients import Client
from services.intake.store.submissions import Kept
from services.intake.vault import Vault, VaultRefused


@dataclass(frozen=True, slots=True)
class Named:
    """What a batch names. `known`: every event that it sends or corrects, as far as it is kept; it grows with the batch."""

    known: dict[UUID, Kept]
    speaking: Mapping[str, Client]
    recipients: Mapping[UUID, str]
    duty_holders: Mapping[UUID, str]


async def load(readings: Iterable[Reading], connection: AsyncConnection) -> Named:
    """Return what is kept of all that a batch names."""
    read = list(readings)
    corrected = {each for one in read if (each := corrects(one))}
    known = await submissions.by_event(connection, {one.event_id for one in read} | corrected)
    authors = {known[each].client for each in corrected if each in known}
    speaking = await clients.by_name(connection, authors, revoked=True)
    answered = [one.submitted.data for one in read]
    return Named(
        known=known,
        speaking=speaking | {one.client.name: one.client for one in read},
        recipients=await submissions.recipients(connection, set(_notices(read))),
        duty_holders=await submissions.duty_holders(
            connection, {data.obligation_id for data in answered if isinstance(data, NotAppropriateRecorded)}
        ),
    )


def corrects(reading: Reading) -> UUID | None:
    """Return the event that a submission corrects."""
    data = reading.submitted.data
    return data.corrects if isinstance(data, FactCorrected) else None


class Ownership:
    """Says whether what an event names is its sender's."""

    def __init__(self, reader: Reader, vault: Vault, bodies: Bodies) -> None:
        self._reader = reader
        self._vault = vault
        self._bodies = bodies

    def answers_for(self, client: Client, now: datetime) -> frozenset[str]:
        """Return the bodies that a client speaks for, each by the one that stands in its place today."""
        return frozenset(self._in_place_of(each, now) for each in client.answers_for)

    def refusal(self, reading: Reading, batch: Named, book: CaseBook, now: datetime) -> Refusal | None:
        """Return why an event may not correct what it names, or answer it; None if it may."""
        data = reading.submitted.data
        if isinstance(data, FactCorrected):
            return self._of_event(data, reading, batch, book, now)
        # A notice or duty that intake has not heard of yet is accepted: routing, which knows all of them, checks again.
        for notice in _notices((reading,)):
            if self._is_anothers(batch.recipients.get(notice), reading.client, now):
                return Refusal("not_allowed", "This notice is not addressed to you: only its recipient may answer it.")
        duty = data.obligation_id if isinstance(data, NotAppropriateRecorded) else None
        if duty and self._is_anothers(batch.duty_holders.get(duty), reading.client, now):
            return Refusal("not_allowed", "This duty is not yours: only its holder may find it not appropriate.")
        return None

    def _of_event(
        self, data: FactCorrected, reading: Reading, batch: Named, book: CaseBook, now: datetime
    ) -> Refusal | None:
        corrected, client = batch.known.get(data.corrects), reading.client
        if corrected is None or not self._is_same_body(batch.speaking[corrected.client], client, now):
            return invalid(
                FieldError("/data/corrects", "none of your events has this id", "event_id of one of your receipts")
            )
        if not book.is_linked(reading.own, reading.target, corrected.case_key, self.answers_for(client, now)):
            problem = "your case is not linked with the one that this event is about"
            hint = "name that case in linked_case, by the case_key that your notices give"
            if corrected.client == client.name:
                hint = "send the correction with the case_reference of that event"
            return invalid(FieldError("/data/corrects", problem, "an event of a linked case", hint))
        digests = map(self._reader.child_digest, child_refs(data))
        if any(book.known_child(corrected.case_key, digest) is None for digest in digests):
            problem = "the case of the event that you correct has no such child"
            return invalid(FieldError("/data/child_ref", problem, "the reference by which that event names the child"))
        stated = self._stated(corrected, batch.speaking[corrected.client].reporter, now)
        if stated is not None and (data.fact, data.child_ref) not in stated:
            return invalid(_not_stated(data, stated, of_a_correction=SUBMISSIONS[corrected.type] is FactCorrected))
        return None

    def _stated(self, kept: Kept, reporter: Reporter, now: datetime) -> set[tuple[str, str | None]] | None:
        """Return what can be corrected of an event, each fact with the reference of its child; None if it cannot be read any more.

        What the Panel's reference, or an act, says of None it only undoes: to say more of that takes the act itself, and its duties.
        """
        try:
            submitted = self._reader.understand(open_whole(self._vault, kept), "http", now)
        except (Refusal, VaultRefused):
            # Encrypted to a key that is no more, accepted under an earlier version, or damaged: it may have stated anything.
            return None
        if isinstance(submitted.data, FactCorrected):  # what followed from it, its event may not have stated
            return {(submitted.data.fact, submitted.data.child_ref)}
        keys = {ref: self._reader.child_digest(ref).hex()[:32] for ref in child_refs(submitted.data)}
        refs = {key: ref for ref, key in keys.items()}
        data = translate(submitted, reporter, keys, None)
        undoes = isinstance(data, NotificationSubmittedData | ActRecordedData)
        return {
            (fact, refs.get(child))
            for fact, child, value in named(submitted.type, data)
            if not is_registered(fact) and not (undoes and value is None)
        }

    def _is_anothers(self, body: str | None, client: Client, now: datetime) -> bool:
        return body is not None and self._in_place_of(body, now) not in self.answers_for(client, now)

    def _is_same_body(self, one: Client, other: Client, now: datetime) -> bool:
        return len({self._in_place_of(each.reporter.source, now) for each in (one, other)}) == 1

    def _in_place_of(self, body: str, now: datetime) -> str:
        return self._bodies.in_place_of(body, london_date(now))


def _not_stated(data: FactCorrected, stated: set[tuple[str, str | None]], *, of_a_correction: bool) -> FieldError:
    facts = sorted(fact for fact, child in stated if child == data.child_ref)
    return FieldError(
        "/data/fact",
        "the event that you correct did not state this fact, or said that it is unknown",
        f"one that it stated: {', '.join(facts)}" if facts else "a fact that it stated",
        "correct the event that stated it, and not the correction; what none stated is reported in an event of its own"
        if of_a_correction
        else "what was not stated is not corrected: report it in an event of its own",
    )


def _notices(readings: Iterable[Reading]) -> Iterator[UUID]:
    for reading in readings:
        data = reading.submitted.data
        if isinstance(data, DeliveryAcknowledged | CrossPartnershipOutcome):
            yield data.notice_id
