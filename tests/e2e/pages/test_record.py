"""Recording what happened, from a case's page: through intake like everyone else, and its effect seen on the case."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from handrail.installation.web import Web
from tests.support.eventually import eventually
from tests.support.installation import EVENTS, PlayedDemo, registry
from tests.support.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

COUNCIL = "leeds-city-council"


class Case:
    """A case of Leeds City Council, reported here, in which the Panel's notice waits for a named person."""

    def __init__(self, demo: PlayedDemo) -> None:
        number = uuid4().hex[:12]
        self.reference = f"LCC-{number}"
        self._intake = Web(demo.installation.url("intake"), registry(demo.installation).credentials(COUNCIL).token)
        self._routing = demo.installation.web("routing")
        for name in ("07-second-report.json", "08-second-aware.json", "09-second-suspects.json"):
            event = json.loads((EVENTS / name).read_text())
            event["id"] = f"{number}-{name}"
            event["data"]["case_reference"] = self.reference
            receipt = self._intake.call(
                "POST", "/v1/events", json.dumps(event).encode(), {"Content-Type": "application/cloudevents+json"}
            )
            assert receipt.status == 202, receipt.text
        self.key: str = receipt.body["case_key"]

    def notice(self, rule: str, recipient: str) -> dict[str, Any] | None:
        """Return a notice of this case, once it is owed."""
        answer = self._routing.call("GET", f"/v1/cases/{self.key}/decisions")
        duties = answer.body["obligations"] if answer.status == 200 else []
        found = (notice for duty in duties if duty["rule"] == rule for notice in duty["notices"])
        return next((notice for notice in found if notice["recipient"] == recipient), None)

    def is_in(self, state: str, rule: str, recipient: str) -> bool:
        """Say whether a notice has got so far."""
        notice = self.notice(rule, recipient)
        return notice is not None and notice["state"] == state


async def moment(visitor: Visitor) -> None:
    for label, value in (("Day", "1"), ("Month", "6"), ("Year", "2026"), ("Time", "09:00")):
        await visitor.fill(label, value)


async def test_a_named_person_decides_and_the_panel_is_told(visitor: Visitor, demo: PlayedDemo) -> None:
    case = Case(demo)
    await eventually(lambda: case.is_in("awaiting_release", "N-01", "panel"), "the notice to the Panel is owed")
    await visitor.sign_in("review_officer")
    await visitor.open("routing", f"/case/{case.key}")
    await visitor.choose("Record what happened")
    await visitor.choose("Decision whether to notify")

    await visitor.fill("Case reference", case.reference)
    await visitor.pick("Notify", "Notify")
    await moment(visitor)
    await visitor.fill("Name of the person (optional)", "Director Sample")
    await visitor.choose("Record it")
    recorded = await visitor.text()
    await eventually(lambda: case.is_in("delivered", "N-01", "panel"), "the Panel's system took the notice")
    await visitor.choose("Back to the case")

    panel = next(duty for duty in await visitor.page.locator("article").all_inner_texts() if "N-01" in duty)
    assert "Intake has kept it." in recorded
    assert "reference PANEL-" in panel
    assert "Director Sample" not in await visitor.text()  # who decided is personal; it stays with intake


async def test_an_action_is_agreed_for_an_agency_of_the_register_and_the_agency_is_told(
    visitor: Visitor, demo: PlayedDemo
) -> None:
    case = Case(demo)
    await eventually(lambda: case.is_in("awaiting_release", "N-01", "panel"), "routing knows the case")
    await visitor.sign_in("review_officer")
    await visitor.open("routing", f"/case/{case.key}/record/action.updated.v1")

    await visitor.fill("Case reference", case.reference)
    await visitor.fill("Your number of the action", "A-1")
    await visitor.select("Agency", "West Yorkshire Police")
    for name, day in (("set_on", ("1", "6", "2026")), ("due_on", ("30", "9", "2026"))):
        for part, value in zip(("day", "month", "year"), day, strict=True):
            await visitor.page.locator(f"#{name}-{part}").fill(value)
    await visitor.choose("Record it")
    police = "police:west-yorkshire"
    await eventually(lambda: case.is_in("delivered", "A-03A", police), "the police were told of their action")
    await visitor.choose("Back to the case")

    action = next(duty for duty in await visitor.page.locator("article").all_inner_texts() if "A-03A" in duty)
    assert "West Yorkshire Police" in action
    assert "Wednesday 30 September 2026" in action


async def test_a_named_person_accepts_a_notice(visitor: Visitor, demo: PlayedDemo) -> None:
    case = Case(demo)
    council = "la:E08000035"
    await eventually(lambda: case.is_in("delivered", "N-03", council), "the council's system took the notice")
    notice = case.notice("N-03", council)
    assert notice is not None
    await visitor.sign_in("review_officer")
    await visitor.open("routing", f"/case/{case.key}/record")
    await visitor.choose("Notice accepted by a named person")

    await visitor.fill("Case reference", case.reference)
    await visitor.fill("Notice", notice["notice_id"])
    await moment(visitor)
    await visitor.fill("Name of the person (optional)", "Team Manager Sample")
    await visitor.choose("Record it")
    await eventually(lambda: case.is_in("accepted", "N-03", council), "the acceptance counts")
    await visitor.choose("Back to the case")

    duty = next(duty for duty in await visitor.page.locator("article").all_inner_texts() if "N-03" in duty)
    assert "accepted by a named person" in duty


async def test_what_cannot_be_recorded_is_explained_and_what_was_typed_is_kept(
    visitor: Visitor, demo: PlayedDemo
) -> None:
    key = demo.played.cases[COUNCIL, "LCC-2026-0077"]
    await visitor.sign_in("review_officer")
    await visitor.open("routing", f"/case/{key}/record/notification.decision.v1")

    await visitor.fill("Case reference", "LCC-2026-0077")
    await visitor.pick("Notify", "Defer")
    await visitor.fill("Day", "31")
    await visitor.fill("Month", "2")
    await visitor.fill("Year", "2026")
    await visitor.choose("Record it", status=422)

    summary = await visitor.page.locator(".govuk-error-summary").inner_text()
    assert (await visitor.page.title()).startswith("Error: ")
    assert "When it was decided must be a real date" in summary
    assert await visitor.page.locator("#case_reference").input_value() == "LCC-2026-0077"
    assert await visitor.page.locator("#decided_at-month").input_value() == "2"


async def test_an_empty_form_is_refused_field_by_field_by_intake(visitor: Visitor, demo: PlayedDemo) -> None:
    key = demo.played.cases[COUNCIL, "LCC-2026-0077"]
    await visitor.sign_in("review_officer")
    await visitor.open("routing", f"/case/{key}/record/scsi.notification.submitted.v1")

    await visitor.choose("Record it", status=422)

    links = await visitor.page.locator(".govuk-error-summary a").all()
    targets = [await link.get_attribute("href") for link in links]
    assert len(targets) >= 3
    for target in targets:
        assert target is not None
        assert await visitor.page.locator(target).count() == 1


async def test_a_referral_that_lacks_something_is_refused_and_what_was_ticked_stays_ticked(
    visitor: Visitor, demo: PlayedDemo
) -> None:
    key = demo.played.cases[COUNCIL, "LCC-2026-0077"]
    await visitor.sign_in("review_officer")
    await visitor.open("routing", f"/case/{key}/record/referral.submitted.v1")

    await visitor.tick("Fabricated illness")
    await visitor.select("Kind of agency", "Youth offending team")
    await visitor.choose("Record it", status=422)

    summary = await visitor.page.locator(".govuk-error-summary").inner_text()
    assert "Name of the referrer" in summary
    assert "Proposed route" in summary
    assert await visitor.page.get_by_label("Fabricated illness").is_checked()
    assert not await visitor.page.get_by_label("Faith or honour based").is_checked()
    assert await visitor.page.get_by_label("Kind of agency").input_value() == "youth_offending_team"


async def test_somebody_who_acts_for_no_partner_is_warned(visitor: Visitor, demo: PlayedDemo) -> None:
    key = demo.played.cases[COUNCIL, "LCC-2026-0077"]
    await visitor.sign_in("operations")

    await visitor.open("routing", f"/case/{key}/record")

    assert "Your account does not act for a client" in await visitor.text()


async def test_an_auditor_may_look_and_not_record(visitor: Visitor, demo: PlayedDemo) -> None:
    key = demo.played.cases[COUNCIL, "LCC-2026-0077"]
    await visitor.sign_in("auditor")
    await visitor.open("routing", f"/case/{key}")
    shown = await visitor.text()

    await visitor.open("routing", f"/case/{key}/record", status=403)

    assert "Record what happened" not in shown


@pytest.mark.parametrize("kind", ["incident.reported.v1", "fact.corrected.v1", "cross_partnership.outcome.v1"])
async def test_the_forms_of_other_events_can_be_read_and_filled_in(
    kind: str, visitor: Visitor, demo: PlayedDemo
) -> None:
    key = demo.played.cases[COUNCIL, "LCC-2026-0077"]
    await visitor.sign_in("review_officer")

    await visitor.open("routing", f"/case/{key}/record/{kind}")

    assert await visitor.page.get_by_role("button", name="Record it").is_visible()


async def test_an_event_that_does_not_exist_has_no_form(visitor: Visitor, demo: PlayedDemo) -> None:
    key = demo.played.cases[COUNCIL, "LCC-2026-0077"]
    await visitor.sign_in("review_officer")

    await visitor.open("routing", f"/case/{key}/record/weather.changed.v1", status=404)

    assert await visitor.heading() == "Page not found"
