"""Pins the HTTP API to deliveries: listed page by page, redriven by operations with a reason."""

from __future__ import annotations

import pytest

from handrail.embedded.postgres import DatabaseAddress
from services.routing import reading
from tests.support.road import Recipients, Road
from tests.support.routing import LEEDS, reported
from tests.support.routing_app import app, client

LA, LSCP_ID = f"la:{LEEDS}", f"lscp:{LEEDS}"


async def test_a_refused_delivery_is_listed_and_redriven_with_a_reason(
    road: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    await recipients.behave(LSCP_ID, mode="refuse", times=1)
    await road.route(reported())
    await recipients.send_all()

    async with client(app(address), "operations") as http:
        (refused,) = (await http.get("/v1/deliveries", params={"state": "refused"})).json()["deliveries"]
        path = f"/v1/deliveries/{refused['delivery_id']}/redrive"
        nothing_said = await http.post(path, json={})
        unkept = await http.post(path, json={"reason": "their \0 system"})
        redriven = await http.post(path, json={"reason": "their system is back"})
        await recipients.send_all()
        again = await http.post(path, json={"reason": "once more"})

    assert (refused["recipient"], refused["reason"]) == (LSCP_ID, "answered 403")
    assert [each.status_code for each in (nothing_said, unkept, redriven, again)] == [422, 422, 202, 409]
    assert unkept.json()["errors"] == [{"pointer": "/reason", "detail": "expected text without control characters"}]
    assert [entry["outcome"] for entry in await recipients.journal(LSCP_ID)] == ["refused", "taken"]
    (history,) = await road.rows("SELECT reason, by FROM routing.delivery_history WHERE by IS NOT NULL")
    assert tuple(history.values()) == ("redriven: their system is back", "account-7")


async def test_deliveries_come_page_by_page_each_once_and_those_to_one_recipient_alone(
    road: Road, address: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE", 1)
    await road.route(reported())

    async with client(app(address), "auditor") as http:
        pages = [(await http.get("/v1/deliveries")).json()]
        while (after := pages[-1]["next"]) is not None:
            pages.append((await http.get("/v1/deliveries", params={"after": after})).json())
        to_one = (await http.get("/v1/deliveries", params={"recipient": LSCP_ID})).json()

    shown = [[each["recipient"] for each in page["deliveries"]] for page in pages]
    assert sorted(shown) == [[LA], [LSCP_ID]]
    assert ([each["recipient"] for each in to_one["deliveries"]], to_one["next"]) == ([LSCP_ID], None)


async def test_only_operations_may_redrive(address: DatabaseAddress) -> None:
    async with client(app(address), "auditor") as http:
        answer = await http.post(f"/v1/deliveries/{'0' * 8}-0000-0000-0000-{'0' * 12}/redrive", json={"reason": "x"})

    assert answer.status_code == 403
