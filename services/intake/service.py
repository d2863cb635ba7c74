"""Accepting events: a batch is read, matched with what is known, kept and announced, all in one transaction.

HTTP hands over one event, Kafka hundreds; there is one path. Every submission gets an outcome of its own: what is
wrong with one never touches its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas import topics
from schemas.bodies import Bodies
from schemas.case_events import CaseData, CaseLinked, CaseLinkedData
from schemas.deliveries import NoticeData
from schemas.envelope import Envelope
from schemas.identity import derived_event_id, link_id
from schemas.messages import MESSAGES, AnyMessage, parse
from services.intake.domain.casebook import CaseBook, Link, MintKey
from services.intake.domain.cloudevent import RawEvent
from services.intake.domain.personal import personal_fields
from services.intake.domain.problems import LISTED, FieldError, Refusal, not_listed
from services.intake.domain.sameness import differences, meaning
from services.intake.domain.translate import as_published, child_keys, child_refs, translate
from services.intake.keeping import Keeping, open_whole, seal_whole
from services.intake.ownership import Named, Ownership, corrects, load
from services.intake.reading import Incoming, Reader, Reading
from services.intake.store import cases, personal, submissions
from services.intake.store.inserting import insert
from services.intake.store.submissions import Kept
from services.intake.vault import Vault, VaultRefused
from services.kit.restored import published_before
from services.kit.transaction import Transaction

_SOURCE: Final = "/handrail/intake"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The event is kept. `fresh` is false if the same was accepted before: it has no second effect."""

    kept: Kept
    reading: Reading
    fresh: bool


Outcome = Accepted | Refusal


@dataclass(slots=True)
class _Batch:
    """What one batch needs while it is worked through."""

    book: CaseBook
    keeping: Keeping
    named: Named
    published: dict[UUID, AnyMessage]
    fresh: list[Kept] = field(default_factory=list)


class IntakeService:
    """Accepts events."""

    def __init__(self, reader: Reader, vault: Vault, bodies: Bodies, mint: MintKey) -> None:
        self._reader = reader
        self._vault = vault
        self._bodies = bodies
        self._ownership = Ownership(reader, vault, bodies)
        self._mint = mint

    async def accept(self, incoming: Sequence[Incoming], tx: Transaction) -> list[Outcome]:
        """Return one outcome per submission, in order. What is accepted stands when `tx` commits, and not before."""
        read = [self._try_read(one, tx) for one in incoming]
        readings = [one for one in read if isinstance(one, Reading)]
        if not readings:
            return [one for one in read if isinstance(one, Refusal)]
        tx.traces.update({one.event_id: one.trace for one in readings if one.trace})
        batch = await self._load(readings, tx)
        outcomes = [one if isinstance(one, Refusal) else await self._try_admit(one, batch, tx) for one in read]
        await insert(
            tx.connection,
            *cases.added(batch.book, {one.own: one.client.name for one in readings}, tx.now),
            submissions.added(batch.fresh),
            *personal.added(batch.keeping.new_keys, batch.keeping.items),
        )
        await cases.forget_settled(tx.connection, batch.book)
        await submissions.recall_decisions(tx.connection, batch.published)
        return outcomes

    async def cases_of(self, sent: Iterable[tuple[str, RawEvent]], connection: AsyncConnection) -> set[str]:
        """Return what a batch must hold, for the consume path, which takes all locks before it writes."""
        return await cases.reach(connection, self._reader.names(sent), self._bodies)

    async def settle(self, messages: Sequence[Envelope], tx: Transaction) -> None:
        """Let the links that waited for these notices take effect; the notices are stored, and `cases_told` are held."""
        told = _told_of(messages)
        if not told or not await cases.awaited(tx.connection, {case_key for case_key, _ in told}):
            return
        book = CaseBook(await cases.load(tx, _named(told), self._bodies), self._mint)
        for link in book.settle():
            tx.emit(topics.CASE_EVENTS, _linked(link, tx.now, None, tx.now))
        await insert(tx.connection, *cases.added(book, {}, tx.now))
        await cases.forget_settled(tx.connection, book)

    async def cases_told(self, messages: Sequence[Envelope], connection: AsyncConnection) -> set[str]:
        """Return what a batch of routing's messages must hold, because its notices may let waiting links take effect.

        Its own cases are held in any case, so no link begins to wait on them after this was asked again under their locks.
        """
        told = _told_of(messages)
        if not told or not await cases.awaited(connection, {case_key for case_key, _ in told}):
            return set()
        return await cases.reach(connection, _named(told), self._bodies, told)

    def _try_read(self, incoming: Incoming, tx: Transaction) -> Reading | Refusal:
        try:
            return self._reader.read(incoming, tx.now)
        except Refusal as refusal:
            return refusal

    async def _load(self, readings: Sequence[Reading], tx: Transaction) -> _Batch:
        targets = [one.target for one in readings if one.target]
        names = cases.Names(
            own=frozenset(one.own for one in readings),
            named=frozenset(target.digest for target in targets if target.digest),
            keys=frozenset(target.case_key for target in targets if target.case_key),
        )
        known = await cases.load(tx, names, self._bodies)
        connection, ids = tx.connection, {one.event_id for one in readings}
        own_cases = {known.cases[one.own] for one in readings if one.own in known.cases}
        return _Batch(
            book=CaseBook(known, self._mint),
            keeping=Keeping(self._vault, await personal.wrapped_keys(connection, own_cases)),
            named=await load(readings, connection),
            published={each: parse(payload) for each, payload in (await published_before(connection, ids)).items()},
        )

    async def _try_admit(self, reading: Reading, batch: _Batch, tx: Transaction) -> Outcome:
        known = batch.named.known.get(reading.event_id)
        if known is not None:
            return self._again(known, reading, tx)
        published = batch.published.get(reading.event_id)
        if published is not None and not self._says_the_same(reading, published):
            return Refusal(
                "differs",
                "An event with this source and id was accepted and passed on before, said something else, and was lost here "
                "since. Nothing was changed. Send it again as it was; to put something right, send fact.corrected.v1 "
                "after that; to report something new, use a new id.",
            )
        refusal = self._ownership.refusal(reading, batch.named, batch.book, tx.now)
        if refusal is not None:
            return refusal
        kept = await self._admit(reading, batch, tx)
        batch.named.known[kept.event_id] = kept
        batch.fresh.append(kept)
        return Accepted(kept, reading, fresh=True)

    def _again(self, known: Kept, reading: Reading, tx: Transaction) -> Outcome:
        if known.sameness == reading.sameness:
            return Accepted(known, reading, fresh=False)
        try:
            before = meaning(self._reader.understand(open_whole(self._vault, known), "http", tx.now))
        except (Refusal, VaultRefused):  # encrypted to an earlier key, accepted under an earlier version, or damaged
            before = {}
        places = differences(before, meaning(reading.submitted)) if before else ()
        if before and not places:
            return Accepted(known, reading, fresh=False)
        listed = places[:LISTED]
        return Refusal(
            "differs",
            "An event with this source and id was accepted before, and said something else. Nothing was changed."
            f"{not_listed(len(places), len(listed))} "
            "To put a fact right, send fact.corrected.v1; to report something new, or personal details anew, use a new id.",
            [
                FieldError(place, "this differs from what was accepted", "the same as before, or a new id")
                for place in listed
            ],
            known.receipt_id,
        )

    def _says_the_same(self, reading: Reading, published: AnyMessage) -> bool:
        """Say whether an event is what Kafka has under its id: another is never announced, and others decided by the first.

        Of the personal details it is known only that there were some.
        """
        said, submitted = published.data, reading.submitted
        if not isinstance(said, CaseData) or published.case_key is None:
            return False
        refs, keys = child_refs(submitted.data), child_keys(said)
        if (submitted.type, submitted.time, len(refs)) != (published.type, published.time, len(keys)):
            return False
        personal_ref = reading.event_id if personal_fields(submitted.data) else None
        about = self._reader.item_key(published.case_key, submitted.data, reading.event_id)
        # The reporter is who was registered then: a registration may have changed.
        now = translate(submitted, said.reporter, dict(zip(refs, keys, strict=True)), personal_ref, about)
        return said == as_published(said, now)

    async def _admit(self, reading: Reading, batch: _Batch, tx: Transaction) -> Kept:
        """Mint what is new, seal what is personal, and announce the event."""
        submitted, event_id = reading.submitted, reading.event_id
        # Each has an instant of its own: of two about the same time the one that was sent later stands, and no id decides.
        recorded_at = tx.instant()
        recalled = self._recall(reading, batch)
        case_key = batch.book.case(reading.own)
        if case_key in batch.book.minted:
            await tx.lock_cases((case_key,), minted=True)
        links = recalled
        if reading.target:
            answers_for = self._ownership.answers_for(reading.client, tx.now)
            links = (*recalled, *batch.book.link(case_key, reading.target, answers_for))
        children = self._children(reading, case_key, batch)
        about, corrected = self._reader.item_key(case_key, submitted.data, event_id), _corrected(reading, batch)
        said = personal_fields(submitted.data)
        for one in said:
            batch.keeping.keep(event_id, case_key, children[one.child_ref] if one.child_ref else about or "", one)
        for link in links:
            tx.emit(topics.CASE_EVENTS, _linked(link, submitted.time, event_id, recorded_at))
        data = translate(submitted, reading.client.reporter, children, event_id if said else None, about)
        tx.emit(topics.CASE_EVENTS, _message(reading, case_key, data, recorded_at))
        wrapped, sealed = seal_whole(self._vault, case_key, event_id, reading.raw)
        return Kept(
            event_id=event_id,
            receipt_id=derived_event_id("receipt", event_id),
            client=reading.client.name,
            case_key=case_key,
            about=about or (corrected.about if corrected else None),
            type=submitted.type,
            sameness=reading.sameness,
            occurred_at=submitted.time,
            recorded_at=recorded_at,
            wrapped_key=wrapped,
            sealed=sealed,
        )

    def _children(self, reading: Reading, case_key: str, batch: _Batch) -> dict[str, str]:
        """Return the child key of each reference: a correction's as in the case of the event that it corrects."""
        digests = {ref: self._reader.child_digest(ref) for ref in child_refs(reading.submitted.data)}
        own = {ref: batch.book.child(case_key, digest) for ref, digest in digests.items()}
        corrected = _corrected(reading, batch)
        if corrected is None:
            return own
        return {ref: batch.book.known_child(corrected.case_key, digest) or own[ref] for ref, digest in digests.items()}

    def _recall(self, reading: Reading, batch: _Batch) -> tuple[Link, ...]:
        """Take back the keys of an event that Kafka has and the database lost: a case must not become two."""
        published = batch.published.get(reading.event_id)
        if published is None or published.case_key is None:
            return ()
        corrected = _corrected(reading, batch)
        is_of_another = corrected is not None and corrected.case_key != published.case_key
        digests = map(self._reader.child_digest, child_refs(reading.submitted.data))
        children = {} if is_of_another else dict(zip(digests, child_keys(published.data), strict=True))
        return batch.book.recall(reading.own, published.case_key, children)


def _corrected(reading: Reading, batch: _Batch) -> Kept | None:
    corrected = corrects(reading)
    return batch.named.known.get(corrected) if corrected else None


def _told_of(messages: Iterable[Envelope]) -> set[cases.Told]:
    """Return case and recipient of every notice in these messages, in whatever state."""
    data = ((message.case_key, getattr(message, "data", None)) for message in messages)
    return {(case_key, said.recipient) for case_key, said in data if case_key and isinstance(said, NoticeData)}


def _named(told: Iterable[cases.Told]) -> cases.Names:
    return cases.Names(frozenset(), frozenset(), frozenset(case_key for case_key, _ in told))


def _linked(link: Link, at: datetime, cause: UUID | None, recorded_at: datetime) -> CaseLinked:
    return CaseLinked(
        id=link_id(link.case_key, link.linked_case_key),
        source=_SOURCE,
        time=at,
        case_key=link.case_key,
        causation_id=cause,
        recorded_at=recorded_at,
        data=CaseLinkedData(linked_case_key=link.linked_case_key),
    )


def _message(reading: Reading, case_key: str, data: CaseData, recorded_at: datetime) -> Envelope:
    fields: dict[str, Any] = {
        "id": reading.event_id,
        "type": reading.submitted.type,
        "source": _SOURCE,
        "time": reading.submitted.time,
        "case_key": case_key,
        "recorded_at": recorded_at,
        "traceparent": reading.trace,
        "data": data,
    }
    return MESSAGES[reading.submitted.type](**fields)
