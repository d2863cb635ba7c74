"""Reports sent again after intake's database was restored from a backup that does not have them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from services.intake.domain import progress
from services.intake.store import progress as store
from tests.support.intake import LEEDS, event, incident
from tests.support.intake_app import Intake, intake
from tests.support.intake_routing import decided

TWO: list[dict[str, Any]] = [{"ref": "child-1", "home_area": LEEDS}, {"ref": "child-2", "looked_after": "no"}]


async def take_over(running: Intake, lost: Intake) -> None:
    """Write down in one database what another said, as `handrail relay catch-up` does with what Kafka has."""
    async with lost.database.connect() as connection:
        rows = (await connection.execute(text("SELECT event_id, topic, key, payload FROM outbox"))).all()
    async with running.database.begin() as tx:
        for number, row in enumerate(rows, 1):
            await tx.connection.execute(
                text("""INSERT INTO published_before (event_id, topic, partition, "offset", key, producer_seq, case_key,
                        case_seq, payload, in_outbox, after_xid, after_id)
                    VALUES (:event_id, :topic, 0, :number, :key, :number, :key, 1, :payload, false, '0', 0)
                """),
                {**row._asdict(), "number": number},
            )


async def test_a_report_that_is_sent_again_gets_its_receipt_its_case_and_its_children_back(running: Intake) -> None:
    async with intake() as before:
        first = (await before.post(incident())).json()
        (said,) = await before.published()
        await take_over(running, before)

    again = await running.post(incident())
    later = (await running.post(incident(id="evt-later"))).json()

    (repeated, another) = await running.published()
    assert (again.status_code, again.json()) == (202, first)
    assert repeated.id == said.id
    assert repeated.data == said.data
    assert later["case_key"] == first["case_key"] == another.case_key


@pytest.mark.parametrize(
    "changed",
    [
        {"data__harm": "serious_harm"},
        {"data__harm": "unknown"},
        {"time": "2026-06-01T09:16:00+01:00"},
        {"data__children": [TWO[1], TWO[0]]},
        {"data__children": TWO[:1]},
        {"data__personal": {"summary": "The ages were made from this block."}},
    ],
)
async def test_a_report_that_comes_again_with_other_words_is_refused_until_it_comes_as_it_was(
    running: Intake, changed: dict[str, Any]
) -> None:
    """What was published stays as it was, and everybody has decided by it."""
    report = incident(data__children=TWO)
    async with intake() as before:
        first = (await before.post(report)).json()
        await take_over(running, before)

    other = await running.post(incident(**{"data__children": TWO} | changed))
    again = await running.post(report)

    assert (other.status_code, again.status_code, again.json()) == (409, 202, first)
    assert "Send it again as it was" in other.json()["detail"]
    assert len(await running.published()) == 1


async def test_a_report_is_taken_again_from_a_client_whose_registration_changed(running: Intake) -> None:
    async with intake() as before:
        first = (await before.post(incident())).json()
        await take_over(running, before)
    async with running.database.begin() as tx:
        await tx.connection.execute(text("UPDATE client SET recipient = NULL"))

    again = await running.post(incident(time="2026-06-01T08:15:00Z"))

    assert (again.status_code, again.json()) == (202, first)


@pytest.mark.parametrize("action", ["A-1", "A-2"])
async def test_an_act_comes_again_about_the_same_action(running: Intake, action: str) -> None:
    said = {
        "owner": "police:west-yorkshire",
        "set_on": "2026-06-01",
        "due_on": "2026-06-30",
        "personal": {"what": "Invented."},
    }
    async with intake() as before:
        await before.post(event("action.updated.v1", said | {"action": "A-1"}), by="council-example")
        await take_over(running, before)

    again = await running.post(event("action.updated.v1", said | {"action": action}), by="council-example")

    assert again.status_code == (202 if action == "A-1" else 409)


async def test_a_case_that_was_reported_on_before_its_first_report_came_again_is_linked_with_it(
    running: Intake,
) -> None:
    async with intake() as before:
        first = (await before.post(incident())).json()
        await take_over(running, before)
    meanwhile = (await running.post(incident(id="evt-meanwhile"))).json()

    again = (await running.post(incident())).json()

    links = [message for message in await running.published() if message.type == "case.linked.v1"]
    assert again["case_key"] == meanwhile["case_key"] != first["case_key"]
    assert [(link.case_key, link.data.linked_case_key) for link in links] == [
        (meanwhile["case_key"], first["case_key"])
    ]


async def test_what_was_decided_of_a_report_before_it_came_again_is_shown_on_its_receipt(running: Intake) -> None:
    async with intake() as before:
        first = (await before.post(incident())).json()
        await take_over(running, before)
    async with running.database.begin() as tx:
        await store.apply(tx.connection, progress.fold([decided(first["case_key"], first["event_id"])]))

    receipt = (await running.post(incident())).json()

    shown = (await running.get(f"/v1/receipts/{receipt['receipt_id']}")).json()
    assert (shown["status"], shown["revision"]) == ("decided", 1)
