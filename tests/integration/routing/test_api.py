"""Pins the HTTP API: decisions as at any time, the eight answers about a recipient, redrive, keys, and who may look."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest

from handrail.embedded.postgres import DatabaseAddress
from services.kit.auth import unguarded
from tests.support.road import Recipients, Road, move_clock
from tests.support.routing import (
    CASE,
    LEEDS,
    LSCP,
    MONDAY,
    OTHER_CASE,
    POLICE,
    acknowledged,
    aware,
    corrected,
    decided,
    linked,
    reported,
    suspects,
)
from tests.support.routing_app import app, client

LSCP_ID = f"lscp:{LEEDS}"


async def get(address: DatabaseAddress, path: str, role: str | None = "auditor", **query: str) -> httpx.Response:
    async with client(app(address), role) as http:
        return await http.get(path, params=query)


async def ask(address: DatabaseAddress, recipient: str, **query: str) -> dict[str, Any]:
    response = await get(address, f"/v1/cases/{CASE}/ask", recipient=recipient, **query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_a_case_shows_what_is_owed_with_its_citation_notices_and_questions(
    road: Road, address: DatabaseAddress
) -> None:
    await road.route(reported(), aware(), suspects())
    await road.route(linked(OTHER_CASE, to=CASE))

    shown = (await get(address, f"/v1/cases/{CASE}/decisions")).json()

    panel = next(each for each in shown["obligations"] if each["rule"] == "N-01")
    assert shown["linked"] == [OTHER_CASE]
    assert shown["revision"] == 2
    assert panel["citation"]["cite"] == "Children Act 2004, section 16C(1)(a)"
    assert (panel["state"], panel["due_on"], panel["released"]) == ("open", "2026-06-08", False)
    assert [(n["recipient"], n["state"], n["attempts"]) for n in panel["notices"]] == [("panel", "awaiting_release", 0)]
    assert [(q["fact"], q["of_whom"]) for q in shown["questions"]] == [("notification.decision", f"la:{LEEDS}")]
    assert {trace["rule"] for trace in shown["traces"]} >= {"N-01", "N-08"}


async def test_an_unknown_case_is_not_found_and_so_is_one_asked_about_before_it_was_known(
    road: Road, address: DatabaseAddress
) -> None:
    await road.route(reported())

    unknown = await get(address, f"/v1/cases/{OTHER_CASE}/decisions")
    before = await get(address, f"/v1/cases/{CASE}/decisions", as_of="2020-01-01T00:00:00Z")

    assert (unknown.status_code, before.status_code) == (404, 404)
    assert unknown.headers["content-type"] == "application/problem+json"


async def test_the_answer_about_a_recipient_goes_through_its_states_and_each_can_be_asked_for_later(
    road: Road, recipients: Recipients, address: DatabaseAddress
) -> None:
    await recipients.behave("panel", mode="fail", times=1)
    moments = []

    async def now() -> datetime:
        await move_clock(address, timedelta(minutes=1))
        found: datetime = (await road.rows("SELECT clock.legal_now() AS now"))[0]["now"]
        return found

    await road.route(reported(recorded_at=await now()))
    moments.append(await now())  # nobody knows what Leeds thinks
    at = await now()
    await road.route(aware(recorded_at=at), suspects(recorded_at=at))
    moments.append(await now())  # owed, nobody has decided
    await road.route(decided("notify", recorded_at=await now()))
    await recipients.send_all()
    moments.append(await now())  # tried once
    await recipients.send_all()
    moments.append(await now())  # delivered

    states = [(await ask(address, "panel", as_of=moment.isoformat()))["state"] for moment in moments]
    tried = await ask(address, "panel", as_of=moments[2].isoformat())
    assert states == ["cannot_decide", "awaiting_release", "owed", "delivered"]
    assert tried["answers"][0]["notice"]["attempts"] == 1
    assert (await ask(address, "panel"))["answers"][0]["notice"]["reference"].startswith("PANEL-")


async def test_cannot_decide_says_which_question_was_put_to_whom_and_since_when(
    road: Road, address: DatabaseAddress
) -> None:
    await road.route(reported())

    answers = (await ask(address, "panel"))["answers"]

    asked = {(each["fact"], each["of_whom"]) for answer in answers for each in answer["questions"]}
    assert (f"abuse_or_neglect of {LEEDS}", f"la:{LEEDS}") in asked
    assert all(each["since"] for answer in answers for each in answer["questions"])


async def test_a_false_condition_names_the_fact_its_source_and_when_it_was_recorded(
    road: Road, address: DatabaseAddress
) -> None:
    report = reported()
    await road.route(report)

    answer = (await ask(address, "dfe"))["answers"][0]

    assert answer["state"] == "condition_false"
    assert [(s["fact"], s["value"], s["source"]) for s in answer["statements"]] == [
        ("harm", "serious_harm", f"client:{POLICE.client}")
    ]
    assert answer["statements"][0]["recorded_at"].startswith(f"{MONDAY:%Y-%m-%d}")


async def test_a_withdrawn_notice_says_why(road: Road, address: DatabaseAddress) -> None:
    await road.route(reported(), aware(), suspects())
    await road.route(decided("not_notify"))

    found = await ask(address, "panel")

    assert (found["state"], found["answers"][0]["says"]) == ("withdrawn", "decision not to notify")


async def test_a_rule_not_in_force_then_and_a_body_that_no_rule_names_are_told_apart(
    road: Road, address: DatabaseAddress
) -> None:
    """X-02 is in force from 1 April 2024 and judged on the day of the report."""
    await road.route(reported(on=date(2024, 3, 31), concerns=(None, "yes", "no")))

    board, elsewhere = await ask(address, "sab:leeds"), await ask(address, "csp:halton")

    assert board["state"] == "not_in_force"
    assert elsewhere["state"] == "no_rule"


async def test_a_recipient_that_is_not_registered_is_not_found(road: Road, address: DatabaseAddress) -> None:
    await road.route(reported())

    assert (await get(address, f"/v1/cases/{CASE}/ask", recipient="lscp:E99999999")).status_code == 404


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
        redriven = await http.post(path, json={"reason": "their system is back"})
        await recipients.send_all()
        again = await http.post(path, json={"reason": "once more"})

    assert (refused["recipient"], refused["reason"]) == (LSCP_ID, "answered 403")
    assert [each.status_code for each in (nothing_said, redriven, again)] == [422, 202, 409]
    assert [entry["outcome"] for entry in await recipients.journal(LSCP_ID)] == ["refused", "taken"]
    (history,) = await road.rows("SELECT reason, by FROM routing.delivery_history WHERE by IS NOT NULL")
    assert tuple(history.values()) == ("redriven: their system is back", "account-7")


async def test_acceptance_shows_and_so_does_a_correction(road: Road, address: DatabaseAddress) -> None:
    report = reported()
    await road.route(report)
    (notice,) = await road.rows("SELECT notice_id FROM routing.delivery WHERE recipient = :r", r=LSCP_ID)
    await road.route(acknowledged(notice["notice_id"], LSCP))
    accepted = await ask(address, LSCP_ID)
    await road.route(corrected(report.id, "harm", "other", POLICE))
    afterwards = (await get(address, f"/v1/cases/{CASE}/decisions")).json()

    assert accepted["answers"][0]["says"].startswith("a named person accepted it")
    states = {(each["recipients"][0], each["state"], each["reason"]) for each in afterwards["obligations"]}
    assert states == {
        (LSCP_ID, "met", "a named person has accepted it"),
        (f"la:{LEEDS}", "withdrawn", "the harm: other"),
    }


@pytest.mark.parametrize(
    "path", ["/v1/cases", f"/v1/cases/{CASE}/decisions", f"/v1/cases/{CASE}/ask", "/v1/deliveries"]
)
async def test_nothing_is_shown_without_signing_in_or_to_a_partner(address: DatabaseAddress, path: str) -> None:
    assert [(await get(address, path, role)).status_code for role in (None, "partner")] == [401, 403]


async def test_only_operations_may_redrive(address: DatabaseAddress) -> None:
    async with client(app(address), "auditor") as http:
        answer = await http.post(f"/v1/deliveries/{'0' * 8}-0000-0000-0000-{'0' * 12}/redrive", json={"reason": "x"})

    assert answer.status_code == 403


async def test_webhook_keys_are_public_and_every_other_route_is_guarded(address: DatabaseAddress) -> None:
    application = app(address)
    async with client(application, None) as http:
        (key,) = (await http.get("/v1/webhook-keys")).json()["keys"]

    assert key["algorithm"] == "ed25519"
    assert key["public_key"].startswith("whpk_")
    assert unguarded(application) == []
