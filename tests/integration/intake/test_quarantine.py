"""What is in quarantine is listed page by page."""

from __future__ import annotations

from typing import Any

from services.kit.quarantine import Record
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
