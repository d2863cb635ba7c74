"""Whom a message makes a party to its case, and whom it does not."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from schemas import deliveries
from schemas.envelope import Envelope
from schemas.parties import parties_of
from tests.support.deadlines import (
    notice_delivered,
    notice_refused,
    notice_withdrawn,
    obligation_opened,
    question_opened,
)
from tests.support.intake_routing import decided
from tests.support.routing import CASE, POLICE, acknowledged, aware, envelope, linked, reported

NOTICE: dict[str, Any] = {
    "notice_id": UUID(int=1),
    "obligation_id": UUID(int=2),
    "rule": "N-01",
    "recipient": "panel",
    "profile": "panel-notification",
    "revision": 1,
}


def owed(*, released: bool) -> deliveries.NoticeOwed:
    return deliveries.NoticeOwed(**envelope(), data=deliveries.NoticeOwedData(**NOTICE, released=released))


def released() -> deliveries.NoticeReleased:
    return deliveries.NoticeReleased(**envelope(), data=deliveries.NoticeData(**NOTICE))


@pytest.mark.parametrize(
    ("message", "parties"),
    [
        (reported(POLICE), {"client:police-leeds"}),
        (aware(), {"client:council-leeds"}),
        (acknowledged(UUID(int=1)), {"client:lscp-leeds"}),
        (decided(CASE, reporters=("police-leeds", "council-leeds")), {"client:police-leeds", "client:council-leeds"}),
        (obligation_opened(1, UUID(int=1), date(2026, 11, 9)), {"la:E08000035"}),  # who owes it, not whom it would tell
        (owed(released=True), {"panel"}),
        (released(), {"panel"}),
        (notice_refused(1), {"police:west-yorkshire"}),
        (notice_delivered(1), {"police:west-yorkshire"}),
    ],
    ids=lambda given: getattr(given, "type", ""),
)
def test_who_reports_who_owes_and_who_is_told_are_parties(message: Envelope, parties: set[str]) -> None:
    assert parties_of(message) == parties


@pytest.mark.parametrize(
    "message",
    [
        owed(released=False),
        notice_withdrawn(1),
        question_opened(1, UUID(int=1), date(2026, 11, 9), date(2026, 11, 2)),
        linked(),
    ],
    ids=lambda message: message.type,
)
def test_a_notice_that_waits_for_a_person_has_told_nobody_and_what_names_nobody_makes_none(message: Envelope) -> None:
    assert parties_of(message) == frozenset()
