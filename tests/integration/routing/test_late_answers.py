"""Pins what is shown of a notice whose answer comes once it was held, withdrawn, superseded or accepted: why it is so, as before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from handrail.embedded.postgres import DatabaseAddress
from tests.support.road import Recipients, Road
from tests.support.routing import CASE, aware, corrected, decided, reported, suspects
from tests.support.routing_app import app, client

BECAME, SUSPICION = aware(), suspects()
HELD = "the decision to notify was undone"
REPLACED = "the due date has changed: a notice that corrects it takes its place"


def deferred() -> Any:
    return decided("defer", at=datetime(2026, 6, 2, tzinfo=UTC))


def redated() -> Any:
    return corrected(BECAME.id, "aware_on", "2026-06-03")


def undone() -> Any:
    return corrected(SUSPICION.id, "abuse_or_neglect", "not_suspected")


@pytest.mark.parametrize("mode", ["normal", "fail"])
@pytest.mark.parametrize(
    ("meanwhile", "state", "reason"),
    [
        (redated, "superseded", REPLACED),
        (undone, "withdrawn", "the authority's own view on abuse or neglect (Leeds City Council): not suspected"),
    ],
)
async def test_why_a_notice_is_not_sent_any_more_is_shown_also_once_the_answer_to_its_last_try_is_there(
    road: Road,
    recipients: Recipients,
    address: DatabaseAddress,
    mode: str,
    meanwhile: Callable[[], Any],
    state: str,
    reason: str,
) -> None:
    await recipients.behave("panel", mode=mode)
    await road.route(reported(), BECAME, SUSPICION, decided("notify"))
    await recipients.dispatcher.claim_step()
    await road.route(meanwhile())
    before = await panel(address)
    await recipients.settle()
    after = await panel(address)

    assert (before["state"], before["reason"]) == (state, reason)
    assert (after["state"], after["reason"], after["at"]) == (state, reason, before["at"])
    assert (after["attempts"], bool(after["reference"])) == (1, mode == "normal")
    [row] = await road.rows("SELECT reason FROM routing.delivery WHERE delivery_id = :n", n=after["notice_id"])
    assert row["reason"] == reason


async def test_a_notice_that_must_wait_again_says_so_also_once_its_last_try_has_failed(
    road: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    await recipients.behave("panel", mode="fail")
    await road.route(reported(), BECAME, SUSPICION, decided("notify"))
    await recipients.dispatcher.claim_step()
    await road.route(deferred())
    await recipients.settle()

    held = await panel(address)

    assert (held["state"], held["reason"], held["attempts"]) == ("awaiting_release", HELD, 1)


async def panel(address: DatabaseAddress) -> dict[str, Any]:
    """Return the first notice to the Panel, as it is shown."""
    async with client(app(address), "auditor") as http:
        case = (await http.get(f"/v1/cases/{CASE}/decisions")).json()
    notices = [notice for duty in case["obligations"] if duty["rule"] == "N-01" for notice in duty["notices"]]
    found: dict[str, Any] = notices[0]
    return found
