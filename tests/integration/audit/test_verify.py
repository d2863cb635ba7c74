"""`handrail verify` over HTTP against a real log: honest, tampered by a superuser in every place, rolled back, cut."""

# ruff: noqa: S608 - statements of an attacker, put together by the test

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from fastapi import FastAPI

from handrail.installation.tokens import Account, TokenIssuer
from handrail.verify import Report, over_http, read_key, verify, verify_log
from services.audit.api import build_api
from services.audit.reader import Reader
from services.kit.auth import Tokens
from services.kit.clock import SystemClock
from tests.support.audit import KEY, NOTE_KEY, TestLog, event, record, records
from tests.support.web import serving

PUBLIC_PEM = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
TOKEN_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


class Served:
    """A log behind HTTP, and a stranger who checks it."""

    def __init__(self, log: TestLog, url: str, token: str) -> None:
        self.log, self.url, self.token = log, url, token

    async def verify(
        self, saved: str | None = None, settle_s: float = 0, pause: Callable[[float], None] = lambda _: None
    ) -> Report:
        def check() -> Report:
            fetch = over_http(self.url, self.token)
            return verify(fetch, read_key(PUBLIC_PEM), saved=saved, settle_s=settle_s, pause=pause)

        return await asyncio.to_thread(check)

    async def tamper(self, *statements: str) -> None:
        """Do what somebody with every right in the database can do."""
        connection = await asyncpg.connect(self.log.address.url())
        try:
            for table in ("entry", "record", "tile", "log", "checkpoint"):
                await connection.execute(f"ALTER TABLE audit.{table} DISABLE TRIGGER ALL")
            for statement in statements:
                assert await connection.execute(statement) not in ("UPDATE 0", "DELETE 0")
        finally:
            await connection.close()


@pytest_asyncio.fixture
async def served(log: TestLog, tmp_path: Path) -> AsyncIterator[Served]:
    (tmp_path / "token.key").write_bytes(TOKEN_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = TOKEN_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "token.pub").write_bytes(public)
    app = FastAPI()
    app.state.tokens = Tokens(tmp_path / "token.pub", SystemClock())
    app.include_router(build_api(Reader(log.database)))
    token = TokenIssuer(tmp_path / "token.key").issue(Account("auditor", "Audrey Audit", "auditor"))
    async with serving(app) as url:
        yield Served(log, url, token)


async def fill(log: TestLog, *batches: int) -> str:
    """Append and sign batch after batch, and return the last checkpoint."""
    start = 1
    for size in batches:
        await log.append(records(size, start=start))
        await log.publish()
        start += size
    return (log.folder / f"{start - 1:020d}.note").read_text()


async def test_an_honest_log_verifies_whole(served: Served) -> None:
    saved = await fill(served.log, 3, 700, 600)

    report = await served.verify(saved=saved)
    assert report.problems == []
    assert report.summary() == "verified: 1303 entries of log.example/test under 3 signed checkpoints"


async def test_an_empty_log_verifies(served: Served) -> None:
    await served.log.publish()

    assert (await served.verify()).ok


async def test_a_verifier_key_works_as_well_as_pem(served: Served) -> None:
    await fill(served.log, 3)

    key = read_key(NOTE_KEY.encode().encode())
    assert (await asyncio.to_thread(verify, over_http(served.url, served.token), key)).ok


async def test_a_superuser_who_rewrites_entries_and_their_hashes_is_found_at_each(served: Served) -> None:
    await fill(served.log, 400)
    wrong = (0, 17, 255, 256, 399)
    for seq in wrong:
        changed = "convert_to(replace(convert_from(entry, 'UTF8'), 'panel', 'ofsted'), 'UTF8')"
        await served.tamper(
            f"UPDATE audit.entry SET entry = {changed}, leaf_hash = sha256('\\x00'::bytea || {changed}) WHERE seq = {seq}"
        )

    report = await served.verify()
    assert [p for p in report.problems if p.startswith("entry")] == [
        f"entry {seq}: its content does not have the hash that stands in the tree" for seq in wrong
    ]


@pytest.mark.parametrize("bit", [0, 100, 1003, 2047])
async def test_a_flipped_bit_of_an_entry_is_found(served: Served, bit: int) -> None:
    await fill(served.log, 40)
    flipped = f"set_bit(entry, {bit}, 1 - get_bit(entry, {bit}))"
    await served.tamper(
        f"UPDATE audit.entry SET entry = {flipped}, leaf_hash = sha256('\\x00'::bytea || {flipped}) WHERE seq = 21"
    )

    assert any(problem.startswith("entry 21: ") for problem in (await served.verify()).problems)


async def test_a_changed_or_missing_record_is_found(served: Served) -> None:
    await fill(served.log, 20)
    await served.tamper(
        "UPDATE audit.record SET payload = set_bit(payload, 9, 1 - get_bit(payload, 9)) WHERE seq = 4",
        "UPDATE audit.record SET salt = set_bit(salt, 9, 1 - get_bit(salt, 9)) WHERE seq = 5",
        "DELETE FROM audit.record WHERE seq = 6",
    )

    assert (await served.verify()).problems == [
        "entry 4: the record kept with it is not the one that it commits to",
        "entry 5: the record kept with it is not the one that it commits to",
        "entry 6: the record that it commits to is gone",
    ]


async def test_a_rewritten_tree_is_narrowed_down_by_earlier_checkpoints(served: Served) -> None:
    await fill(served.log, 300, 300, 300)
    changed = "convert_to(replace(convert_from(entry, 'UTF8'), 'panel', 'ofsted'), 'UTF8')"
    await served.tamper(
        f"UPDATE audit.entry SET entry = {changed}, leaf_hash = sha256('\\x00'::bytea || {changed}) WHERE seq = 310",
        "UPDATE audit.tile SET hashes = overlay(hashes PLACING (SELECT leaf_hash FROM audit.entry WHERE seq = 310)"
        " FROM (310 - 256) * 32 + 1 FOR 32) WHERE level = 0 AND idx = 1",
    )

    assert [p for p in (await served.verify()).problems if "root" in p] == [
        "the tree does not have the root signed at size 600: changed in entries 300 to 599",
        "the tree does not have the root signed at size 900: changed in entries 300 to 899",
    ]


async def test_a_deleted_entry_is_found(served: Served) -> None:
    await fill(served.log, 20)
    await served.tamper("DELETE FROM audit.entry WHERE seq = 7")

    assert any(problem.startswith("entry 7: ") for problem in (await served.verify()).problems)


async def test_a_log_that_was_rolled_back_contradicts_the_saved_checkpoint(served: Served) -> None:
    await fill(served.log, 3)
    later = [record(event(number), number) for number in range(4, 9)]
    await served.log.append(later)
    await served.log.publish()
    saved = (served.log.folder / f"{8:020d}.note").read_text()
    await served.tamper("DELETE FROM audit.checkpoint WHERE size = 8")

    report = await served.verify(saved=saved)
    assert report.problems == ["the log has 3 entries, a checkpoint at 8 was signed before: it was rolled back"]


async def test_a_checkpoint_of_another_key_cannot_be_checked(served: Served) -> None:
    await fill(served.log, 3)
    other = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    report = await asyncio.to_thread(verify_log, served.url, served.token, other)
    assert not report.ok
    assert report.summary().startswith("cannot check: the checkpoint of log.example/test at size 3 is not signed")


async def test_a_decision_that_never_reached_the_log_shows_as_a_gap(served: Served) -> None:
    numbered = records(6)
    await served.log.append([numbered[0], numbered[1], numbered[5]])
    await served.log.publish()

    assert (await served.verify()).problems == [
        "producer routing: number 3 to 5 is missing before entry 2",
        f"case {'c' * 32} of routing: number 3 to 5 is missing before entry 2",
    ]


async def test_numbers_still_on_their_way_are_waited_for(served: Served) -> None:
    numbered = records(6)
    await served.log.append([numbered[0], numbered[2]])
    await served.log.publish()
    running, waited = asyncio.get_running_loop(), list[float]()

    async def arrive() -> None:
        await served.log.append(numbered)
        await served.log.publish()

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            asyncio.run_coroutine_threadsafe(arrive(), running).result()

    assert (await served.verify(settle_s=1000, pause=wait)).ok
    assert waited == [1.0, 1.0]


async def test_a_number_that_two_events_claim_is_found(served: Served) -> None:
    await served.log.append([record(event(1), 1), record(event(2, caseseq=1, producerseq=1), 2)])
    await served.log.publish()

    assert (await served.verify()).problems == [
        "entries 0 and 1 both are number 1 of producer routing",
        f"entries 0 and 1 both are number 1 of case {'c' * 32} of routing",
    ]


async def test_a_server_that_does_not_answer_cannot_be_checked() -> None:
    report = await asyncio.to_thread(verify_log, "http://127.0.0.1:9", None, PUBLIC_PEM)
    assert report.summary().startswith("cannot check: http://127.0.0.1:9/v1/checkpoints does not answer")
