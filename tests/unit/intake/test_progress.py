"""Pins what counts when several things are said about one notice or obligation, and in an order that is not the usual."""

from __future__ import annotations

from datetime import date

import pytest

from schemas import decisions, deliveries
from schemas.envelope import Envelope
from services.intake.domain.progress import fold
from tests.support.intake_routing import PERIOD, delivered, envelope, ident, notice, opened, owed, superseded

CASE = "a" * 32
RULE, LA = "N-11", "la:E08000035"
NOTICE = ident(RULE + LA)


def accepted() -> deliveries.NoticeAccepted:
    data = deliveries.NoticeAcceptedData(**notice(RULE, LA), acknowledgement=ident("acknowledged"))
    return deliveries.NoticeAccepted(**envelope("accepted", CASE), data=data)


def failed() -> deliveries.NoticeAttempted:
    data = deliveries.NoticeAttemptedData(**notice(RULE, LA), attempt=1, outcome="failed", reason="no answer")
    return deliveries.NoticeAttempted(**envelope("failed", CASE), data=data)


def withdrawn() -> deliveries.NoticeWithdrawn:
    data = deliveries.NoticeWithdrawnData(**notice(RULE, LA), reason="no longer so", was_delivered=True)
    return deliveries.NoticeWithdrawn(**envelope("withdrawn", CASE), data=data)


def redated() -> decisions.ObligationRedated:
    data = decisions.ObligationRedatedData(
        obligation_id=ident(RULE),
        revision=2,
        period=PERIOD,
        due_on=date(2026, 6, 30),
        old_due_on=date(2026, 6, 2),
        provisional=False,
        calendar="england 2026.1",
        reason="a fact was corrected",
    )
    return decisions.ObligationRedated(**envelope("redated", CASE), data=data)


@pytest.mark.parametrize(
    ("messages", "state", "reference"),
    [
        ([owed(RULE, CASE, LA), failed(), delivered(RULE, CASE, LA)], "delivered", "REF-1"),
        ([accepted(), delivered(RULE, CASE, LA)], "accepted", "REF-1"),
        ([accepted(), failed()], "accepted", None),
        ([delivered(RULE, CASE, LA), accepted()], "accepted", "REF-1"),
        ([accepted(), withdrawn()], "withdrawn", None),
        ([withdrawn(), delivered(RULE, CASE, LA)], "withdrawn", "REF-1"),
        ([withdrawn(), accepted()], "withdrawn", None),
        ([delivered(RULE, CASE, LA), superseded(RULE, CASE, LA)], "superseded", "REF-1"),
        ([superseded(RULE, CASE, LA), delivered(RULE, CASE, LA)], "superseded", "REF-1"),
        ([superseded(RULE, CASE, LA), failed()], "superseded", None),
        ([superseded(RULE, CASE, LA), accepted()], "accepted", None),
        ([accepted(), superseded(RULE, CASE, LA)], "accepted", None),
        ([superseded(RULE, CASE, LA), withdrawn()], "withdrawn", None),
    ],
)
def test_what_is_told_late_about_a_notice_does_not_undo_what_counts(
    messages: list[Envelope], state: str, reference: str | None
) -> None:
    found = fold(messages).notices[NOTICE]

    assert (found["state"], found["reference"]) == (state, reference)


def test_which_notice_corrects_another_is_kept_whatever_is_told_of_it_later() -> None:
    found = fold([superseded(RULE, CASE, LA), delivered(RULE, CASE, LA), withdrawn()]).notices[NOTICE]

    assert found["superseded_by"] == ident("correction")


def test_a_duty_that_is_opened_again_has_the_date_that_this_gives_it() -> None:
    again = fold([redated(), opened(RULE, CASE)])
    later = fold([opened(RULE, CASE), redated()])

    assert again.redated == {}
    assert again.opened[ident(RULE)]["due_on"] == date(2026, 6, 2)
    assert later.redated == {ident(RULE): date(2026, 6, 30)}
