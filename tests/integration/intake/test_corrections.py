"""Who may correct what an event said: who said it, and whoever stands in the place of that body."""

from __future__ import annotations

from sqlalchemy import text

from schemas.case_events import CaseLinked, FactCorrected, IncidentReported
from services.intake.domain import progress
from services.intake.store import progress as progress_store
from tests.support.intake import LEEDS, event, incident
from tests.support.intake_app import Intake, grant, register
from tests.support.intake_content import claims, read
from tests.support.intake_routing import owed


async def register_a_body_and_its_successor(running: Intake) -> None:
    """Register a group, which has ended, and the board that stands in its place."""
    for name, recipient in (("group-leeds", "ccg:leeds"), ("board-leeds", "icb:west-yorkshire")):
        client = {"name": name, "body": "health", "area": LEEDS, "recipient": recipient}
        running.tokens[name] = await register(running, client)


async def test_only_own_events_can_be_corrected(running: Intake) -> None:
    report = await running.post(incident())
    data = {"corrects": report.json()["event_id"], "fact": "harm", "value": "other", "reason": "wrong_value"}
    data |= {"case_reference": "WYP/2026/0001"}

    own = await running.post(event("fact.corrected.v1", data))
    foreign = await running.post(event("fact.corrected.v1", data), by="council-example")

    assert own.status_code == 202
    assert foreign.status_code == 422
    assert [error["pointer"] for error in foreign.json()["errors"]] == ["/data/corrects"]


async def test_who_said_it_corrects_it_in_its_case_or_in_one_that_is_linked(running: Intake) -> None:
    report = (await running.post(incident())).json()
    data = {"corrects": report["event_id"], "fact": "harm", "value": "other", "reason": "wrong_value"}
    linked = {**data, "linked_case": {"case_key": report["case_key"]}}

    mistyped = await running.post(event("fact.corrected.v1", data))
    cases = await running.column("SELECT case_key FROM case_ref")
    together = await running.post(event("fact.corrected.v1", linked))

    assert (mistyped.status_code, together.status_code) == (422, 202)
    [error] = mistyped.json()["errors"]
    assert error["pointer"] == "/data/corrects"
    assert "case_reference" in error["hint"]
    assert cases == [report["case_key"]]


async def test_who_said_it_corrects_what_it_said_of_a_child_of_its_case_alone(running: Intake) -> None:
    report = (await running.post(incident())).json()
    data = {"corrects": report["event_id"], "fact": "child.looked_after", "value": "yes", "reason": "wrong_value"}
    data |= {"case_reference": "WYP/2026/0001", "child_ref": "chidl-1"}

    mistyped = await running.post(event("fact.corrected.v1", data))
    children = await running.column("SELECT child_key FROM child_ref")
    right = await running.post(event("fact.corrected.v1", {**data, "child_ref": "child-1"}))

    assert (mistyped.status_code, right.status_code) == (422, 202)
    assert [error["pointer"] for error in mistyped.json()["errors"]] == ["/data/child_ref"]
    assert len(children) == 1


async def test_what_an_event_did_not_state_or_said_is_unknown_is_no_correction_and_says_what_it_stated(
    running: Intake,
) -> None:
    report = (await running.post(incident())).json()
    data = {"corrects": report["event_id"], "reason": "new_information", "case_reference": "WYP/2026/0001"}
    of_a_child = {
        **data,
        "fact": "child.care_leaver",
        "value": "no",
        "child_ref": "child-1",
    }  # which it said is unknown
    of_the_incident = {**data, "fact": "incident.unexpected_death", "value": "yes"}

    child = await running.post(event("fact.corrected.v1", of_a_child))
    death = await running.post(event("fact.corrected.v1", of_the_incident))
    withdrawn = await running.post(event("fact.corrected.v1", {**of_the_incident, "value": None}))

    assert (child.status_code, death.status_code, withdrawn.status_code) == (422, 422, 422)
    [error] = child.json()["errors"]
    assert error["pointer"] == "/data/fact"
    assert error["expected"] == (
        "one that it stated: child.age_at_death, child.age_at_incident, child.died, child.home_area, child.looked_after"
    )
    assert "event of its own" in error["hint"]
    [error] = death.json()["errors"]
    assert error["expected"] == (
        "one that it stated: concern.adult_at_risk, concern.child_review, concern.domestic_death, harm, incident.area, "
        "incident.country, reported_on"
    )


async def test_no_correction_withdraws_a_notification_or_gives_a_withdrawal_to_another_authority(
    running: Intake,
) -> None:
    """The Panel is told of a withdrawal by the duty about it: without one, the review would end and nobody hear of it."""
    case = {"case_reference": "WYP/2026/0001"}
    submitted = {"external_ref": "CSI-1", "submitted_at": "2026-06-02T09:00:00Z", "children_count": 1}
    withdrew = {"reason": "duplicate", "withdrawn_on": "2026-06-03"}
    told = {}
    for type_, data in (("scsi.notification.submitted.v1", submitted), ("scsi.notification.withdrawn.v1", withdrew)):
        answer = await running.post(event(type_, case | data, id_=type_), by="council-example")
        assert answer.status_code == 202, answer.text
        told[type_] = answer.json()["event_id"]
    notified, withdrawn = told.values()

    answers = [
        await running.post(
            event("fact.corrected.v1", case | {"corrects": of, "fact": fact, "value": value, "reason": "wrong_value"}),
            by="council-example",
        )
        for of, fact, value in (
            (notified, "notification.withdrawn", "criteria_not_met"),
            (notified, "notification.withdrawn_on", "2026-06-03"),
            (withdrawn, "withdrawal.by", "E06000006"),
            (withdrawn, "withdrawal.by", None),
            (withdrawn, "notification.withdrawn", "wrong_authority"),
        )
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 202]
    assert [answer.json()["errors"][0]["pointer"] for answer in answers[:4]] == ["/data/fact"] * 4
    assert answers[0].json()["errors"][0]["expected"] == (
        "one that it stated: notification.submitted_by, notification.submitted_on"
    )


async def test_a_correction_is_corrected_in_what_it_corrected_and_in_nothing_else(running: Intake) -> None:
    report = (await running.post(incident())).json()
    data = {"fact": "harm", "value": "other", "reason": "wrong_value", "case_reference": "WYP/2026/0001"}
    first = (await running.post(event("fact.corrected.v1", {**data, "corrects": report["event_id"]}))).json()
    again = {**data, "corrects": first["event_id"]}

    other = await running.post(
        event("fact.corrected.v1", {**again, "fact": "incident.area", "value": LEEDS}, id_="evt-3")
    )
    same = await running.post(event("fact.corrected.v1", {**again, "value": "death"}, id_="evt-3"))

    assert (other.status_code, same.status_code) == (422, 202)
    assert other.json()["errors"][0]["expected"] == "one that it stated: harm"


async def test_what_only_followed_from_a_correction_is_not_corrected_through_it(running: Intake) -> None:
    """A view that was no suspicion takes its first day with it; whoever says another day says that it was one after all."""
    case = {"case_reference": "WYP/2026/0001"}
    view = {"view": "suspected", "from_on": "2026-06-01"}
    told = await running.post(event("abuse_suspicion.changed.v1", case | view), by="council-example")
    assert told.status_code == 202, told.text
    none = {
        "fact": "abuse_or_neglect",
        "value": "not_suspected",
        "reason": "wrong_value",
        "corrects": told.json()["event_id"],
    }
    first = await running.post(event("fact.corrected.v1", case | none, id_="evt-3"), by="council-example")
    since = {**none, "fact": "suspected_on", "value": "2026-06-02", "corrects": first.json()["event_id"]}

    answer = await running.post(event("fact.corrected.v1", case | since, id_="evt-4"), by="council-example")

    assert (first.status_code, answer.status_code) == (202, 422)
    [error] = answer.json()["errors"]
    assert error["expected"] == "one that it stated: abuse_or_neglect"
    assert error["hint"] == (
        "correct the event that stated it, and not the correction; what none stated is reported in an event of its own"
    )


async def test_a_correction_is_kept_with_what_the_act_that_it_corrects_is_about(running: Intake) -> None:
    case = {"case_reference": "WYP/2026/0001"}
    delay = {"cause": "inquest", "known_on": "2026-06-01"}
    told = await running.post(event("review.delayed.v1", case | delay), by="lscp-example")
    assert told.status_code == 202, told.text
    other = {"fact": "delay.known_on", "value": "2026-06-02", "reason": "wrong_value"}
    for id_ in ("evt-3", "evt-4"):
        other["corrects"] = told.json()["event_id"]
        told = await running.post(event("fact.corrected.v1", case | other, id_=id_), by="lscp-example")
        assert told.status_code == 202, told.text

    kept = await running.column("SELECT about FROM submission")

    assert (len(kept), len(set(kept)), None in kept) == (3, 1, False)


async def test_an_event_that_cannot_be_read_any_more_may_have_stated_what_is_corrected(running: Intake) -> None:
    report = (await running.post(incident())).json()
    data = {
        "corrects": report["event_id"],
        "fact": "incident.unexpected_death",
        "value": "yes",
        "reason": "wrong_value",
    }
    async with running.database.begin() as tx:
        await tx.connection.execute(text("UPDATE submission SET sealed = '\\x00'"))

    answer = await running.post(event("fact.corrected.v1", {**data, "case_reference": "WYP/2026/0001"}))

    assert answer.status_code == 202


async def test_an_event_that_was_damaged_differs_from_what_is_sent_under_its_id(running: Intake) -> None:
    await running.post(incident())
    async with running.database.begin() as tx:
        await tx.connection.execute(text("UPDATE submission SET sealed = '\\x00'"))

    same, other = await running.post(incident()), await running.post(incident(data__harm="other"))

    assert (same.status_code, other.status_code) == (200, 409)


async def test_the_successor_of_who_said_it_corrects_an_event_once_its_case_is_linked(running: Intake) -> None:
    await register_a_body_and_its_successor(running)
    report = (await running.post(incident(), by="group-leeds")).json()
    data = {"corrects": report["event_id"], "fact": "harm", "value": "other", "reason": "wrong_value"}
    linked = {**data, "linked_case": {"case_key": report["case_key"]}}

    alone = await running.post(event("fact.corrected.v1", data), by="board-leeds")
    together = await running.post(event("fact.corrected.v1", linked), by="board-leeds")
    later = await running.post(event("fact.corrected.v1", data, id_="evt-3"), by="board-leeds")
    foreign = await running.post(event("fact.corrected.v1", linked), by="police-example")

    assert [one.status_code for one in (alone, together, later, foreign)] == [422, 202, 202, 422]
    assert alone.json()["errors"][0]["detail"] == "your case is not linked with the one that this event is about"


async def test_a_successor_that_was_told_may_name_the_case_of_what_it_corrects_by_its_reference(
    running: Intake,
) -> None:
    await register_a_body_and_its_successor(running)
    report = (await running.post(incident(), by="group-leeds")).json()
    data = {"corrects": report["event_id"], "fact": "harm", "value": "other", "reason": "wrong_value"}
    data |= {"linked_case": {"client": "group-leeds", "case_reference": "WYP/2026/0001"}}

    untold = await running.post(event("fact.corrected.v1", data), by="board-leeds")
    async with running.database.begin() as tx:
        said = progress.fold([owed("N-03", report["case_key"], "icb:west-yorkshire")])
        await progress_store.apply(tx.connection, said)
    told = await running.post(event("fact.corrected.v1", data), by="board-leeds")

    assert (untold.status_code, told.status_code) == (422, 202)
    assert any(isinstance(one, CaseLinked) for one in await running.published())


async def test_a_successors_correction_is_about_the_child_of_the_event_that_it_corrects(running: Intake) -> None:
    await register_a_body_and_its_successor(running)
    report = (await running.post(incident(), by="group-leeds")).json()
    await running.post(incident(data__case_reference="LCC-1"), by="board-leeds")  # whose `child-1` is another child
    data = {"corrects": report["event_id"], "fact": "child.looked_after", "value": "yes", "reason": "wrong_value"}
    data |= {"linked_case": {"case_key": report["case_key"]}}

    known = await running.post(event("fact.corrected.v1", {**data, "child_ref": "child-1"}), by="board-leeds")
    unknown = event("fact.corrected.v1", {**data, "child_ref": "child-9"}, id_="evt-3")
    refused = await running.post(unknown, by="board-leeds")

    said = await running.published()
    first, second = [one.data.children[0].child for one in said if isinstance(one, IncidentReported)]
    corrected = [one.data.child for one in said if isinstance(one, FactCorrected)]
    assert (known.status_code, refused.status_code) == (202, 422)
    assert corrected == [first]
    assert first != second
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/data/child_ref"]
    both = claims("", case_keys=[report["case_key"], known.json()["case_key"]], give={"child.looked_after": "in full"})
    content = await read(running, grant(**both))
    assert sorted(child["child.looked_after"] for child in content.json()["children"]) == ["no", "yes"]


async def test_what_is_put_right_in_a_case_that_was_linked_after_the_notice_is_read_as_it_is_now(
    running: Intake,
) -> None:
    report = (await running.post(incident())).json()
    token = grant(**claims(report["case_key"]))
    other = incident(id="evt-other", data__case_reference="LCC-1", data__harm="serious_harm")
    other["data"]["personal"]["summary"] = "Yolanda Notreal was found elsewhere."
    await running.post(other)
    data = {"corrects": report["event_id"], "fact": "harm", "value": "other", "reason": "wrong_value"}
    together = await running.post(
        event("fact.corrected.v1", {**data, "linked_case": {"case_key": report["case_key"]}}, id_="evt-put-right")
    )
    again = {**data, "corrects": together.json()["event_id"], "value": "death"}

    before = (await read(running, token)).json()
    await running.post(event("fact.corrected.v1", again, id_="evt-put-right-again"))
    after = (await read(running, token)).json()

    assert [one["incident"]["harm"] for one in (before, after)] == ["other", "death"]
    assert after["incident"]["personal.summary"] == "Zebedee Testcase was found at Nowhere Cottage."
    assert [child["personal.child.name"] for child in after["children"]] == ["Zebedee Testcase"]
    assert await running.column("SELECT case_keys FROM access_log") == [[report["case_key"]]] * 2


async def test_a_child_that_is_taken_back_in_a_case_that_was_linked_after_the_notice_is_read_no_longer(
    running: Intake,
) -> None:
    document = incident(data__harm="serious_harm")
    document["data"]["children"].append({"ref": "child-2", "home_area": LEEDS})
    document["data"]["personal"]["children"].append({"ref": "child-2", "name": "Yolanda Notreal"})
    report = (await running.post(document)).json()
    data = {"corrects": report["event_id"], "fact": "child.home_area", "child_ref": "child-2", "value": None}
    data |= {"reason": "wrong_person", "linked_case": {"case_key": report["case_key"]}}

    answer = await running.post(event("fact.corrected.v1", data))
    body = (await read(running, grant(**claims(report["case_key"])))).json()

    assert answer.status_code == 202, answer.text
    assert [child["personal.child.name"] for child in body["children"]] == ["Zebedee Testcase"]
