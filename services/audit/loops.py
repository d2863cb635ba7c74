"""What audit does by the clock: signs the head, fills the index, and raises the alarm about what must not be.

A refusal to sign is not an error to be tried away: it is shown by readiness, a metric and a log line until a person has
found out what happened. So is a number that a producer gave and the log has not got for a minute. Readiness also shows that
signing has failed, of whatever cause, for a minute.
"""

from datetime import timedelta

import structlog
from prometheus_client import Gauge

from services.audit.domain.note import BadNote
from services.audit.publisher import Publisher, RefusedToSign
from services.audit.service import index_more
from services.audit.store import projection
from services.kit.clock import Clock
from services.kit.database import Database
from services.kit.logging import allow

SIGN_EVERY_S = 1.0
UNSIGNED_GRACE = timedelta(minutes=1)
INDEX_EVERY_S = 0.5
GAP_GRACE = timedelta(minutes=1)  # topics are not ordered against each other, so a number may be late

SIGNED_SIZE = Gauge("handrail_audit_signed_entries", "Entries under the newest signed checkpoint")
REFUSED = Gauge("handrail_audit_signing_refused", "1 if the log contradicts what was signed and a person must look")
MISSING = Gauge("handrail_audit_missing_numbers", "Numbers that a producer gave and the log lacks", ["producer"])
GAP_AGE = Gauge("handrail_audit_oldest_gap_seconds", "How long the oldest such number has been missing")

allow("producer")
_log = structlog.get_logger("services.audit.loops")


class Loops:
    """The steps of the background loops of one process."""

    def __init__(self, database: Database, publisher: Publisher, clock: Clock) -> None:
        self._database = database
        self._publisher = publisher
        self._clock = clock
        self._refusal: str | None = None
        self._signed_at = clock.wall_now()
        self._gaps: frozenset[tuple[str, int]] = frozenset()

    async def sign(self) -> None:
        """Sign the head if it has moved; a refusal stands until a later attempt succeeds."""
        try:
            async with self._database.begin() as tx:
                checkpoint = await self._publisher.publish(tx.connection, self._clock.wall_now())
        except (RefusedToSign, BadNote) as refusal:
            if self._refusal is None:
                _log.critical("audit.refused_to_sign", reason=str(refusal))
            self._refusal = str(refusal)
            REFUSED.set(1)
            return
        self._refusal = None
        self._signed_at = self._clock.wall_now()
        REFUSED.set(0)
        SIGNED_SIZE.set(checkpoint.size)

    async def index(self) -> bool:
        """Index the next entries and look for gaps; say whether there are more entries."""
        now = self._clock.wall_now()
        async with self._database.begin() as tx:
            more = await index_more(tx.connection, now)
            gaps = await projection.gaps(tx.connection)
        self._watch(gaps)
        return more

    async def unready(self) -> str | None:
        """Return why the log is not signed, or nothing."""
        unsigned = self._clock.wall_now() - self._signed_at
        if self._refusal is None and unsigned > UNSIGNED_GRACE:
            return f"the log was not signed for {unsigned.total_seconds():.0f} s, expected each second"
        return self._refusal

    def _watch(self, gaps: list[projection.Gap]) -> None:
        now = self._clock.wall_now()
        old = [gap for gap in gaps if now - gap.since > GAP_GRACE]
        MISSING.clear()
        for gap in old:
            MISSING.labels(gap.producer).inc(gap.last_missing - gap.first_missing + 1)
        GAP_AGE.set(max(((now - gap.since).total_seconds() for gap in gaps), default=0))
        known = frozenset((gap.producer, gap.first_missing) for gap in old)
        for gap in old:
            if (gap.producer, gap.first_missing) not in self._gaps:
                missing = gap.last_missing - gap.first_missing + 1
                _log.error("audit.gap", producer=gap.producer, producer_seq=gap.first_missing, count=missing)
        self._gaps = known
