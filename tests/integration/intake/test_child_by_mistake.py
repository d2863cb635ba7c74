"""What was reported by mistake is given to nobody once each fact of it was withdrawn."""

from __future__ import annotations

from schemas.case_events import IncidentReported
from services.intake.domain.stated import named
from tests.support.intake import LEEDS, event, incident
from tests.support.intake_app import Intake, grant
from tests.support.intake_content import PANEL, claims, read


async def test_nobody_reads_of_a_child_that_was_reported_by_mistake_once_each_fact_of_it_is_withdrawn(
    running: Intake,
) -> None:
    document = incident()
    document["data"]["children"].append({"ref": "child-2", "home_area": LEEDS, "looked_after": "no"})
    document["data"]["personal"]["children"].append(
        {"ref": "child-2", "name": "Yolanda Notreal", "date_of_birth": "2014-01-01"}
    )
    report = (await running.post(document)).json()
    [published] = [m for m in await running.published() if isinstance(m, IncidentReported)]
    mistaken = published.data.children[1]
    give = PANEL | {"personal.child.reference": "as recipient pseudonym", "child.age_at_incident": "in full"}
    facts = mistaken.model_dump(exclude={"child"}, exclude_none=True)
    assert facts.keys() == {"home_area", "looked_after", "age_at_incident"}

    found = []
    for name in facts:
        found.append(len((await read(running, grant(**claims(report["case_key"], give=give)))).json()["children"]))
        correction = {"corrects": report["event_id"], "fact": f"child.{name}", "child_ref": "child-2", "value": None}
        correction |= {"reason": "wrong_person", "case_reference": "WYP/2026/0001"}
        answer = await running.post(event("fact.corrected.v1", correction, id_=f"evt-{name}"))
        assert answer.status_code == 202, answer.text
    subjects = ("incident", report["event_id"], mistaken.child)
    whole, of_report, of_child = [
        await read(running, grant(**claims(report["case_key"], give=give, subject=each))) for each in subjects
    ]

    assert found == [2, 2, 2]
    for answer in (whole, of_report):
        assert [child["personal.child.name"] for child in answer.json()["children"]] == ["Zebedee Testcase"]
    assert of_child.json()["children"] == []
    assert not any("Notreal" in answer.text for answer in (whole, of_report, of_child))


async def test_nobody_reads_what_a_report_told_that_was_entered_by_mistake_once_each_fact_of_it_is_withdrawn(
    running: Intake,
) -> None:
    right, wrong = incident(), incident(id="evt-of-another-family")
    wrong["data"]["personal"]["summary"] = "Of another family, that is not real"
    report = (await running.post(right)).json()
    mistaken = (await running.post(wrong)).json()
    assert mistaken["case_key"] == report["case_key"]
    published = [m for m in await running.published() if isinstance(m, IncidentReported)][-1]
    stated = [each for each in named(published.type, published.data) if each[2] is not None]
    give = PANEL | {"personal.summary": "in full"}

    async def summary() -> str:
        content = (await read(running, grant(**claims(report["case_key"], give=give)))).json()
        return str(content["incident"]["personal.summary"])

    before = await summary()
    for fact, child, _ in stated:
        if fact in {"reporter.body", "reporter.area", "reported_on"}:
            continue
        correction = {"corrects": mistaken["event_id"], "fact": fact, "value": None, "reason": "entered_by_mistake"}
        correction |= {"case_reference": "WYP/2026/0001"} | ({"child_ref": "child-1"} if child else {})
        answer = await running.post(event("fact.corrected.v1", correction, id_=f"evt-{fact}"))
        assert answer.status_code == 202, answer.text

    assert before == wrong["data"]["personal"]["summary"]
    assert await summary() == right["data"]["personal"]["summary"]
