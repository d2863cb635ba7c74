"""What partners send in a run, and a handler that answers it as routing does: state per case, one decision per event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final, Literal
from uuid import UUID

import orjson

from schemas import topics
from schemas.envelope import Envelope
from services.kit.codec import Event
from services.kit.memory import MemoryTransaction
from tests.simulation.process import Process
from tests.support.deadlines import obligation_met, obligation_opened, obligation_redated
from tests.support.kit import NOON, aware, case

Kind = Literal["open", "redate", "met", "note"]
MONDAY: Final = date(2026, 11, 2)
SOURCES: Final = (topics.CASE_EVENTS, topics.DELIVERIES)


@dataclass(frozen=True)
class Fact:
    """One event of a partner. `bad`: handling it fails until somebody has put the handler right."""

    number: int
    case_number: int
    kind: Kind
    due_on: date
    bad: bool

    @property
    def name(self) -> str:
        """Name it as its message does."""
        return f"{self.number} {self.kind}"

    @property
    def case_key(self) -> str:
        """Return its case."""
        return case(self.case_number)

    def wire(self) -> bytes:
        """Return its message."""
        return aware(self.name, self.case_key).wire()


@dataclass(frozen=True)
class Sent:
    """One record that a partner puts on a topic, after a pause."""

    what: str
    after_s: float
    topic: str
    key: bytes
    value: bytes


class Script:
    """Everything that is sent in a run."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.facts: dict[str, Fact] = {}
        self.sent: list[Sent] = []
        cases = chance.randint(2, 5)
        for number in range(1, chance.randint(cases, 5 * cases) + 1):
            self._event(number, chance.randint(1, cases))
            self._odd(chance.randint(1, cases))

    def _event(self, number: int, case_number: int) -> None:
        chance = self._chance
        opens = all(fact.case_number != case_number for fact in self.facts.values())
        kind: Kind = "open" if opens else chance.choice(("redate", "redate", "met", "note", "note"))
        due_on = MONDAY + timedelta(days=chance.randint(1, 60))
        fact = Fact(number, case_number, kind, due_on, bad=chance.random() < 1 / 25)
        self.facts[fact.name] = fact
        self._send("an event", SOURCES[0] if opens else chance.choice(SOURCES), fact.case_key.encode(), fact.wire())

    def _odd(self, case_number: int) -> None:
        """Now and then: a record again, one that nobody can read, or a type that nobody knows."""
        odd = self._chance.random()
        key = case(case_number).encode()
        if odd < 1 / 8:
            again = self._chance.choice(self.sent)
            self._send("again", again.topic, again.key, again.value)
        elif odd < 1 / 6:
            self._send("poison", self._chance.choice((*SOURCES, topics.DECISIONS)), key, b"\xff %d" % len(self.sent))
        elif odd < 1 / 5:
            body = orjson.loads(aware(f"unknown {len(self.sent)}", case(case_number)).wire())
            self._send(
                "an unknown type", self._chance.choice(SOURCES), key, orjson.dumps(body | {"type": "something.new.v1"})
            )

    def _send(self, what: str, topic: str, key: bytes, value: bytes) -> None:
        self.sent.append(Sent(what, self._chance.choice((0.0, 0.0, 0.05, 0.3)), topic, key, value))


@dataclass(frozen=True)
class CaseState:
    """What the handler keeps of a case: how many events it had, and its duty's date while that is open."""

    count: int = 0
    due_on: date | None = None


class Deciding:
    """Answers each event of a case with a note that says which event of the case it was, and decides about its duty."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.repaired = False

    async def handle(self, events: Sequence[Event], tx: MemoryTransaction, process: Process) -> None:
        """Handle a batch."""
        for each in events:
            fact = self._script.facts[each.message.data.how]
            kept = tx.view("kept")
            state: CaseState = kept.get(("case", fact.case_key), CaseState())
            await process.step("handle")
            if fact.bad and not self.repaired:
                raise ZeroDivisionError
            tx.written()
            kept["case", fact.case_key], decided = decide(fact, state)
            for message in decided:
                tx.emit(topics.DECISIONS, message)


def decide(fact: Fact, state: CaseState) -> tuple[CaseState, Iterable[Envelope]]:
    """Return the case after an event, and what is to be said of it."""
    state = replace(state, count=state.count + 1)
    note = aware(f"{state.count}: {fact.name}", fact.case_key)
    duty, head = UUID(int=fact.case_number), {"case_key": fact.case_key}
    number = 1000 + fact.number
    match fact.kind:
        case "open":
            state = replace(state, due_on=fact.due_on)
            opened = obligation_opened(number, duty, fact.due_on, from_on=MONDAY, case_key=fact.case_key)
            return state, (note, opened)
        case "redate" if state.due_on is not None:
            redated = obligation_redated(number, duty, fact.due_on, MONDAY).model_copy(update=head)
            return replace(state, due_on=fact.due_on), (note, redated)
        case "met" if state.due_on is not None:
            return replace(state, due_on=None), (note, obligation_met(number, duty, NOON, case_key=fact.case_key))
        case _:
            return state, (note,)
