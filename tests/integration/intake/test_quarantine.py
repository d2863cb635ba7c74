"""What is put aside leaves its neighbours as they are, and is listed page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from schemas.case_events import BecameAware
from schemas.topics import submissions
from services.kit.codec import decode
from services.kit.kafka_compat import RawRecord
from services.kit.path import handle_batch
from services.kit.quarantine import Record
from services.kit.transaction import Transaction
from tests.support.intake import event
from tests.support.intake_app import Intake, access_token

OPERATOR = {"Authorization": f"Bearer {access_token('operations')}"}


async def hold(running: Intake, many: int) -> list[str]:
    """Put records aside; return their ids in order."""
    records = [Record("intake", "safeguarding.decisions.v1", 0, offset, None, b"{") for offset in range(many)]
    async with running.database.begin() as tx:
        for record in records:
            await tx.quarantine(record, reason="not JSON")
    return [str(record.quarantine_id()) for record in records]


async def test_what_is_in_quarantine_is_listed_page_by_page_and_nothing_is_left_out(running: Intake) -> None:
    held = await hold(running, 5)
    pages: list[dict[str, Any]] = []
    after = -1
    while not pages or pages[-1]["next"] is not None:
        answer = await running.http.get(f"/v1/quarantine?limit=2&after={after}", headers=OPERATOR)
        pages.append(answer.json())
        after = pages[-1]["next"]

    assert [one["quarantine_id"] for page in pages for one in page["records"]] == held
    assert [(len(page["records"]), page["total"]) for page in pages] == [(2, 5), (2, 5), (1, 5)]


async def test_a_page_that_is_just_full_is_the_last(running: Intake) -> None:
    await hold(running, 2)

    page = (await running.http.get("/v1/quarantine?limit=2", headers=OPERATOR)).json()

    assert (len(page["records"]), page["next"]) == (2, None)


async def test_a_reason_that_the_database_cannot_take_is_refused(running: Intake) -> None:
    [held] = await hold(running, 1)
    headers = OPERATOR | {"Content-Type": "application/json"}

    for reason in (rb"half of \ud83d", rb"nothing \u0000"):
        body = b'{"reason": "' + reason + b'"}'
        answer = await running.http.post(f"/v1/quarantine/{held}/discard", content=body, headers=headers)

        assert answer.status_code == 422, answer.text


async def test_the_neighbours_of_a_record_that_fails_are_recorded_in_their_order(running: Intake) -> None:
    """Awareness counts of a child only if it is recorded after the child, and the halves of a batch are one transaction."""
    consumer = running.app.state.runtime.consume.workers["intake.submissions"].consumer
    aware = [
        event("la.became_aware.v1", {"aware_at": f"2026-05-{day:02d}T09:00:00Z"}, id_=f"{day}") for day in range(1, 9)
    ]
    topic = submissions("council-example")
    records = [
        RawRecord(
            topic, 0, offset, b"case", orjson.dumps(each), (("content-type", b"application/cloudevents+json"),), 0
        )
        for offset, each in enumerate(aware)
    ]

    async def failing(some: Sequence[RawRecord], tx: Transaction) -> None:
        await consumer.handler(some, tx)
        if records[2] in some:
            raise RuntimeError

    outcome = await handle_batch(
        running.database, replace(consumer, handler=failing), [decode(each, None) for each in records]
    )

    published = [one for one in await running.published() if isinstance(one, BecameAware)]
    instants = [one.recorded_at for one in published]
    assert outcome.counts["failed"] == 1
    assert [one.data.aware_on.day for one in published] == [1, 2, 4, 5, 6, 7, 8]
    assert instants == sorted(set(instants))
