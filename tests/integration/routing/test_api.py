"""Pins the HTTP API: decisions as at any time, the eight answers about a recipient, keys, and who may look."""

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


@pytest.mark.parametrize("as_of", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-06-01T00:00:00"])
async def test_what_is_no_instant_in_utc_is_refused(address: DatabaseAddress, as_of: str) -> None:
    answer = await get(address, f"/v1/cases/{CASE}/decisions", as_of=as_of)

    assert answer.status_code == 422
    assert "a date and time with its offset" in answer.json()["errors"][0]["detail"]


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


async def test_a_duty_that_was_met_is_so_as_at_then_also_if_a_link_has_withdrawn_what_was_accepted_since(
    road: Road, address: DatabaseAddress
) -> None:
    await road.route(reported(), aware(), suspects())
    await road.route(*(each(case_key=OTHER_CASE) for each in (reported, aware, suspects)))
    told = await road.rows(
        "SELECT notice_id, recipient FROM routing.delivery WHERE rule = 'N-03' AND case_key = :k", k=OTHER_CASE
    )
    accepting = [(row["notice_id"], POLICE.model_copy(update={"recipient": row["recipient"]})) for row in told]
    await road.route(*(acknowledged(notice, reporter) for notice, reporter in accepting))
    before: datetime = (await road.rows("SELECT clock.legal_now() AS now"))[0]["now"]
    link = linked(OTHER_CASE, to=CASE)
    await road.route(link.model_copy(update={"recorded_at": before + timedelta(seconds=1)}))

    then = await get(address, f"/v1/cases/{OTHER_CASE}/explanation", as_of=before.isoformat())

    [rule] = [each for each in then.json()["rules"] if each["rule"] == "N-03"]
    assert [each["state"] for each in rule["duties"]] == ["met, a named person has accepted it"]


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


async def test_webhook_keys_are_public_and_every_other_route_is_guarded(address: DatabaseAddress) -> None:
    application = app(address)
    async with client(application, None) as http:
        (key,) = (await http.get("/v1/webhook-keys")).json()["keys"]

    assert key["algorithm"] == "ed25519"
    assert key["public_key"].startswith("whpk_")
    assert unguarded(application) == []


async def test_an_explanation_has_for_each_recipient_the_answer_that_is_given_when_it_is_asked_for_alone(
    road: Road, address: DatabaseAddress
) -> None:
    await road.route(reported(), aware(), suspects())

    async with client(app(address), "auditor") as http:  # one for all of the questions
        found = (await http.get(f"/v1/cases/{CASE}/explanation")).json()

        async def alone(recipient: str) -> dict[str, Any]:
            answer: dict[str, Any] = (await http.get(f"/v1/cases/{CASE}/ask", params={"recipient": recipient})).json()
            return answer

        assert {each["recipient"] for each in found["told"]} >= {"panel", LSCP_ID}
        for each in [*found["told"], *found["left_out"]]:
            asked = await alone(each["recipient"])
            assert (each["state"], each["answers"]) == (asked["state"], asked["answers"])
        for body in found["unnamed"]:
            assert (await alone(body["id"]))["state"] == "no_rule"


async def test_an_explanation_says_who_stated_a_fact_and_when_it_was_recorded(
    road: Road, address: DatabaseAddress
) -> None:
    report = reported()
    await road.route(report)

    found = (await get(address, f"/v1/cases/{CASE}/explanation")).json()

    [rule] = [each for each in found["rules"] if each["rule"] == "N-01"]
    [harm] = [each for each in rule["conditions"] if each["says"] == "the harm: death or serious harm"]
    assert (harm["answer"], harm["found"][0]["in_words"]) == ("yes", "serious harm")
    [said] = harm["found"][0]["statements"]
    assert (said["source"], datetime.fromisoformat(said["recorded_at"])) == (
        f"client:{POLICE.client}",
        report.recorded_at,
    )


SUPPOSED = {
    "harm": "death",
    "child.looked_after": "yes",
    "child.looked_after_by": LEEDS,
    "incident.country": "england",
    "reporter.body": "police",
    "reporter.area": LEEDS,
    f"of {LEEDS}": {"aware_on": "2026-06-01", "abuse_or_neglect": "not_suspected"},
}


async def kept(road: Road) -> dict[str, int]:
    """Return how many rows each table of routing has."""
    names = [
        each["tablename"] for each in await road.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'routing'")
    ]
    counted = (f"SELECT '{name}' AS name, count(*) AS rows FROM routing.{name}" for name in names)  # noqa: S608 - our names
    return {each["name"]: each["rows"] for each in await road.rows(" UNION ALL ".join(counted))}


async def preview(address: DatabaseAddress, role: str | None, body: Any) -> httpx.Response:
    async with client(app(address), role) as http:
        return await http.post("/v1/decisions:preview", json=body)


@pytest.mark.parametrize("role", ["partner", "review_officer", "operations", "auditor", "service"])
async def test_a_preview_says_who_would_be_told_by_when_and_why_and_keeps_nothing(
    road: Road, address: DatabaseAddress, role: str
) -> None:
    """Children Act 1989, Schedule 2, paragraph 20(1)(a): 2, 3, 4, 5 and Monday 8 June 2026."""
    await road.route(reported())
    before = await kept(road)

    answer = await preview(address, role, {"facts": SUPPOSED})

    assert answer.status_code == 200, answer.text
    found = answer.json()
    told = {each["recipient"]: each["answers"][0] for each in found["told"]}
    assert {(one["rule"], one["due_on"]) for name, one in told.items() if name in {"dfe", "ofsted"}} == {
        ("N-06", "2026-06-08")
    }
    [panel] = [each for each in found["left_out"] if each["recipient"] == "panel"]
    assert panel["state"] == "cannot_decide"
    assert (found["case_key"], found["as_of"]) == (None, None)
    assert await kept(road) == before
    assert before["obligation"] > 0


async def test_a_preview_can_suppose_the_day_on_which_rules_are_judged(address: DatabaseAddress) -> None:
    then = (await preview(address, "partner", {"facts": SUPPOSED, "judged_on": "2018-06-28"})).json()

    assert {each["state"] for each in then["left_out"] if each["recipient"] == "dfe"} == {"not_in_force"}


@pytest.mark.parametrize(
    ("facts", "detail"),
    [
        ({"harm": "Jo Bloggs"}, "harm: expected one of death, serious_harm, other, unknown"),
        ({"harm": "deth"}, "harm: expected one of death, serious_harm, other, unknown; did you mean death?"),
        ({"child.age_at_incident": "9"}, "child.age_at_incident: expected a whole number from 0 to 150, or unknown"),
        ({"Jo Bloggs": "dead"}, "unknown fact: expected a fact of the vocabulary"),
        (
            {"of Jo Bloggs": {}},
            "expected `of ` with the code of a registered area, and under it the facts of its authority",
        ),
        (
            {"aware_on": "2026-06-01"},
            "aware_on: expected to stand under `of ` and the code of the authority whose fact it is",
        ),
        (
            {f"of {LEEDS}": {"harm": "death"}},
            "harm: expected to stand outside of every authority: it is not one per authority",
        ),
        ({f"of {LEEDS}": {"aware_on": "9999-12-31"}}, "aware_on: expected a date from 1900-01-01 to 2999-12-31"),
        ({f"of {LEEDS}": {"aware_on": "1899-12-31"}}, "aware_on: expected a date from 1900-01-01 to 2999-12-31"),
        ({f"of {LEEDS}": {f"Bloggs {n}": 1 for n in range(10_000)}}, "expected at most 100 facts in all"),
    ],
)
async def test_facts_that_cannot_be_supposed_are_refused_without_repeating_them(
    address: DatabaseAddress, facts: dict[str, Any], detail: str
) -> None:
    answer = await preview(address, "partner", {"facts": facts})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/facts", "detail": detail}]
    assert "Bloggs" not in answer.text


async def test_a_preview_needs_somebody_signed_in_and_some_facts(address: DatabaseAddress) -> None:
    assert (await preview(address, None, {"facts": SUPPOSED})).status_code == 401
    assert (await preview(address, "partner", {"facts": {}})).status_code == 422
    assert (await preview(address, "partner", {"facts": SUPPOSED, "more": 1})).status_code == 422
    assert (await preview(address, "partner", {"facts": SUPPOSED, "judged_on": "9999-12-31"})).status_code == 422
