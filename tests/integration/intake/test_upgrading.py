"""What an earlier version of the program has stored and granted is read as it was meant."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from schemas.identity import only_item
from tests.support.intake import event, incident
from tests.support.intake_app import Intake, grant
from tests.support.intake_content import claims, read


@pytest.mark.parametrize(
    ("subject", "names"),
    [
        pytest.param("incident", ("review.delay", "review.expected_on"), id="granted before"),
        pytest.param(only_item("delay"), ("review.delay", "review.expected_on"), id="owed before, granted since"),
        pytest.param(only_item("delay"), ("delay.cause", "delay.expected_on"), id="owed since"),
    ],
)
async def test_a_notice_about_the_one_delay_that_a_case_had_gives_what_was_told_of_it(
    running: Intake, subject: str, names: tuple[str, ...]
) -> None:
    case = (await running.post(incident(), by="council-example")).json()["case_key"]
    said = {
        "case_reference": "WYP/2026/0001",
        "cause": "inquest",
        "known_on": "2026-06-02",
        "expected_on": "2027-01-31",
    }
    await running.post(event("review.delayed.v1", said), by="council-example")
    async with running.database.begin() as tx:
        await tx.connection.execute(text("UPDATE submission SET about = NULL"))

    answer = await read(running, grant(**claims(case, subject=subject, give=dict.fromkeys(names, "in full"))))

    assert answer.json()["incident"] == {"delay.cause": "inquest", "delay.expected_on": "2027-01-31"}
