"""Receipts: how far an event has come, and that nobody sees another client's."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from sqlalchemy import text

from schemas.decisions import ObligationRedated, ObligationRedatedData, QuestionClosed, QuestionClosedData
from schemas.deliveries import NoticeData, NoticeOwed, NoticeOwedData, NoticeReleased
from schemas.envelope import Envelope
from schemas.submissions import SUBMISSIONS
from services.intake.domain import progress
from services.intake.pages import PAGE
from services.intake.store import progress as store
from tests.support.intake import LEEDS, event, incident
from tests.support.intake_app import FRONT, Intake, access_token, register
from tests.support.intake_routing import (
    PERIOD,
    decided,
    delivered,
    envelope,
    ident,
    notice,
    opened,
    owed,
    question,
    superseded,
)


async def routing_says(running: Intake, *messages: Envelope) -> None:
    """Hand messages to the projection as the consume path does."""
    async with running.database.begin() as tx:
        await store.apply(tx.connection, progress.fold(messages))


async def test_a_receipt_says_who_was_told_and_what_is_open(running: Intake) -> None:
    receipt = (await running.post(incident())).json()
    case, path = receipt["case_key"], f"/v1/receipts/{receipt['receipt_id']}"
    before = (await running.get(path)).json()

    await routing_says(
        running,
        decided(case, receipt["event_id"]),
        opened("N-11", case),
        question(case, f"la:{LEEDS}"),
        owed("N-11", case, f"la:{LEEDS}"),
    )
    await routing_says(running, delivered("N-11", case, f"la:{LEEDS}"))
    after = (await running.get(path)).json()

    assert (before["status"], before["told"], before["questions"]) == ("kept", [], [])
    assert (after["status"], after["rulebook"], after["revision"]) == (
        "decided",
        "england-serious-incidents 2026.11.0",
        1,
    )
    assert after["told"] == [
        {
            "recipient": f"la:{LEEDS}",
            "rule": "N-11",
            "notice_id": str(ident(f"N-11la:{LEEDS}")),
            "obligation_id": str(ident("N-11")),
            "state": "delivered",
            "reference": "REF-1",
            "at": "2026-06-02T12:00:00Z",
            "due_on": "2026-06-02",
        }
    ]
    assert [one["fact"] for one in after["questions"]] == ["abuse_or_neglect"]


async def test_a_receipt_shows_a_notice_and_the_one_that_corrects_it(running: Intake) -> None:
    receipt = (await running.post(incident())).json()
    case, la = receipt["case_key"], f"la:{LEEDS}"
    new = notice("N-11", la) | {"notice_id": ident("correction"), "revision": 2}
    correction = NoticeOwedData(**new, released=True, corrects=ident(f"N-11{la}"))
    said = [
        decided(case, receipt["event_id"]),
        opened("N-11", case),
        owed("N-11", case, la),
        delivered("N-11", case, la),
    ]
    await routing_says(running, *said)
    await routing_says(
        running, NoticeOwed(**envelope("correction", case), data=correction), superseded("N-11", case, la)
    )

    told = (await running.get(f"/v1/receipts/{receipt['receipt_id']}")).json()["told"]

    assert [(one["state"], one["reference"]) for one in told] == [("owed", None), ("superseded", "REF-1")]


async def test_a_question_that_was_answered_is_gone_and_a_new_date_is_shown(running: Intake) -> None:
    receipt = (await running.post(incident())).json()
    case = receipt["case_key"]
    redated = ObligationRedatedData(
        obligation_id=ident("N-11"),
        revision=2,
        period=PERIOD,
        due_on=date(2026, 6, 9),
        warn_on=None,
        old_due_on=date(2026, 6, 2),
        provisional=False,
        calendar="england 2026.1",
        reason="reported_on was corrected",
    )
    await routing_says(
        running,
        decided(case, receipt["event_id"]),
        opened("N-11", case),
        question(case, f"la:{LEEDS}"),
        owed("N-11", case, f"la:{LEEDS}"),
    )
    await routing_says(
        running,
        ObligationRedated(**envelope("redated", case), data=redated),
        QuestionClosed(
            **envelope("closed", case), data=QuestionClosedData(question_id=ident("question"), reason="answered")
        ),
    )

    after = (await running.get(f"/v1/receipts/{receipt['receipt_id']}")).json()

    assert after["questions"] == []
    assert after["told"][0]["due_on"] == "2026-06-09"


async def test_another_clients_receipt_looks_like_one_that_does_not_exist(running: Intake) -> None:
    receipt = (await running.post(incident())).json()

    foreign = await running.get(f"/v1/receipts/{receipt['receipt_id']}", by="council-example")
    unknown = await running.get(f"/v1/receipts/{ident('nobody')}", by="council-example")

    assert (foreign.status_code, foreign.content) == (404, unknown.content)
    assert (await running.get("/v1/receipts", by="council-example")).json() == {"receipts": [], "next": None}


async def test_in_a_linked_case_a_client_sees_its_own_business_only(running: Intake) -> None:
    police = (await running.post(incident())).json()
    aware = {"aware_at": "2026-06-02T09:00:00Z", "linked_case": {"case_key": police["case_key"]}}
    council = (await running.post(event("la.became_aware.v1", aware), by="council-example")).json()
    outsider = incident(id="evt-7", data__case_reference="LSCP-1", data__linked_case={"case_key": police["case_key"]})
    lscp = (await running.post(outsider, by="lscp-example")).json()
    case = police["case_key"]
    await routing_says(
        running,
        decided(case, police["event_id"], council["event_id"], lscp["event_id"]),
        opened("N-11", case, cause=police["event_id"]),
        opened("N-01", case, holder=f"la:{LEEDS}", cause=police["event_id"]),
        opened("N-03", case, holder="la:E09000032", cause=council["event_id"]),
        owed("N-11", case, "dfe"),
        owed("N-01", case, "panel"),
        owed("N-03", case, f"lscp:{LEEDS}"),
    )

    async def rules(receipt: dict[str, Any], by: str) -> set[str]:
        found = await running.get(f"/v1/receipts/{receipt['receipt_id']}", by=by)
        return {one["rule"] for one in found.json()["told"]}

    assert await rules(police, "police-example") == {"N-11", "N-01", "N-03"}  # the case is its own
    assert await rules(council, "council-example") == {"N-01", "N-03"}  # its duty, and what its event led to
    assert await rules(lscp, "lscp-example") == {"N-03"}  # addressed to it


async def test_in_a_linked_case_a_recipient_sees_no_notice_that_a_person_has_not_released(running: Intake) -> None:
    case = (await running.post(incident())).json()["case_key"]
    own = incident(data__case_reference="LSCP-1", data__linked_case={"case_key": case})
    receipt = (await running.post(own, by="lscp-example")).json()
    data = notice("N-04", f"lscp:{LEEDS}")
    waits = NoticeOwed(**envelope("waits", case), data=NoticeOwedData(**data, released=False))
    await routing_says(running, decided(receipt["case_key"], receipt["event_id"]), opened("N-04", case), waits)

    async def told() -> list[str]:
        found = await running.get(f"/v1/receipts/{receipt['receipt_id']}", by="lscp-example")
        return [one["state"] for one in found.json()["told"]]

    before = await told()
    await routing_says(running, NoticeReleased(**envelope("released", case), data=NoticeData(**data)))

    assert (before, await told()) == ([], ["owed"])


async def test_in_a_linked_case_a_client_sees_also_what_is_its_own_under_another_code_or_an_ended_name(
    running: Intake,
) -> None:
    police = (await running.post(incident())).json()
    case = police["case_key"]
    await routing_says(
        running,
        decided(case, police["event_id"]),
        opened("N-01", case, holder="la:E08000038", cause=police["event_id"]),
        owed("N-01", case, "panel"),
        owed("N-03", case, "ccg:leeds"),
        question(case, "la:E08000038"),
    )

    seen = []
    for client in (
        {"name": "council-former", "body": "local_authority", "area": "E08000016"},
        {"name": "board-example", "body": "health", "area": LEEDS, "recipient": "icb:west-yorkshire"},
    ):
        running.tokens[client["name"]] = await register(running, client)
        linked = incident(data__case_reference="X-1", data__linked_case={"case_key": case})
        receipt = (await running.post(linked, by=client["name"])).json()
        await routing_says(running, decided(receipt["case_key"], receipt["event_id"]))
        found = (await running.get(f"/v1/receipts/{receipt['receipt_id']}", by=client["name"])).json()
        seen.append(([one["rule"] for one in found["told"]], len(found["questions"])))

    assert seen == [(["N-01"], 1), (["N-03"], 0)]


async def test_receipts_are_listed_newest_first_page_by_page(running: Intake) -> None:
    sent = [(await running.post(incident(id=f"evt-{number}"))).json()["receipt_id"] for number in range(3)]

    first = (await running.get("/v1/receipts?limit=2")).json()
    rest = (await running.http.get(
        "/v1/receipts", params={"limit": 2, "before": first["next"]}, headers=running.as_client("police-example")
    )).json()  # fmt: skip

    assert [one["receipt_id"] for one in first["receipts"] + rest["receipts"]] == sent[::-1]
    assert rest["next"] is None


async def test_no_page_leaves_out_a_receipt_where_many_were_recorded_at_one_instant(running: Intake) -> None:
    await running.keep(*(incident(id=f"evt-{number}") for number in range(5)))
    async with running.database.begin() as tx:  # as two batches at once may have it, and as every batch had it before
        await tx.connection.execute(
            text("UPDATE submission SET recorded_at = (SELECT min(recorded_at) FROM submission)")
        )

    found: list[str] = []
    before: dict[str, Any] = {}
    for _ in range(3):
        page = (await running.http.get(
            "/v1/receipts", params={"limit": 2} | before, headers=running.as_client("police-example")
        )).json()  # fmt: skip
        found += [one["receipt_id"] for one in page["receipts"]]
        before = {"before": page["next"]}

    assert len(set(found)) == len(found) == 5
    assert page["next"] is None


async def test_receipts_are_listed_before_an_instant_and_what_is_no_place_is_refused(running: Intake) -> None:
    kept = [(await running.post(incident(id=f"evt-{number}"))).json()["receipt_id"] for number in range(2)]
    newest = (await running.get("/v1/receipts?limit=1")).json()["receipts"][0]["recorded_at"]

    earlier = (await running.get(f"/v1/receipts?before={newest}")).json()["receipts"]
    places = ("", "never", f"{newest}~never", "0001-01-01T00:00:00%2B14:00")
    refused = [await running.get(f"/v1/receipts?before={place}") for place in places]

    assert [one["receipt_id"] for one in earlier] == kept[:1]
    assert [answer.status_code for answer in refused] == [422] * 4


async def test_only_the_recipient_of_a_notice_answers_it(running: Intake) -> None:
    case = (await running.post(incident())).json()["case_key"]
    await routing_says(running, owed("N-11", case, f"lscp:{LEEDS}"))
    answer = {
        "notice_id": str(ident(f"N-11lscp:{LEEDS}")),
        "accepted_at": "2026-06-02T09:00:00Z",
        "personal": {"by": "X"},
    }

    foreign = await running.post(event("delivery.acknowledged.v1", answer), by="council-example")
    own = await running.post(event("delivery.acknowledged.v1", answer), by="lscp-example")

    assert (foreign.status_code, own.status_code) == (403, 202)


async def test_who_is_in_the_place_of_the_recipient_answers_a_notice_and_so_does_a_council_by_either_code(
    running: Intake,
) -> None:
    case = (await running.post(incident())).json()["case_key"]
    group, board = "ccg:leeds", "icb:west-yorkshire"
    await routing_says(running, owed("N-03", case, group), owed("N-03", case, "la:E08000038"))
    barnsley = {"body": "local_authority", "area": "E08000016"}
    for client in ({"body": "health", "area": LEEDS, "recipient": board}, barnsley):
        name = f"{client['body']}-heir".replace("_", "-")
        running.tokens[name] = await register(running, client | {"name": name})

    def answer(recipient: str) -> dict[str, Any]:
        notice_id = str(ident(f"N-03{recipient}"))
        return event(
            "delivery.acknowledged.v1",
            {"notice_id": notice_id, "accepted_at": "2026-06-02T09:00:00Z", "personal": {"by": "X"}},
            id_=notice_id,
        )

    own = await running.post(answer(group), by="health-heir")
    by_code = await running.post(answer("la:E08000038"), by="local-authority-heir")
    foreign = await running.post(answer(group), by="lscp-example")

    assert (own.status_code, by_code.status_code, foreign.status_code) == (202, 202, 403)


async def test_only_who_holds_a_duty_finds_it_not_appropriate(running: Intake) -> None:
    case = (await running.post(incident())).json()["case_key"]
    await routing_says(running, opened("N-04", case, holder="la:E09000032"), opened("N-06", case, holder=f"la:{LEEDS}"))

    def answer(rule: str) -> dict[str, Any]:
        said = {"obligation_id": str(ident(rule)), "reason": "already_told", "personal": {"by": "X"}}
        return event("not_appropriate.recorded.v1", said, id_=f"evt-{rule}")

    foreign, own, unheard_of = [
        await running.post(answer(each), by="council-example") for each in ("N-04", "N-06", "N-03")
    ]

    assert (foreign.status_code, own.status_code, unheard_of.status_code) == (403, 202, 202)


async def test_who_answers_what_there_is_none_of_hears_so(running: Intake) -> None:
    said = {"accepted_at": "2026-06-02T09:00:00Z", "personal": {"by": "X"}}
    wrong, right = [
        (
            await running.post(
                event("delivery.acknowledged.v1", said | {"notice_id": str(ident(name))}, id_=f"evt-{name}"),
                by="lscp-example",
            )
        ).json()
        for name in ("mistyped", "known")
    ]
    events = (wrong["event_id"], right["event_id"])
    await routing_says(running, decided(wrong["case_key"], *events, answers_nothing=events[:1]))

    receipts = [
        (await running.get(f"/v1/receipts/{one['receipt_id']}", by="lscp-example")).json() for one in (wrong, right)
    ]
    listed = (await running.get("/v1/receipts", by="lscp-example")).json()["receipts"]

    assert [one["answers_nothing"] for one in receipts] == [True, False]
    assert {one["receipt_id"]: one["answers_nothing"] for one in listed} == {
        wrong["receipt_id"]: True,
        right["receipt_id"]: False,
    }


async def test_every_state_of_a_notice_is_told() -> None:
    data = NoticeData(**notice("N-01", "panel"))
    waiting = NoticeOwed(**envelope("a", "0" * 32), data=NoticeOwedData(**data.model_dump(), released=False))

    changes = progress.fold([waiting, delivered("N-01", "0" * 32, "panel"), waiting])

    assert changes.notices[data.notice_id]["state"] == "awaiting_release"
    assert changes.notices[data.notice_id]["reference"] == "REF-1"  # what a later word does not repeat stays


async def test_the_pages_need_a_session_and_show_only_the_clients_own_receipts(running: Intake) -> None:
    receipt = (await running.post(incident())).json()
    page = {"Accept": "text/html"}
    partner = page | {"Cookie": f"handrail_session={access_token('partner', client='police-example')}"}
    other = page | {"Cookie": f"handrail_session={access_token('partner', client='council-example')}"}
    one = f"/receipts/{receipt['receipt_id']}"

    for path in ("/receipts", one, "/docs/events"):
        refused = await running.http.get(path, headers=page)
        assert (refused.status_code, refused.headers["location"][: len(FRONT)]) == (303, FRONT)

    listed, shown = await running.http.get("/receipts", headers=partner), await running.http.get(one, headers=partner)
    empty, foreign = await running.http.get("/receipts", headers=other), await running.http.get(one, headers=other)

    assert one in listed.text
    assert receipt["case_key"] in shown.text
    assert one not in empty.text
    assert "Nothing has been reported yet" in empty.text
    assert foreign.status_code == 404


async def test_the_page_of_a_receipt_does_not_say_that_nobody_is_told_where_it_shows_nobody(running: Intake) -> None:
    receipt = (await running.post(incident())).json()
    linked = {"aware_at": "2026-06-02T09:00:00Z", "linked_case": {"case_key": receipt["case_key"]}}
    other = (await running.post(event("la.became_aware.v1", linked), by="council-example")).json()
    case = other["case_key"]
    await routing_says(running, decided(receipt["case_key"], receipt["event_id"]), owed("N-03", case, "panel"))
    headers = {"Accept": "text/html", "Cookie": f"handrail_session={access_token('partner', client='police-example')}"}

    page = (await running.http.get(f"/receipts/{receipt['receipt_id']}", headers=headers)).text

    assert "Nobody has to be told" not in page
    assert "No notice to show" in page
    assert "panel" not in page.lower()


async def test_the_page_of_receipts_leads_to_the_earlier_ones(running: Intake) -> None:
    await running.keep(*(incident(id=f"evt-{number}") for number in range(PAGE + 1)))
    session = {"Accept": "text/html", "Cookie": f"handrail_session={access_token('partner', client='police-example')}"}

    first = (await running.http.get("/receipts", headers=session)).text
    [following] = re.findall(r'href="(/receipts\?before=[^"]+)"', first)
    rest = (await running.http.get(following, headers=session)).text

    on_first, on_rest = (set(re.findall(r'href="/receipts/([0-9a-f-]+)"', page)) for page in (first, rest))
    assert (len(on_first), len(on_rest), len(on_first | on_rest)) == (PAGE, 1, PAGE + 1)


async def test_each_event_type_has_a_page_with_every_field(running: Intake) -> None:
    session = {"Accept": "text/html", "Cookie": f"handrail_session={access_token('auditor')}"}

    overview = await running.http.get("/docs/events", headers=session)
    page = await running.http.get("/docs/events/incident.reported.v1", headers=session)
    unknown = await running.http.get("/docs/events/incident.reported.v9", headers=session)

    assert overview.text.count('href="/docs/events/') == len(SUBMISSIONS)
    assert "children[].looked_after_by" in page.text
    assert "personal.children[].date_of_birth" in page.text
    assert unknown.status_code == 404
