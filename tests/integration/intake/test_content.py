"""Content under a grant: exactly the fields that the profile gives, and a line in the log for every read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import text
from structlog.testing import capture_logs

from handrail.client import encrypt_personal
from schemas import deliveries
from schemas.case_events import ActRecorded, IncidentReported
from services.intake.domain import progress
from services.intake.store import progress as store
from tests.support.intake import LEEDS, event, incident
from tests.support.intake_app import Intake, grant, intake, submission_key
from tests.support.intake_content import NOTICE, PANEL, claims, read
from tests.support.intake_routing import delivered, envelope, ident, notice, superseded


async def reads(running: Intake) -> list[Any]:
    async with running.database.connect() as connection:
        found = await connection.execute(text("SELECT recipient, profile, purpose, fields FROM access_log ORDER BY id"))
        return [tuple(row) for row in found]


async def test_a_grant_gives_exactly_its_fields_and_the_read_is_logged(running: Intake) -> None:
    case = (await running.post(incident())).json()["case_key"]

    answer = await read(running, grant(**claims(case)))

    assert answer.status_code == 200
    body = answer.json()
    assert body["incident"] == {
        "harm": "death",
        "incident.area": LEEDS,
        "personal.incident_date": "2026-05-31",
        "personal.summary": "Zebedee Testcase was found at Nowhere Cottage.",
    }
    assert body["children"] == [
        {"personal.child.name": "Zebedee Testcase", "personal.child.date_of_birth": "2016-06-01"}
    ]
    assert body["withheld"] == {}
    purpose = "statutory notification to the Panel"
    assert await reads(running) == [("panel", "panel-notification", purpose, sorted(PANEL))]


async def test_of_an_event_that_was_damaged_what_the_vault_has_of_it_is_still_given(running: Intake) -> None:
    case = (await running.post(incident())).json()["case_key"]
    async with running.database.begin() as tx:
        await tx.connection.execute(text("UPDATE submission SET sealed = '\\x00'"))

    with capture_logs() as logged:
        answer = await read(running, grant(**claims(case)))

    assert answer.status_code == 200
    assert answer.json()["incident"]["personal.summary"] == "Zebedee Testcase was found at Nowhere Cottage."
    assert [one["case_key"] for one in logged if one["event"] == "intake.item_not_opened"] == [case]


async def test_each_cut_of_the_profiles(running: Intake) -> None:
    case = (await running.post(incident())).json()["case_key"]
    named = "in full under a grant to a named participant"
    give = {
        "child.age_at_incident": "as age band",
        "personal.child.reference": "as recipient pseudonym",
        "personal.incident_date": "as month",
        "personal.child.name": named,
        "personal.summary": "in invisible ink",
    }

    adults = (await read(running, grant(**claims(case, give=give, sub="sab:leeds")))).json()
    again = (await read(running, grant(**claims(case, give=give, sub="sab:leeds")))).json()
    safety = (await read(running, grant(**claims(case, give=give, sub="csp:leeds", participant="P. Sample")))).json()

    assert adults["incident"] == {"personal.incident_date": "2026-05"}
    [child] = adults["children"]
    assert child["child.age_at_incident"] == "5-9"
    assert set(adults["withheld"]) == {"personal.child.name", "personal.summary"}
    pseudonyms = [one["children"][0]["personal.child.reference"] for one in (adults, again, safety)]
    assert pseudonyms[0] == pseudonyms[1] != pseudonyms[2]
    assert safety["children"][0]["personal.child.name"] == "Zebedee Testcase"
    first, *_ = await reads(running)
    assert first[-1] == ["child.age_at_incident", "personal.child.reference", "personal.incident_date"]


async def test_a_notice_about_one_child_never_shows_another(running: Intake) -> None:
    document = incident()
    document["data"]["children"].append({"ref": "child-2"})
    document["data"]["personal"]["children"].append({"ref": "child-2", "name": "Yolanda Notreal"})
    case = (await running.post(document)).json()["case_key"]
    [report] = [m for m in await running.published() if isinstance(m, IncidentReported)]
    subject = report.data.children[1].child

    about_one = await read(running, grant(**claims(case, subject=subject)))
    about_report = await read(running, grant(**claims(case, subject=str(report.id))))

    assert [child["personal.child.name"] for child in about_one.json()["children"]] == ["Yolanda Notreal"]
    assert len(about_report.json()["children"]) == 2


async def test_whom_an_action_is_for_reads_what_is_to_be_done_and_nothing_of_another_action(running: Intake) -> None:
    case = (await running.post(incident(), by="council-example")).json()["case_key"]
    reference = {"case_reference": "WYP/2026/0001"}
    for number, body in enumerate(("police:west-yorkshire", "icb:example")):
        said: dict[str, Any] = {"action": f"A-{number}", "owner": body, "set_on": "2026-06-01", "due_on": "2026-06-30"}
        said |= reference | {"personal": {"what": f"Invented task {number}.", "by": "Sample Onlyatest"}}
        answer = await running.post(event("action.updated.v1", said, id_=f"action-{number}"), by="council-example")
        assert answer.status_code == 202, answer.text
    about = [m.data.about for m in await running.published() if isinstance(m, ActRecorded)]
    give = {"personal.what": "in full"}

    first = await read(running, grant(**claims(case, subject=about[0], give=give)))
    whole = await read(
        running, grant(**claims(case, give=give | {"personal.child.reference": "as recipient pseudonym"}))
    )

    assert (first.json()["incident"], first.json()["children"]) == ({"personal.what": "Invented task 0."}, [])
    assert whole.json()["incident"] == {}
    assert [list(child) for child in whole.json()["children"]] == [["personal.child.reference"]]  # the one child's


async def test_a_host_authority_reads_of_its_own_placement_alone_and_as_it_was_corrected(running: Intake) -> None:
    reference = {"case_reference": "LCC-PLACED"}
    receipts = []
    for number, host in enumerate(("E09000029", "E06000006")):
        said: dict[str, Any] = {"placement": f"PL-{number}", "placing_area": LEEDS, "host_area": host}
        said |= reference | {"made_on": f"2026-06-0{number + 1}"}
        said |= {
            "personal": {"by": "Sample Onlyatest", "child_details": f"Testchild {number}", "care_plan": "Invented."}
        }
        answer = await running.post(event("placement.made.v1", said, id_=f"placed-{number}"), by="council-example")
        assert answer.status_code == 202, answer.text
        receipts.append(answer.json())
    corrected = {"corrects": receipts[1]["event_id"], "fact": "placement.made_on", "value": "2026-06-03"}
    corrected |= reference | {"reason": "wrong_value"}
    answer = await running.post(event("fact.corrected.v1", corrected), by="council-example")
    assert answer.status_code == 202, answer.text
    about = [m.data.about for m in await running.published() if isinstance(m, ActRecorded)]
    give = dict.fromkeys(("placement.made_on", "placement.in_area", "personal.child_details"), "in full")
    case = receipts[0]["case_key"]

    first, second, whole = [
        (await read(running, grant(**claims(case, subject=subject, give=give)))).json()["incident"]
        for subject in (*about, "incident")
    ]

    assert first == {
        "placement.made_on": "2026-06-01",
        "placement.in_area": "E09000029",
        "personal.child_details": "Testchild 0",
    }
    assert second == {
        "placement.made_on": "2026-06-03",
        "placement.in_area": "E06000006",
        "personal.child_details": "Testchild 1",
    }
    assert whole == {}


async def test_each_delay_is_one_of_its_own_and_the_same_again_is_not(running: Intake) -> None:
    await running.post(incident(), by="council-example")
    said = {"case_reference": "WYP/2026/0001", "cause": "inquest", "known_on": "2026-06-02"}

    answers = [
        await running.post(event("review.delayed.v1", said, id_=id_), by="council-example")
        for id_ in ("first", "second", "first")
    ]

    assert [answer.status_code for answer in answers] == [202, 202, 200]
    first, second = [m.data.about for m in await running.published() if isinstance(m, ActRecorded)]
    assert None not in {first, second}
    assert first != second


async def test_more_is_told_of_one_delay_under_its_number(running: Intake) -> None:
    await running.post(incident(), by="council-example")
    said = {"case_reference": "WYP/2026/0001", "cause": "inquest", "known_on": "2026-06-02", "delay": "D-1"}

    for id_, more in (("first", {}), ("told", {"panel_told_on": "2026-06-03"}), ("another", {"delay": "D-2"})):
        answer = await running.post(event("review.delayed.v1", said | more, id_=id_), by="council-example")
        assert answer.status_code == 202, answer.text

    first, told, another = [m.data.about for m in await running.published() if isinstance(m, ActRecorded)]
    assert first == told != another


async def test_a_correction_is_what_is_read_and_reporters_who_differ_are_both_read(running: Intake) -> None:
    police = (await running.post(incident())).json()
    correction = {"corrects": police["event_id"], "fact": "harm", "value": "serious_harm", "reason": "wrong_value"}
    correction |= {"case_reference": "WYP/2026/0001"}
    await running.post(event("fact.corrected.v1", correction))
    council = (await running.post(incident(data__area="unknown"), by="council-example")).json()
    cases = [police["case_key"], council["case_key"]]

    body = (await read(running, grant(**claims("", case_keys=cases)))).json()

    assert body["incident"]["harm"] == ["serious_harm", "death"]
    assert body["incident"]["incident.area"] == LEEDS


async def test_a_view_about_an_earlier_time_that_is_recorded_later_is_not_what_is_read(running: Intake) -> None:
    for number, (view, at) in enumerate(
        (("suspected", "2026-06-10T09:00:00Z"), ("not_suspected", "2026-06-01T09:00:00Z"))
    ):
        said = {"view": view, "from_on": "2026-06-01", "evidence": "medical"}
        document = event("abuse_suspicion.changed.v1", said, id_=f"view-{number}") | {"time": at}
        answer = await running.post(document, by="council-example")
        assert answer.status_code == 202, answer.text

    body = (
        await read(running, grant(**claims(answer.json()["case_key"], give={"abuse_or_neglect": "in full"})))
    ).json()

    assert body["incident"] == {"abuse_or_neglect": "suspected"}


@pytest.mark.parametrize("value", ["other", None])
async def test_a_correction_of_an_earlier_report_leaves_a_later_one_as_it_is(
    running: Intake, value: str | None
) -> None:
    first = (await running.post(incident(data__harm="serious_harm"))).json()
    await running.post(incident(id="evt-later", time="2026-06-02T09:15:00+01:00"))
    correction = {"corrects": first["event_id"], "fact": "harm", "value": value, "reason": "wrong_value"}
    correction |= {"case_reference": "WYP/2026/0001"}
    answer = await running.post(event("fact.corrected.v1", correction, id_="evt-correction"))
    assert answer.status_code == 202, answer.text

    body = (await read(running, grant(**claims(first["case_key"])))).json()

    assert body["incident"]["harm"] == "death"


async def test_a_correction_is_still_read_when_what_it_corrects_was_encrypted_to_a_key_that_is_no_more(
    running: Intake,
) -> None:
    document = incident(data__harm="other")
    keys = {"keys": [submission_key().as_dict(private=False)]}
    document["data"]["personal"] = encrypt_personal(document["data"]["personal"], keys)
    report = (await running.post(document)).json()
    correction = {"corrects": report["event_id"], "fact": "harm", "value": "death", "reason": "wrong_value"}
    correction |= {"case_reference": "WYP/2026/0001"}
    answer = await running.post(event("fact.corrected.v1", correction))
    assert answer.status_code == 202, answer.text
    another = ECKey.generate_key("P-256").as_pem(private=True).decode()

    async with intake(running.database_url, submission_key=another) as later:
        body = (await read(later, grant(**claims(report["case_key"])))).json()

    assert body["incident"]["harm"] == "death"
    assert body["incident"]["personal.incident_date"] == "2026-05-31"


@pytest.mark.parametrize(
    "changes",
    [
        {"valid_for_s": -1},
        {"key": "forged"},
        {"iss": "handrail"},
        {"aud": "handrail-routing"},
        {"give": None},
        {"jti": "no uuid"},
    ],
)
async def test_a_grant_that_is_not_right_gives_nothing(running: Intake, changes: dict[str, Any]) -> None:
    case = (await running.post(incident())).json()["case_key"]

    answer = await read(running, grant(**claims(case, **changes)))

    assert answer.status_code == 401
    assert await reads(running) == []


async def test_a_grant_is_for_its_own_notice(running: Intake) -> None:
    case = (await running.post(incident())).json()["case_key"]

    assert (await read(running, grant(**claims(case)), str(ident("another")))).status_code == 404
    assert (await read(running, grant(**claims("f" * 32)))).status_code == 404
    assert await reads(running) == []


@pytest.mark.parametrize(("recipient", "kind"), [("ofsted", "NoticeOwed"), ("panel", "NoticeWithdrawn")])
async def test_a_grant_is_held_against_what_routing_announced(running: Intake, recipient: str, kind: str) -> None:
    case = (await running.post(incident())).json()["case_key"]
    data = notice("N-01", recipient) | {"notice_id": UUID(NOTICE)}
    more = {"released": True} if kind == "NoticeOwed" else {"reason": "corrected", "was_delivered": False}
    message = getattr(deliveries, kind)(
        **envelope("said", case), data=getattr(deliveries, f"{kind}Data")(**data, **more)
    )
    async with running.database.begin() as tx:
        await store.apply(tx.connection, progress.fold([message]))

    assert (await read(running, grant(**claims(case)))).status_code == 403
    assert await reads(running) == []


async def test_content_is_not_given_while_its_notice_awaits_release(running: Intake) -> None:
    case = (await running.post(incident())).json()["case_key"]
    data = notice("N-01", "panel") | {"notice_id": UUID(NOTICE)}
    said = [
        deliveries.NoticeOwed(**envelope("again", case), data=deliveries.NoticeOwedData(**data, released=False)),
        deliveries.NoticeReleased(**envelope("released", case), data=deliveries.NoticeData(**data)),
    ]
    found = []
    for message in said:
        async with running.database.begin() as tx:
            await store.apply(tx.connection, progress.fold([message]))
        found.append((await read(running, grant(**claims(case)))).status_code)

    assert found == [503, 200]
    assert len(await reads(running)) == 1


@pytest.mark.parametrize("batches", [1, 2])
@pytest.mark.parametrize(
    ("corrections", "status"),
    [(["owed"], 200), (["waits"], 503), (["withdrawn"], 403), (["owed", "withdrawn"], 403), ([], 200)],
)
async def test_the_grant_of_a_notice_that_another_corrects_is_good_as_long_as_that_one_stands(
    running: Intake, corrections: list[str], status: int, batches: int
) -> None:
    case = (await running.post(incident())).json()["case_key"]
    old = notice("N-01", "panel")
    new = old | {"notice_id": ident("correction"), "revision": 2}
    messages = {
        "owed": deliveries.NoticeOwed(
            **envelope("owed", case), data=deliveries.NoticeOwedData(**new, released=True, corrects=old["notice_id"])
        ),
        "waits": deliveries.NoticeOwed(
            **envelope("waits", case), data=deliveries.NoticeOwedData(**new, released=False)
        ),
        "withdrawn": deliveries.NoticeWithdrawn(
            **envelope("gone", case), data=deliveries.NoticeWithdrawnData(**new, reason="so", was_delivered=False)
        ),
    }
    said = [
        delivered("N-01", case, "panel"),
        *(messages[each] for each in corrections),
        superseded("N-01", case, "panel"),
    ]
    for batch in [said] if batches == 1 else [[each] for each in said]:
        async with running.database.begin() as tx:
            await store.apply(tx.connection, progress.fold(batch))

    answer = await read(running, grant(**claims(case, jti=str(old["notice_id"]))), str(old["notice_id"]))

    assert answer.status_code == status


@pytest.mark.parametrize("batches", [1, 2])
async def test_an_attempt_told_of_after_the_withdrawal_gives_nothing_back(running: Intake, batches: int) -> None:
    case = (await running.post(incident())).json()["case_key"]
    data = notice("N-01", "panel") | {"notice_id": UUID(NOTICE)}
    withdrawn = deliveries.NoticeWithdrawnData(**data, reason="corrected", was_delivered=False)
    late = deliveries.NoticeAttemptedData(**data, attempt=1, outcome="failed", reason="no answer in time")
    said = [
        deliveries.NoticeWithdrawn(**envelope("withdrawn", case), data=withdrawn),
        deliveries.NoticeAttempted(**envelope("late", case), data=late),
    ]
    for batch in [said] if batches == 1 else [[each] for each in said]:
        async with running.database.begin() as tx:
            await store.apply(tx.connection, progress.fold(batch))

    assert (await read(running, grant(**claims(case)))).status_code == 403
    assert await reads(running) == []


async def test_what_was_erased_stays_away_and_what_was_told_since_is_given(running: Intake) -> None:
    case = (await running.post(incident())).json()["case_key"]
    async with running.database.begin() as tx:
        await tx.connection.execute(text("DELETE FROM vault_key WHERE child_key = ''"))
    erased = (await read(running, grant(**claims(case)))).json()
    document = incident(id="evt-later", data__personal={"summary": "Invented words of later."})
    await running.post(document)

    later = await read(running, grant(**claims(case)))

    assert "personal.summary" not in erased["incident"]
    assert later.status_code == 200
    assert later.json()["incident"]["personal.summary"] == "Invented words of later."
    assert "personal.incident_date" not in later.json()["incident"]
    assert later.json()["children"] == erased["children"] != []


async def test_content_is_not_given_where_a_key_was_altered(running: Intake) -> None:
    case = (await running.post(incident())).json()["case_key"]
    async with running.database.begin() as tx:
        await tx.connection.execute(text("UPDATE vault_key SET wrapped_key = sha256(wrapped_key)"))

    assert (await read(running, grant(**claims(case)))).status_code == 500
