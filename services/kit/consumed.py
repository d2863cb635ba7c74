"""What is said of each batch that a consumer has handled: metrics, and lines of the log."""

from __future__ import annotations

import structlog

from services.kit import metrics
from services.kit.errors import summary
from services.kit.logging import where
from services.kit.path import Outcome

_log = structlog.get_logger("services.kit.consume")


def report(group: str, records: int, outcome: Outcome, seconds: float) -> None:
    """Measure a batch of so many records, and say what became of it."""
    counts = outcome.counts
    metrics.BATCH_RECORDS.labels(group).observe(records)
    metrics.BATCH_SECONDS.labels(group).observe(seconds)
    for name, count in counts.items():
        if count:
            metrics.CONSUMED.labels(group, name).inc(count)
    for kind in ("poison", "failed"):
        if counts[kind]:
            metrics.QUARANTINED.labels(group, kind).inc(counts[kind])
            _log.error("consume.quarantined", consumer=group, kind=kind, count=counts[kind])
    for error in outcome.errors:
        _log.error("consume.handler_failed", consumer=group, error=summary(error), where=where(error))
    if outcome.gaps:
        metrics.GAPS.labels(group).inc(len(outcome.gaps))
    if counts["overtaken"]:
        metrics.OVERTAKEN.labels(group).inc()
    _log.info(
        "consume.batch",
        consumer=group,
        records=records,
        fresh=counts["fresh"],
        duplicates=counts["duplicates"] + counts["overtaken"],
        poison=counts["poison"],
        parked=counts["parked"],
        ms=round(seconds * 1000, 1),
    )
