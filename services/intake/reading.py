"""One submission on its way in: from bytes to a checked event with its identity and its keyed digests.

Used for a fresh submission and to read again what was kept, so both are understood by the same code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from schemas.act import Act
from schemas.identity import event_id
from schemas.submission import Submission
from schemas.vocabulary import Vocabulary
from services.intake.domain import cloudevent, sameness
from services.intake.domain.casebook import Target
from services.intake.domain.cloudevent import RawEvent
from services.intake.domain.personal import Way, sealed_block, with_block
from services.intake.domain.problems import Refusal
from services.intake.domain.validate import Submitted, check_allowed, validate
from services.intake.letterbox import Letterbox
from services.intake.store.cases import Names
from services.intake.store.clients import Client


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a client sent, by which way, and the trace (`traceparent`) of the request that brought it."""

    client: Client
    raw: RawEvent
    way: Way
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A checked submission. `own` and `target` are keyed digests: case numbers are not stored."""

    client: Client
    raw: RawEvent
    submitted: Submitted
    event_id: UUID
    sameness: bytes
    own: bytes
    target: Target | None
    trace: str | None


class Reader:
    """Reads submissions. Holds the key for encrypted personal blocks and the key of the digests."""

    def __init__(self, letterbox: Letterbox, identity_key: bytes, vocabulary: Vocabulary) -> None:
        self._letterbox = letterbox
        self._key = identity_key
        self.vocabulary = vocabulary

    def read(self, incoming: Incoming, now: datetime) -> Reading:
        """Return the checked submission.

        Raises:
            Refusal: It cannot be accepted; says every place that has to change.
        """
        submitted = self.understand(incoming.raw, incoming.way, now)
        check_allowed(submitted, incoming.client.body, self.vocabulary)
        name = incoming.client.name
        return Reading(
            client=incoming.client,
            raw=incoming.raw,
            submitted=submitted,
            event_id=event_id(name, submitted.source, submitted.submitted_id),
            sameness=sameness.digest(self._key, submitted),
            own=sameness.reference_digest(self._key, name, submitted.data.case_reference),
            target=self._target(submitted),
            trace=submitted.traceparent or incoming.trace,
        )

    def understand(self, raw: RawEvent, way: Way, now: datetime) -> Submitted:
        """Return what an event says, its personal block decrypted.

        Raises:
            Refusal: It cannot be accepted.
        """
        fields = cloudevent.read(raw)
        block = sealed_block(fields, way)
        if block is not None:
            fields = with_block(fields, self._letterbox.open(block))
        return validate(fields, self.vocabulary, now)

    def names(self, sent: Iterable[tuple[str, RawEvent]]) -> Names:
        """Return what events call their cases, as far as that can be read without checking anything.

        Args:
            sent: Name of the client, and what it sent.
        """
        own: set[bytes] = set()
        named: set[bytes] = set()
        keys: set[str] = set()
        for client, raw in sent:
            try:
                data = cloudevent.read(raw).get("data")
            except Refusal:
                continue
            own |= self._digest(client, data)
            link = data.get("linked_case") if isinstance(data, dict) else None
            if isinstance(link, dict):
                named |= self._digest(link.get("client"), link)
                keys |= {key for key in (link.get("case_key"),) if isinstance(key, str) and "\0" not in key}
        return Names(frozenset(own), frozenset(named), frozenset(keys))

    def _digest(self, client: object, holder: object) -> set[bytes]:
        reference = holder.get("case_reference") if isinstance(holder, dict) else None
        if not isinstance(client, str) or not isinstance(reference, str):
            return set()
        return {sameness.reference_digest(self._key, client, reference)}

    def child_digest(self, ref: str) -> bytes:
        """Return what a child reference is looked up by."""
        return sameness.child_digest(self._key, ref)

    def item_key(self, case_key: str, data: Submission, event_id: UUID) -> str | None:
        """Return the key of what an act is about, such as an action, a request or the delay that it tells of; None if it is about none."""
        if not isinstance(data, Act) or data.about is None:
            return None
        return sameness.item_key(self._key, case_key, data.about, data.about_ref or str(event_id))

    def _target(self, submitted: Submitted) -> Target | None:
        link = submitted.data.linked_case
        if link is None:
            return None
        if link.client is not None and link.case_reference is not None:
            return Target(None, sameness.reference_digest(self._key, link.client, link.case_reference))
        return Target(link.case_key, None)
