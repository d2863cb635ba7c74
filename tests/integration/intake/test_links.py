"""Links on a real database: a guessed case number joins nothing until the other side has let the claimant in."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

from schemas import topics
from schemas.case_events import CaseLinked, IncidentReported
from schemas.deliveries import NoticeWithdrawn, NoticeWithdrawnData
from schemas.envelope import Envelope
from services.intake.domain import progress
from services.intake.store import clients
from services.intake.store import progress as progress_store
from services.kit.codec import Event
from services.kit.path import handle_batch
from tests.support.intake import LEEDS, event, incident
from tests.support.intake_app import Intake, register
from tests.support.intake_routing import envelope, notice, owed

AWARE = {"aware_at": "2026-06-02T09:00:00Z"}
POLICE_CASE = {"client": "police-example", "case_reference": "WYP/2026/0001"}
COUNCIL_CASE = {"client": "council-example", "case_reference": "LCC-1"}
_partitions = itertools.count()


async def links(running: Intake) -> list[tuple[str | None, str]]:
    """Return the pairs that were announced, in order."""
    return [
        (one.case_key, one.data.linked_case_key) for one in await running.published() if isinstance(one, CaseLinked)
    ]


async def routing_says(running: Intake, *messages: Envelope) -> None:
    """Hand messages to intake's own consumer, each batch as a partition of its own."""
    consumer = running.app.state.runtime.consume.workers["intake"].consumer
    partition = next(_partitions)
    batch = [Event(one, one.wire(), topics.DELIVERIES, partition, offset) for offset, one in enumerate(messages)]
    outcome = await handle_batch(running.database, consumer, batch)
    assert not outcome.errors


async def council_names_police(running: Intake, id_: str = "evt-2") -> dict[str, Any]:
    """Let the council name the police's case by its number."""
    answer = await running.post(
        event("la.became_aware.v1", {**AWARE, "linked_case": POLICE_CASE}, id_=id_), by="council-example"
    )
    assert answer.status_code == 202
    body: dict[str, Any] = answer.json()
    return body


async def waiting(running: Intake) -> Sequence[Any]:
    """Return the cases that wait."""
    return await running.column("SELECT case_key FROM pending_link")


async def test_a_guessed_number_links_nothing_and_the_answer_does_not_tell(running: Intake) -> None:
    await running.post(incident())
    guessed = await council_names_police(running)
    nowhere = event(
        "la.became_aware.v1", {**AWARE, "linked_case": {**POLICE_CASE, "case_reference": "NEVER/1"}}, id_="evt-3"
    )
    never = (await running.post(nowhere, by="council-example")).json()
    named = incident(id="evt-4", data__case_reference="LCC-1", data__linked_case=POLICE_CASE)
    await running.post(named, by="council-example")

    assert guessed.keys() == never.keys()
    assert await links(running) == []
    assert await waiting(running) == [guessed["case_key"]] * 2
    first, second = [one for one in await running.published() if isinstance(one, IncidentReported)]
    assert first.data.children[0].child != second.data.children[0].child


async def test_whoever_was_told_is_linked_at_once(running: Intake) -> None:
    police = (await running.post(incident())).json()
    await routing_says(running, owed("N-11", police["case_key"], f"la:{LEEDS}"))

    council = await council_names_police(running)
    await council_names_police(running, "evt-3")

    assert await links(running) == [(council["case_key"], police["case_key"])]
    assert await waiting(running) == []


async def test_a_link_that_waited_takes_effect_once_when_its_client_is_told(running: Intake) -> None:
    police = (await running.post(incident())).json()
    council = await council_names_police(running)

    await routing_says(running, owed("N-11", police["case_key"], f"lscp:{LEEDS}"))
    before = await links(running)
    await routing_says(running, owed("N-11", police["case_key"], f"la:{LEEDS}"))
    await routing_says(running, owed("N-12", police["case_key"], f"la:{LEEDS}"))

    assert before == []
    assert await links(running) == [(council["case_key"], police["case_key"])]
    assert await waiting(running) == []


async def test_a_notice_of_a_case_linked_with_it_lets_in_too(running: Intake) -> None:
    police = (await running.post(incident())).json()
    council = await council_names_police(running)
    by_key = incident(id="evt-7", data__case_reference="LSCP-1", data__linked_case={"case_key": police["case_key"]})
    lscp = (await running.post(by_key, by="lscp-example")).json()

    await routing_says(running, owed("N-11", lscp["case_key"], f"la:{LEEDS}"))

    assert await links(running) == [
        (lscp["case_key"], police["case_key"]),
        (council["case_key"], police["case_key"]),
    ]


async def test_a_link_whose_client_was_told_before_takes_effect_when_the_cases_are_joined(running: Intake) -> None:
    police = (await running.post(incident())).json()
    await routing_says(running, owed("N-11", police["case_key"], f"la:{LEEDS}"))
    unborn = {"client": "lscp-example", "case_reference": "LSCP-1"}
    council = (
        await running.post(event("la.became_aware.v1", {**AWARE, "linked_case": unborn}), by="council-example")
    ).json()

    by_key = incident(id="evt-7", data__case_reference="LSCP-1", data__linked_case={"case_key": police["case_key"]})
    lscp = (await running.post(by_key, by="lscp-example")).json()

    assert await links(running) == [(lscp["case_key"], police["case_key"]), (council["case_key"], lscp["case_key"])]


async def test_notices_that_were_withdrawn_or_await_release_let_nobody_in(running: Intake) -> None:
    police = (await running.post(incident())).json()
    case = police["case_key"]
    told = owed("N-11", case, f"la:{LEEDS}")
    data = NoticeWithdrawnData(**notice("N-11", f"la:{LEEDS}"), reason="corrected", was_delivered=False)
    held_back = owed("N-12", case, f"la:{LEEDS}")
    held_back = held_back.model_copy(update={"data": held_back.data.model_copy(update={"released": False})})

    await routing_says(running, told, NoticeWithdrawn(**envelope("withdrawn", case), data=data), held_back)
    await council_names_police(running)

    assert await links(running) == []


async def test_two_reporters_who_name_each_other_are_linked_once(running: Intake) -> None:
    council = await council_names_police(running)
    minted = (await running.post(incident())).json()
    before = await links(running)
    for number in range(2):
        await running.post(incident(id=f"evt-back-{number}", data__linked_case=COUNCIL_CASE))

    assert before == []  # that the named case exists now is nobody's consent
    assert await links(running) == [(council["case_key"], minted["case_key"])]
    assert await waiting(running) == []


async def test_two_who_name_each_other_at_the_same_moment_are_linked_once(running: Intake) -> None:
    for number in range(8):
        police = incident(
            id=f"p-{number}",
            data__case_reference=f"P-{number}",
            data__linked_case={"client": "council-example", "case_reference": f"C-{number}"},
        )
        council = event(
            "la.became_aware.v1",
            {**AWARE, "case_reference": f"C-{number}", "linked_case": {**POLICE_CASE, "case_reference": f"P-{number}"}},
            id_=f"c-{number}",
        )
        answers = await asyncio.gather(running.post(police), running.post(council, by="council-example"))
        assert [one.status_code for one in answers] == [202, 202]

    assert len(await links(running)) == 8
    assert await waiting(running) == []


async def test_a_revoked_client_is_not_let_in(running: Intake) -> None:
    police = (await running.post(incident())).json()
    await council_names_police(running)
    async with running.database.begin() as tx:
        await clients.revoke(tx.connection, "council-example", tx.now)

    await routing_says(running, owed("N-11", police["case_key"], f"la:{LEEDS}"))

    assert await links(running) == []


BARNSLEY, FORMERLY = "la:E08000038", "E08000016"  # a council with two codes; both are in use


async def test_a_council_under_its_former_code_and_a_successor_are_linked_as_those_who_were_told(
    running: Intake,
) -> None:
    police = (await running.post(incident())).json()
    await routing_says(
        running, owed("N-11", police["case_key"], BARNSLEY), owed("N-03", police["case_key"], "ccg:leeds")
    )
    made = []
    for name, client in (
        ("council-former", {"body": "local_authority", "area": FORMERLY}),
        ("board-example", {"body": "health", "area": LEEDS, "recipient": "icb:west-yorkshire"}),
    ):
        running.tokens[name] = await register(running, client | {"name": name})
        named = incident(data__linked_case=POLICE_CASE, data__case_reference="X-1")
        made.append((await running.post(named, by=name)).json()["case_key"])

    assert await links(running) == [(case_key, police["case_key"]) for case_key in made]


async def test_a_link_that_waited_takes_effect_when_the_present_body_is_told_or_was(running: Intake) -> None:
    police = (await running.post(incident())).json()
    client = {"name": "council-former", "body": "local_authority", "area": FORMERLY}
    running.tokens["council-former"] = await register(running, client)
    named = incident(data__linked_case=POLICE_CASE, data__case_reference="X-1")
    council = (await running.post(named, by="council-former")).json()
    async with running.database.begin() as tx:  # as a version did that saw a stranger in it
        await progress_store.apply(tx.connection, progress.fold([owed("N-11", police["case_key"], BARNSLEY)]))

    await routing_says(running, owed("N-12", police["case_key"], "panel"))

    assert await links(running) == [(council["case_key"], police["case_key"])]
    assert await waiting(running) == []
