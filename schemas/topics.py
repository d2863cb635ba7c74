"""Names of the Kafka topics. Partitions, retention, users and access rules stand in `deploy/topics.yaml`."""

from __future__ import annotations

from typing import Final, Literal, get_args

CASE_EVENTS: Final = "safeguarding.case-events.v1"
DECISIONS: Final = "safeguarding.decisions.v1"
DELIVERIES: Final = "safeguarding.deliveries.v1"
DEADLINES: Final = "safeguarding.deadlines.v1"
SUBMISSIONS_PREFIX: Final = "safeguarding.submissions."

Service = Literal["intake", "routing", "deadlines", "audit"]
SERVICES: Final[tuple[str, ...]] = get_args(Service)
PARTITIONS: Final = 12


def submissions(client: str) -> str:
    """Return the topic that a client, and nobody else, may write its events to."""
    return f"{SUBMISSIONS_PREFIX}{client}.v1"


def quarantine(service: str) -> str:
    """Return the topic on which a service announces what it put in quarantine (never the bytes)."""
    return f"safeguarding.{service}.quarantine.v1"


QUARANTINES: Final = tuple(quarantine(service) for service in SERVICES)
AUDITED: Final = (CASE_EVENTS, DECISIONS, DELIVERIES, DEADLINES, *QUARANTINES)
_SAID_BY: Final = {"intake": (CASE_EVENTS,), "routing": (DECISIONS, DELIVERIES), "deadlines": (DEADLINES,)}


def written_by(service: str) -> tuple[str, ...]:
    """Return the topics that a service, and no other, writes to."""
    return (*_SAID_BY.get(service, ()), *(topic for topic in QUARANTINES if topic == quarantine(service)))
