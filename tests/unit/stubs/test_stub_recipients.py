"""Pins what a stub recipient promises: it believes signatures only, journals before it answers, and misbehaves on demand."""

from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.stubs.app import create_app
from deploy.stubs.behaviour import BadBehaviour, read_behaviour
from deploy.stubs.journal import FILE_NAME, Entry, Journal
from handrail.installation.installation import Installation
from tests.support import installation

KEY = Ed25519PrivateKey.generate()
PANEL = {"type": "notice.v1", "recipient": "panel", "title": "Tell the Panel"}
Client = TestClient[Any, Any]


def signed(
    body: bytes, webhook_id: str = "n-1", key: Ed25519PrivateKey = KEY, timestamp: int | None = None
) -> dict[str, str]:
    at = str(int(time.time()) if timestamp is None else timestamp)
    signature = base64.b64encode(key.sign(f"{webhook_id}.{at}.".encode() + body)).decode()
    return {"webhook-id": webhook_id, "webhook-timestamp": at, "webhook-signature": f"v1,AAAA v1a,{signature}"}


async def send(client: Client, content: object = PANEL, to: str = "panel", **signing: Any) -> tuple[int, Any]:
    body = json.dumps(content).encode()
    return await send_raw(client, body, signed(body, **signing), to)


async def send_raw(client: Client, body: bytes, headers: Mapping[str, str], to: str = "panel") -> tuple[int, Any]:
    async with client.post(f"/recipients/{to}/webhook", data=body, headers=headers) as response:
        return response.status, await response.json()


async def journal(client: Client, recipient: str = "panel") -> list[dict[str, Any]]:
    async with client.get(f"/recipients/{recipient}/journal") as response:
        entries: list[dict[str, Any]] = (await response.json())["entries"]
        return entries


async def behave(client: Client, **instruction: object) -> None:
    async with client.post("/recipients/panel/behaviour", json=instruction) as response:
        assert response.status == 200


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with TestClient(TestServer(create_app(tmp_path, [KEY.public_key()]))) as found:
        yield found


async def test_a_signed_notice_is_taken_with_a_reference_and_is_on_disk_when_the_answer_comes(
    client: Client, tmp_path: Path
) -> None:
    status, answer = await send(client)

    kept = [json.loads(line) for line in (tmp_path / FILE_NAME).read_text().splitlines()]
    assert status == 200
    assert answer["reference"].startswith("PANEL-")
    assert [(e["outcome"], e["verified"], e["reference"], e["body"]) for e in kept] == [
        ("taken", True, answer["reference"], PANEL)
    ]


async def test_the_same_message_again_gets_the_same_reference_and_is_journalled_as_a_repeat(client: Client) -> None:
    first, second, other = await send(client), await send(client), await send(client, webhook_id="n-2")

    assert first == second
    assert other[1] != first[1]
    assert [e["outcome"] for e in await journal(client)] == ["taken", "repeat", "taken"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"webhook-signature": "v1a,AAAA"}, "no signature"),
        ({"webhook-signature": "v1a,not base64"}, "no signature"),
        ({"webhook-id": "n-other"}, "no signature"),
        ({"webhook-timestamp": -10}, "no signature"),
        ({"webhook-timestamp": "soon"}, "whole seconds"),
        ({"webhook-id": ""}, "expected the headers"),
    ],
)
async def test_what_is_not_proven_to_be_from_the_sender_is_rejected_and_kept(
    client: Client, change: dict[str, str | int], reason: str
) -> None:
    body = json.dumps(PANEL).encode()
    headers = signed(body)
    # a whole number is counted from the timestamp that was signed: from that of the collection it may be long past
    moved = {
        name: value if isinstance(value, str) else str(int(headers[name]) + value) for name, value in change.items()
    }

    status, answer = await send_raw(client, body, headers | moved)

    assert status == 401
    assert reason in answer["title"]
    assert [(e["outcome"], e["verified"]) for e in await journal(client)] == [("rejected", False)]


async def test_a_changed_body_an_old_timestamp_and_a_strange_key_are_rejected(client: Client) -> None:
    body = json.dumps(PANEL).encode()

    changed = await send_raw(client, body + b" ", signed(body))
    old = await send(client, timestamp=int(time.time()) - 301)
    strange = await send(client, key=Ed25519PrivateKey.generate())

    assert [status for status, _ in (changed, old, strange)] == [401, 401, 401]


async def test_a_message_for_somebody_else_is_rejected(client: Client) -> None:
    status, _ = await send(client, to="ofsted")

    assert status == 422
    assert [e["outcome"] for e in await journal(client, "ofsted")] == ["rejected"]


async def test_a_stub_fails_as_often_as_told_and_then_works(client: Client) -> None:
    await behave(client, mode="fail", times=2)

    statuses = [(await send(client))[0] for _ in range(3)]

    assert statuses == [503, 503, 200]
    assert [e["outcome"] for e in await journal(client)] == ["failed", "failed", "taken"]


async def test_a_stub_told_to_refuse_does_so_until_told_otherwise(client: Client) -> None:
    await behave(client, mode="refuse")
    refused = [(await send(client))[0] for _ in range(2)]
    await behave(client, mode="normal")

    assert refused == [403, 403]
    assert (await send(client))[0] == 200


async def test_a_slow_stub_answers_late_and_a_hanging_one_does_not_answer_as_if_it_had_taken_it(client: Client) -> None:
    await behave(client, mode="slow", seconds=0.2, times=1)
    before = time.monotonic()
    slow, _ = await send(client)
    took = time.monotonic() - before
    await behave(client, mode="hang", seconds=0.05, times=1)
    async with client.post(
        "/recipients/panel/webhook", data=json.dumps(PANEL), headers=signed(json.dumps(PANEL).encode(), "n-3")
    ) as hung:
        status = hung.status

    assert (slow, status) == (200, 503)
    assert took >= 0.2
    assert [e["outcome"] for e in await journal(client)] == ["taken", "hung"]


async def test_a_busy_stub_asks_to_come_back_and_one_that_talks_nonsense_gives_no_receipt(client: Client) -> None:
    body = json.dumps(PANEL).encode()
    await behave(client, mode="busy", seconds=1.5, times=1)
    async with client.post("/recipients/panel/webhook", data=body, headers=signed(body)) as busy:
        assert (busy.status, busy.headers["Retry-After"]) == (429, "2")
    await behave(client, mode="garbage", times=1)
    async with client.post("/recipients/panel/webhook", data=body, headers=signed(body)) as garbage:
        assert garbage.status == 200
        with pytest.raises(ValueError, match=r"decode|JSON"):
            json.loads(await garbage.read())

    assert (await send(client))[0] == 200
    assert [e["outcome"] for e in await journal(client)] == ["busy", "garbage", "taken"]


async def test_a_stub_can_cut_the_connection_and_let_its_answer_drip(client: Client) -> None:
    body = json.dumps(PANEL).encode()
    await behave(client, mode="reset", times=1)
    with pytest.raises(aiohttp.ClientError):
        await client.post("/recipients/panel/webhook", data=body, headers=signed(body))
    await behave(client, mode="drip", seconds=0.5, times=1)
    async with client.post("/recipients/panel/webhook", data=body, headers=signed(body)) as dripped:
        assert dripped.status == 200
        assert (await dripped.read()).strip() == b""

    assert [e["outcome"] for e in await journal(client)] == ["reset", "dripped"]


async def test_the_journal_keeps_the_digest_of_the_bytes_that_came(client: Client) -> None:
    body = json.dumps(PANEL).encode()
    await send(client)

    assert [e["sha256"] for e in await journal(client)] == [hashlib.sha256(body).hexdigest()]


@pytest.mark.parametrize(
    "instruction", [[], {"mode": "angry"}, {"mode": "slow", "seconds": -1}, {"mode": "fail", "times": 0}]
)
def test_an_instruction_that_cannot_be_followed_is_refused(instruction: object) -> None:
    with pytest.raises(BadBehaviour):
        read_behaviour(instruction)


async def test_after_a_kill_the_journal_is_as_it_was_answered_and_a_torn_line_is_dropped(
    client: Client, tmp_path: Path
) -> None:
    await send(client)
    kept = (tmp_path / FILE_NAME).read_bytes()
    (tmp_path / FILE_NAME).write_bytes(kept + b'{"number": 2, "recip')

    async with Journal(tmp_path) as again:
        assert [e.number for e in again.entries] == [1]
        assert again.reference_of("n-1") == again.entries[0].reference
    assert (tmp_path / FILE_NAME).read_bytes() == kept


async def test_a_sender_that_goes_away_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    entry = Entry(0, "panel", 0.0, "taken", 200, "n-1", verified=True, reference="R", reason=None, body=PANEL)
    async with Journal(tmp_path) as kept:
        gone, stays = asyncio.create_task(kept.append(entry)), asyncio.create_task(kept.append(entry))
        await asyncio.sleep(0)  # both wait for the disk
        gone.cancel()

        await asyncio.wait_for(stays, 10)

    assert len((tmp_path / FILE_NAME).read_text().splitlines()) == 2


async def test_what_the_disk_took_only_a_part_of_is_not_kept_and_what_comes_after_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = Entry(0, "panel", 0.0, "taken", 200, "n-1", verified=True, reference="R", reason=None, body=PANEL)
    write, room = os.write, [60]

    def write_what_there_is_room_for(file: int, data: memoryview) -> int:
        if not room:
            return write(file, data)
        if not (most := room.pop()):
            raise OSError(errno.ENOSPC, "No space left on device")
        room.append(0)
        return write(file, data[:most])

    async with Journal(tmp_path) as kept:
        await kept.append(entry)
        monkeypatch.setattr(os, "write", write_what_there_is_room_for)
        with pytest.raises(OSError, match="No space left"):
            await kept.append(replace(entry, webhook_id="n-2"))
        assert kept.reference_of("n-2") is None
        await kept.append(replace(entry, webhook_id="n-3"))

    async with Journal(tmp_path) as again:
        assert [(each.number, each.webhook_id) for each in again.entries] == [(1, "n-1"), (2, "n-3")]


async def test_pages_show_what_came_and_escape_it(client: Client) -> None:
    empty = await (await client.get("/")).text()
    await send(client, {"recipient": "panel", "title": "<script>alert(1)</script>"})
    front, mailbox = await (await client.get("/")).text(), await (await client.get("/recipients/panel")).text()

    assert "Nothing has reached" in empty
    assert 'href="/recipients/panel"' in front
    assert "<script>" not in mailbox
    assert "&lt;script&gt;" in mailbox


async def test_neither_page_nor_journal_shows_a_grant(client: Client) -> None:
    await send(client, PANEL | {"content": {"url": "https://intake.example/v1/content/1", "grant": "eyJhbGciOi"}})
    shown = [await (await client.get(path)).text() for path in ("/recipients/panel", "/recipients/panel/journal")]

    for text in shown:
        assert "https://intake.example/v1/content/1" in text
        assert "eyJhbGciOi" not in text


async def test_a_mailbox_needs_a_well_formed_recipient_id(client: Client) -> None:
    async with client.get("/recipients/No%20body/journal") as response:
        assert response.status == 404


async def test_a_page_of_another_site_cannot_tell_a_recipient_how_to_answer(client: Client) -> None:
    instruction = json.dumps({"mode": "refuse"})
    async with client.post(
        "/recipients/panel/behaviour", data=instruction, headers={"Content-Type": "text/plain"}
    ) as response:
        assert response.status == 415

    assert (await send(client))[0] == 200


def test_whoever_reads_beside_the_stubs_leaves_out_a_line_that_is_being_written(tmp_path: Path) -> None:
    (tmp_path / "stubs").mkdir()
    (tmp_path / "stubs" / FILE_NAME).write_text('{"number": 1}\n{"number": 2, "recip')

    assert installation.journal(Installation(tmp_path)) == [{"number": 1}]
