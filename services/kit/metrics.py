"""What Prometheus can ask a service. Labels are names of our own parts; never a key, an id or anything reported."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_BATCH_SIZES: Final = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_000)
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

LAG: Final = Gauge(
    "handrail_consumer_lag_records",
    "Records of a partition not yet read; NaN while Kafka does not say",
    ["consumer", "topic", "partition"],
)
BATCH_RECORDS: Final = Histogram("handrail_batch_records", "Records per batch", ["consumer"], buckets=_BATCH_SIZES)
BATCH_SECONDS: Final = Histogram(
    "handrail_batch_duration_seconds", "Time per batch, from received to committed", ["consumer"], buckets=_SECONDS
)
CONSUMED: Final = Counter("handrail_consumed_records", "Records by what became of them", ["consumer", "outcome"])
RETRIES: Final = Counter("handrail_batch_retries", "Batches tried again because a part was away", ["consumer"])
READ_FAILURES: Final = Counter(
    "handrail_consumer_read_failures", "Times that something could not be read", ["consumer"]
)
GAPS: Final = Counter("handrail_fence_gaps", "Batches dropped because records were skipped", ["consumer"])
HOLES: Final = Counter(
    "handrail_fence_holes", "Offsets that hold no record, accepted after a second look", ["consumer"]
)
OVERTAKEN: Final = Counter(
    "handrail_fence_overtaken", "Batches that another consumer had already handled", ["consumer"]
)
STOPPED: Final = Gauge("handrail_consumer_stopped", "1 if a consumer stopped and a person must look", ["consumer"])
REBALANCES: Final = Counter("handrail_rebalances", "Times that partitions were assigned", ["consumer"])
QUARANTINED: Final = Counter("handrail_quarantined_records", "Records put in quarantine", ["consumer", "kind"])
HELD: Final = Gauge("handrail_quarantine_held", "Records in quarantine now")
OVERDUE: Final = Gauge("handrail_quarantine_overdue", "Records in quarantine past their time to be looked at")
PARKED: Final = Gauge("handrail_parked_events", "Events that wait behind a record in quarantine")

OUTBOX_AGE: Final = Gauge("handrail_outbox_age_seconds", "Age of the oldest message not yet published")
OUTBOX_DEPTH: Final = Gauge("handrail_outbox_depth", "Messages not yet published")
RELAY_PUBLISHED: Final = Counter("handrail_relay_published_records", "Messages published", ["topic"])
RELAY_LEADER: Final = Gauge("handrail_relay_leader", "1 if this process is the relay")
RELAY_REFUSED: Final = Gauge("handrail_relay_refused", "1 if the relay refuses to publish and a person must look")
LACKING: Final = Gauge(
    "handrail_published_and_lacking", "Messages that Kafka has and the database, restored from a backup, has not"
)
RELAY_FAILURES: Final = Counter("handrail_relay_failures", "Times that publishing failed and was tried again")

LOOP_FAILURES: Final = Counter("handrail_loop_failures", "Failures of a background loop", ["loop"])
REQUESTS: Final = Histogram(
    "handrail_request_duration_seconds", "Time per request", ["method", "route", "status"], buckets=_SECONDS
)
DROPPED_LOG_FIELDS: Final = Counter("handrail_dropped_log_fields", "Log fields that were not on the list", ["field"])
LOST_LOG_LINES: Final = Counter("handrail_lost_log_lines", "Log lines that could not be written")
