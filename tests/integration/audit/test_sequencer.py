"""What an entry says, and that nobody who can log in changes it; how the log grows is in tests/contract/audit."""

import json
from math import inf, nan

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.audit.domain.entry import commitment
from services.audit.domain.merkle import inclusion_ranges, leaf_hash, verify_inclusion
from services.audit.domain.tiles import range_hashes
from services.audit.store import log as store
from services.audit.store import reading
from tests.support.audit import CASE, TestLog, event, record, records


async def rows(log: TestLog) -> list[reading.Row]:
    async with log.database.connect() as connection:
        return await reading.entries(connection, 0, 1_000_000)


async def test_an_entry_says_what_it_is_about_and_commits_to_the_record(log: TestLog) -> None:
    read = record(event(1, data={"rules": ["N-02", "N-01"], "recipients": ["panel"], "note": "kept beside"}), 7)
    await log.append([read])

    row = (await rows(log))[0]
    entry = json.loads(row.entry)
    assert entry["record"] == {"topic": "safeguarding.decisions.v1", "partition": 0, "offset": 7}
    assert entry["about"] == {"rules": ["N-01", "N-02"], "recipients": ["panel"]}
    assert (entry["event"]["casekey"], entry["event"]["time"]) == (CASE, "2026-11-02T11:59:00+00:00")
    assert (row.payload, row.leaf_hash) == (read.value, leaf_hash(row.entry))
    assert row.salt is not None
    assert entry["payload"]["commit"] == commitment(row.salt, read.value).hex()
    assert b"kept beside" not in row.entry


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\xff\xfe not JSON",
        b"[]",
        b"{}",
        b'{"specversion":"1.0"}',
        event(1, id="not-a-uuid"),
        event(1, time="yesterday"),
        event(1, recordedat="2026-11-02T12:00:00"),  # no offset
        event(1, time="0001-01-01T00:00:00+14:00"),
        event(1, producerseq=True),
        event(1, producerseq=2**53),
        event(1, caseseq=0),
        event(1, casekey="nul\u0000"),
        event(1, source="x" * 201),
        event(1, type="something.new.v3", data={"x": nan}),  # pydantic takes it, no JSON reader of ours does
        event(1, ignored=inf),
        event(1, data={"rules": [f"{number:06d}" for number in range(9000)]}),  # an entry of more than 32 kB
    ],
    ids=repr,
)
async def test_poison_becomes_an_entry_that_keeps_only_its_hash(
    log: TestLog, broken: bytes | dict[str, object]
) -> None:
    await log.append([record(broken, 5), *records(1, start=2)])
    await log.append([record(broken, 5)])

    poison, message = await rows(log)
    assert json.loads(poison.entry)["kind"] == "poison"
    assert set(json.loads(poison.entry)) == {"v", "kind", "record", "logged_at", "sha256", "bytes"}
    assert (poison.payload, poison.salt) == (None, None)
    assert json.loads(message.entry)["kind"] == "message"


async def test_data_of_an_unknown_type_is_logged_whatever_it_holds(log: TestLog) -> None:
    odd = event(
        1, type="something.new.v9", data={"rule": 7, "rules": ["ok", None, "\u0000"], "traces": [1, {"rule": []}]}
    )
    await log.append([record(odd, 1), record(event(2, data=1.5), 2), record(event(3, data=None), 3)])

    assert [json.loads(row.entry)["about"]["rules"] for row in await rows(log)] == [["ok"], [], []]


async def test_a_rule_that_was_answered_no_is_not_what_a_decision_is_about(log: TestLog) -> None:
    answers = [
        {"rule": "N-01", "answer": "yes"},
        {"rule": "N-02", "answer": "no"},
        {"rule": "N-03", "answer": "undecided"},
    ]
    await log.append([record(event(1, data={"traces": answers}), 1)])

    assert json.loads((await rows(log))[0].entry)["about"]["rules"] == ["N-01", "N-03"]


async def test_a_proof_made_from_stored_tiles_is_accepted(log: TestLog) -> None:
    await log.append(records(600))
    head = await log.head()
    row = (await rows(log))[258]

    async with log.database.connect() as connection:
        ranges = inclusion_ranges(258, 600)
        proof = range_hashes(ranges, await store.tiles_for(connection, head, ranges))
        in_tree = await store.leaf_hashes(connection, head, 250, 600)
    verify_inclusion(leaf=leaf_hash(row.entry), index=258, size=600, proof=proof, root=head.root)
    assert in_tree == [leaf_hash(row.entry) for row in (await rows(log))[250:600]]


FORBIDDEN_TO_THE_SERVICE = [
    "UPDATE entry SET entry = entry",
    "DELETE FROM entry",
    "TRUNCATE entry",
    "UPDATE record SET payload = ''",
    "DELETE FROM record",
    "UPDATE tile SET hashes = hashes",
    "DELETE FROM checkpoint",
    "DELETE FROM log",
    "UPDATE log SET size = 1",
    "UPDATE log SET origin = 'other'",
    "INSERT INTO entry VALUES (7, sha256('\\x0061'), 'a', gen_random_uuid())",  # leaves a hole
    "INSERT INTO entry VALUES (2, sha256('\\x61'), 'a', gen_random_uuid())",  # not the leaf hash
    "ALTER TABLE entry DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
]


@pytest.mark.parametrize("statement", FORBIDDEN_TO_THE_SERVICE)
async def test_the_service_itself_cannot_change_what_it_wrote(log: TestLog, statement: str) -> None:
    await log.append(records(2))

    with pytest.raises(DBAPIError):
        async with log.database.begin() as tx:
            await tx.connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement", ["UPDATE audit.entry SET entry = ''", "DELETE FROM audit.tile", "TRUNCATE audit.record"]
)
async def test_a_superuser_is_stopped_too_until_the_triggers_are_switched_off(log: TestLog, statement: str) -> None:
    await log.append(records(300))
    superuser = await asyncpg.connect(log.address.url())
    try:
        await superuser.execute("SET session_replication_role = replica")
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await superuser.execute(statement)
    finally:
        await superuser.close()
