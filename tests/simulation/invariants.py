"""What must hold, whatever happened: one function each, judged by what the broker and the databases hold at the end.

None of them asks the services; what was to be done is worked out from the records that partners sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final
from uuid import UUID

import orjson

from services.kit.codec import Decoded, Event, Poison, decode
from services.kit.kafka_compat import RawRecord
from services.kit.memory import MemoryStore
from services.kit.quarantine import Record
from tests.simulation.road import Road
from tests.simulation.workload import SOURCES

NOTE: Final = "la.became_aware.v1"


def first_events(records: Iterable[RawRecord]) -> list[Event]:
    """Return the events among records, each where it came first, in order."""
    found: dict[UUID, Event] = {}
    for item in map(decode, records):
        if isinstance(item, Event):
            found.setdefault(item.record_id, item)
    return list(found.values())


def outbox(store: MemoryStore) -> list[dict[str, Any]]:
    """Return the messages that a service committed, in commit order."""
    return [orjson.loads(row.payload) for _, row in sorted(store.state.outbox.items())]


def notes(road: Road) -> dict[str, list[str]]:
    """Return, by case, what routing said about its events, in order: "number of the event in its case: its name"."""
    found: dict[str, list[str]] = defaultdict(list)
    for message in outbox(road.routing.store):
        if message["type"] == NOTE:
            found[message["casekey"]].append(message["data"]["how"])
    return found


def every_event_has_its_effect_once(road: Road) -> Iterator[str]:
    """Nothing lost, and effects once."""
    expected = sorted(event.message.data.how for topic in SOURCES for event in first_events(road.broker.of(topic)))
    found = sorted(how.split(": ")[1] for hows in notes(road).values() for how in hows)
    if found != expected:
        yield f"expected one effect of each of {expected}, got {found}"


def events_of_a_case_are_handled_in_order(road: Road) -> Iterator[str]:
    """Case order: within each topic as it came, and each saw the state that the one before it left."""
    said = notes(road)
    for case_key, hows in said.items():
        numbers = [int(how.split(": ")[0]) for how in hows]
        if numbers != list(range(1, len(hows) + 1)):
            yield f"case {case_key[-4:]}: expected its events to be counted in order, got {hows}"
    for topic in SOURCES:
        for case_key, hows in said.items():
            came = [
                event.message.data.how for event in first_events(road.broker.of(topic)) if event.case_key == case_key
            ]
            order = [name for how in hows if (name := how.split(": ")[1]) in came]
            if order != came:
                yield f"case {case_key[-4:]} of {topic}: expected {came}, got {order}"


def an_event_is_handled_or_put_aside(road: Road) -> Iterator[str]:
    """Nothing lost and poison isolated, before anybody lets anything out: each event has had its effect, or it waits."""
    done = {how.split(": ")[1] for hows in notes(road).values() for how in hows}
    held, parked = _aside(road)
    aside = [item.message.data.how for record in (*held, *parked) if isinstance(item := _decoded(record), Event)]
    for topic in SOURCES:
        for event in first_events(road.broker.of(topic)):
            name = event.message.data.how
            if (name in done) + aside.count(name) != 1:
                yield f"{name}: expected it to be handled or put aside, got {name in done} and {aside.count(name)}"
    blamed = {record.case_key for record in held}
    yield from (
        f"offset {one.offset} of {one.topic} is parked, and its case has nothing held"
        for one in parked
        if one.case_key not in blamed
    )


def what_waits_is_in_order(road: Road) -> Iterator[str]:
    """Parked events in order: those of one case and partition wait in the order in which they came."""
    _, parked = _aside(road)
    for case_key, place in {(one.case_key, (one.topic, one.partition)): None for one in parked}:
        offsets = [one.offset for one in parked if (one.case_key, (one.topic, one.partition)) == (case_key, place)]
        if offsets != sorted(offsets):
            yield f"{place}: events of case {case_key} wait out of order: {offsets}"


def _aside(road: Road) -> tuple[list[Record], list[Record]]:
    """Return what routing holds in quarantine, and what waits behind it, each in order of arrival."""
    state = road.routing.store.state
    held = sorted((one for one in state.held.values() if one.state == "held"), key=lambda one: one.arrival)
    parked = sorted((one for one in state.parked.values() if one), key=lambda one: one.arrival)
    return [one.record for one in held], [one.record for one in parked]


def _decoded(record: Record) -> Decoded:
    return decode(RawRecord(record.topic, record.partition, record.offset, record.key, record.payload, (), 0))


def every_poison_record_is_announced_once(road: Road) -> Iterator[str]:
    """Poison isolated: each record that cannot be read is put aside once, and said so once; audit logs it instead."""
    for service in road.services:
        for group, (subscribed, _) in service.groups.items():
            expected = sorted(
                (record.topic, record.partition, record.offset)
                for topic in subscribed
                for record in road.broker.of(topic)
                if not service.raw and isinstance(decode(record), Poison)
            )
            quarantined = [one.record for one in service.store.state.held.values() if one.record.consumer == group]
            found = sorted(
                (one.topic, one.partition, one.offset) for one in quarantined if not isinstance(_decoded(one), Event)
            )
            if found != expected:
                yield f"{group}: expected {expected} in quarantine, got {found}"
        announced = [m["data"]["quarantine_id"] for m in outbox(service.store) if m["type"] == "record.quarantined.v1"]
        if sorted(announced) != sorted(str(each) for each in service.store.state.held):
            yield f"{service.name}: expected one announcement of each of {len(service.store.state.held)}, got {announced}"


def everything_committed_is_published(road: Road) -> Iterator[str]:
    """The relay: nothing lost, the same number always the same message, no number left out, first times in order."""
    for service in road.services:
        committed = [message["id"] for message in outbox(service.store)]
        numbers: dict[int, set[str]] = defaultdict(set)
        for place, log in road.broker.logs.items():
            highest = 0
            for record in log:
                message = _message(record)
                if message.get("producer") != service.name:
                    continue
                new = message["producerseq"] not in numbers
                numbers[message["producerseq"]].add(message["id"])
                if new and message["producerseq"] < highest:
                    yield f"{service.name} on {place}: {message['producerseq']} came first after {highest}"
                highest = max(highest, message["producerseq"])
        expected = {number: {message} for number, message in enumerate(committed, 1)}
        if numbers != expected:
            lost = [number for number, message in expected.items() if numbers.get(number) != message]
            yield f"{service.name}: expected {len(expected)} messages by number, numbers {lost[:5]} are missing or not theirs"


def messages_of_a_case_are_numbered_in_the_order_they_come(road: Road) -> Iterator[str]:
    """Case order for whoever reads: `case_seq` counts without a gap, and comes in order on each topic."""
    for service in road.services:
        seqs: dict[str, list[int]] = defaultdict(list)
        for message in outbox(service.store):
            if "caseseq" in message:
                seqs[message["casekey"]].append(message["caseseq"])
        for case_key, found in seqs.items():
            if found != list(range(1, len(found) + 1)):
                yield f"{service.name}, case {case_key[-4:]}: expected its messages numbered in order, got {found}"


def nobody_stopped(road: Road) -> Iterator[str]:
    """No false alarm: the topics were never made again, so no consumer may have stopped for that."""
    for service in road.services:
        for copy in service.copies.values():
            for client in copy.clients:
                if wrong := client.worker.stopped():
                    yield f"{copy.process.name}: {wrong}"


def _message(record: RawRecord) -> dict[str, Any]:
    try:
        found: dict[str, Any] = orjson.loads(record.value)
    except orjson.JSONDecodeError:
        return {}
    return found


AFTER_THE_STORM = (an_event_is_handled_or_put_aside, what_waits_is_in_order, nobody_stopped)
AT_THE_END = (
    every_event_has_its_effect_once,
    events_of_a_case_are_handled_in_order,
    every_poison_record_is_announced_once,
    everything_committed_is_published,
    messages_of_a_case_are_numbered_in_the_order_they_come,
    nobody_stopped,
)
