"""Who may report: tokens, the clients that they speak for, and what becomes of both when a client is revoked."""

from __future__ import annotations

import asyncio
import re

import httpx
import orjson
import pytest

from tests.support.intake import LEEDS, event, incident
from tests.support.intake_app import (
    CLOUDEVENT,
    POLICE,
    Intake,
    access_token,
    register,
)

AWARE = {"aware_at": "2026-06-02T09:00:00Z"}


async def test_without_a_valid_token_nothing_is_accepted(running: Intake) -> None:
    body = orjson.dumps(incident())
    for header in (
        {},
        {"Authorization": "Bearer hr_police-example_" + "A" * 43},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Basic cG9saWNlOng="},
        # As Java's HttpURLConnection asks: sent on to the sign-in page, it would follow, and read the 200 of that.
        {"Authorization": "Bearer nonsense", "Accept": "text/html, image/gif, image/jpeg, */*; q=0.2"},
    ):
        answer = await running.http.post("/v1/events", content=body, headers=CLOUDEVENT | header)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"

    no_client = {"Authorization": f"Bearer {access_token('review_officer')}"}
    auditor = {"Authorization": f"Bearer {access_token('auditor', client='police-example')}"}
    for header in (no_client, auditor):
        answer = await running.http.post("/v1/events", content=body, headers=CLOUDEVENT | header)
        assert answer.status_code == 403
    assert await running.column("SELECT 1 FROM submission") == []


async def test_a_signed_in_person_reports_as_the_client_of_the_account(running: Intake) -> None:
    header = {"Authorization": f"Bearer {access_token('review_officer', client='council-example')}"}

    answer = await running.http.post(
        "/v1/events", content=orjson.dumps(event("la.became_aware.v1", AWARE)), headers=CLOUDEVENT | header
    )

    assert answer.status_code == 202
    [message] = await running.published()
    assert message.data.reporter.client == "council-example"  # type: ignore[union-attr]


async def test_a_revoked_client_is_refused_at_once_and_may_come_back_with_a_new_token(running: Intake) -> None:
    operator = {"Authorization": f"Bearer {access_token('operations')}"}

    assert (await running.http.delete("/v1/clients/police-example", headers=operator)).status_code == 204
    assert (await running.post(incident())).status_code == 401
    assert (await running.http.delete("/v1/clients/police-example", headers=operator)).status_code == 404

    stranger = POLICE | {"body": "health"}
    assert (await running.http.post("/v1/clients", json=stranger, headers=operator)).status_code == 409
    running.tokens["police-example"] = await register(running, POLICE)
    assert (await running.post(incident())).status_code == 202


async def test_a_client_of_what_the_register_lacks_is_not_registered(running: Intake) -> None:
    operator = {"Authorization": f"Bearer {access_token('operations')}"}
    unknown = {"name": "stranger", "body": "police", "area": "E06000999", "recipient": "police:example"}

    answer = await running.http.post("/v1/clients", json=unknown, headers=operator)

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("The register has no E06000999 and police:example. ")
    assert await running.column("SELECT 1 FROM client WHERE name = 'stranger'") == []


@pytest.mark.parametrize(("before", "after"), [("police:west-yorkshire", None), (None, "police:west-yorkshire")])
async def test_a_client_that_has_reported_comes_back_as_the_same_source_alone(
    running: Intake, before: str | None, after: str | None
) -> None:
    operator = {"Authorization": f"Bearer {access_token('operations')}"}
    old, new = ({"name": "force", "body": "police", "area": LEEDS, "recipient": one} for one in (before, after))

    async def comes_back(client: dict[str, str | None]) -> httpx.Response:
        await running.http.delete("/v1/clients/force", headers=operator)
        return await running.http.post("/v1/clients", json=client, headers=operator)

    unheard = [(await comes_back(one)).status_code for one in (new, old, new, old)]
    running.tokens["force"] = (await comes_back(old)).json()["token"]
    await running.post(incident(), by="force")
    refused, same = await comes_back(new), await comes_back(old)

    assert (unheard, refused.status_code, same.status_code) == ([201] * 4, 409, 201)
    assert "another name" in refused.json()["detail"]
    assert "recipient" in refused.json()["detail"]


async def test_of_requests_at_the_same_moment_each_speaks_for_its_own_token(running: Intake) -> None:
    unknown = {"Authorization": f"Bearer hr_police-example_{'A' * 43}"}
    posts = [running.post(incident(id=f"evt-{n}"), by=("police-example", "council-example")[n % 2]) for n in range(20)]
    refused = [running.http.get("/v1/receipts", headers=unknown) for _ in range(5)]

    answers = await asyncio.gather(*posts, *refused)

    assert [answer.status_code for answer in answers] == [202] * 20 + [401] * 5
    kept = {str(one.id): one.data.reporter.client for one in await running.published()}  # type: ignore[union-attr]
    assert [kept[one.json()["event_id"]] for one in answers[:20]] == ["police-example", "council-example"] * 10


async def test_a_token_is_shown_once_and_stored_as_a_digest(running: Intake) -> None:
    token = running.tokens["police-example"]
    operator = {"Authorization": f"Bearer {access_token('operations')}"}

    assert re.fullmatch(r"hr_police-example_[A-Za-z0-9_-]{43}", token)
    assert token not in (await running.http.get("/v1/clients", headers=operator)).text
    assert not any(token in row for row in await running.column("SELECT c::text FROM client AS c"))
    taken = await running.http.post("/v1/clients", json=POLICE, headers=operator)
    assert taken.status_code == 409
