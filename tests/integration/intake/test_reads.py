"""Who read personal data: for auditors, page by page, of one case or of all; and never what was read."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.intake import incident
from tests.support.intake_app import Intake, access_token, grant
from tests.support.intake_content import PANEL, claims, read

OTHER = "0" * 32


async def asked(running: Intake, address: str, role: str = "auditor") -> httpx.Response:
    return await running.http.get(address, headers={"Authorization": f"Bearer {access_token(role)}"})


async def numbers(running: Intake, address: str) -> tuple[list[int], int | None]:
    found: dict[str, Any] = (await asked(running, address)).json()
    return [one["number"] for one in found["reads"]], found["next"]


async def test_an_auditor_is_told_who_read_what_of_a_case_and_why_but_not_what_stood_there(running: Intake) -> None:
    case = (await running.post(incident())).json()["case_key"]
    await read(running, grant(**claims(case)))

    of_case = await asked(running, f"/v1/reads?case={case}")
    page = await asked(running, f"/reads?case=%20{case.upper()}")

    (one,) = of_case.json()["reads"]
    assert (one["recipient"], one["purpose"], one["case_keys"]) == (
        "panel",
        "statutory notification to the Panel",
        [case],
    )
    assert one["fields"] == sorted(PANEL)
    assert "the Panel" in page.text
    assert f'href="http://127.0.0.1:8402/case/{case}"' in page.text
    assert "Zebedee" not in of_case.text + page.text


async def test_reads_come_page_by_page_of_one_case_or_of_all(running: Intake) -> None:
    case = (await running.post(incident())).json()["case_key"]
    for _ in range(3):
        await read(running, grant(**claims(case)))

    everything, _ = await numbers(running, "/v1/reads")
    first, follows = await numbers(running, f"/v1/reads?case={case}&limit=2")
    last, none = await numbers(running, f"/v1/reads?case={case}&limit=2&before={follows}")

    assert everything == first + last == sorted(everything, reverse=True)
    assert (len(first), len(last), none) == (2, 1, None)
    assert await numbers(running, f"/v1/reads?case={OTHER}") == ([], None)
    assert "Nobody has read personal data of this case." in (await asked(running, f"/reads?case={OTHER}")).text
    assert "This is no whole case key" in (await asked(running, "/reads?case=Zebedee")).text


@pytest.mark.parametrize("role", ["operations", "review_officer", "partner", "service"])
@pytest.mark.parametrize("address", ["/v1/reads", "/reads"])
async def test_nobody_but_an_auditor_reads_who_read(running: Intake, role: str, address: str) -> None:
    assert (await asked(running, address, role)).status_code == 403
