"""The load: a police force that reports cases all the time, by HTTP at both copies of intake and by Kafka.

Each case is reported twice at the same moment, at different copies, under different ids; each report is tried again
until it has a receipt. Now and then bytes that nobody can read go on the Kafka topic. What was sent, answered and
acknowledged is remembered here and nowhere else: the checks compare it with what the services say.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Self
from uuid import UUID

import aiohttp
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from handrail.installation.clients import Credentials
from schemas import identity
from tests.support.faults.builds import SECOND
from tests.support.faults.rig import Rig
from tests.support.reports import PERSONAL, REPORTED_ON, SOURCE, report

PAUSE_S: Final = 0.15  # between two cases of one worker: the machine has other things to do
RETRY_S: Final = 0.15
POISON_EVERY: Final = 10
AT_ONCE: Final = 16  # as many requests as a busy partner has open
FINISH_S: Final = 240.0
ANSWERS: Final = frozenset({200, 202, 429, 503})


@dataclass
class Sent:
    """What a load did. `accepted`: by event id, the receipt of each 2xx; `produced`: ids that Kafka acknowledged.

    `of_others`: what of it another client than `client` reported.
    """

    client: str
    tried: set[UUID] = field(default_factory=set)
    reports: dict[UUID, tuple[str, str, date]] = field(default_factory=dict)
    """Name, case and day of each report that was posted, so that it can be sent again."""
    accepted: dict[UUID, UUID] = field(default_factory=dict)
    produced: set[UUID] = field(default_factory=set)
    poison: set[bytes] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    of_others: set[UUID] = field(default_factory=set)

    def add_others(self, other: Sent) -> None:
        """Answer for what another client reported, too."""
        self.tried |= other.tried
        self.accepted |= other.accepted
        self.produced |= other.produced
        self.poison |= other.poison
        self.answers += other.answers
        self.wrong += other.wrong
        self.of_others |= other.tried

    @property
    def count(self) -> int:
        """How many events and poison records we may answer for."""
        return len(self.accepted) + len(self.produced) + len(self.poison)


class Load(threading.Thread):
    """Reports cases of a day until told to stop; `name` makes its cases and ids its own."""

    def __init__(
        self, rig: Rig, police: Credentials, name: str, *, pause_s: float = PAUSE_S, on: date = REPORTED_ON
    ) -> None:
        super().__init__(name=f"load-{name}", daemon=True)
        self._pause_s = pause_s
        self._on = on
        self.sent = Sent(police.client)
        self._urls = [rig.installation.url("intake"), rig.installation.url(f"intake{SECOND}")]
        self._kafka = rig.installation.stack.kafka
        self.police = police
        self.prefix = name
        self._enough = threading.Event()
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self.finish()

    def finish(self) -> None:
        """Report no further case, and return once each that was begun has its receipts.

        Raises:
            TimeoutError: It never got them.
        """
        self._enough.set()
        self.join(FINISH_S)
        if self.is_alive():
            missing = len(self.sent.tried - self.sent.accepted.keys() - self.sent.produced)
            raise TimeoutError(
                f"the load did not get its last receipts within {FINISH_S:.0f} s; {missing} have none, answers were "
                f"{dict(self.sent.answers)}"
            )
        if self._failure:
            raise self._failure

    def run(self) -> None:
        """Run the reporters on an event loop of their own."""
        try:
            asyncio.run(self._report_all())
        except BaseException as failure:  # noqa: BLE001 - told to whoever waits for us
            self._failure = failure

    async def _report_all(self) -> None:
        async with self._session() as session, asyncio.TaskGroup() as group:
            numbers = itertools.count(1)
            group.create_task(self._worker(numbers, lambda case: self._post_case(session, case)))
            group.create_task(self._worker(numbers, lambda case: self._post_case(session, case)))
            group.create_task(self._by_kafka(numbers))

    async def _worker(self, numbers: itertools.count[int], send: Callable[[str], Awaitable[None]]) -> None:
        while not self._enough.is_set():
            await send(f"{self.prefix}-{next(numbers)}")
            await asyncio.sleep(self._pause_s)

    async def _post_case(self, session: aiohttp.ClientSession, case: str) -> None:
        await asyncio.gather(*(self._post(session, f"{case}-{place}", case, place) for place in range(2)))

    def post_one(self, case: str, on: date) -> UUID:
        """Report one case as of a day; return its event's id once it has a receipt. Blocking."""

        async def post() -> None:
            async with self._session() as session:
                await self._post(session, case, case, 0, on)

        asyncio.run(post())
        return self.event_id(case)

    async def _post(
        self, session: aiohttp.ClientSession, name: str, case: str, place: int, on: date | None = None
    ) -> None:
        event_id = self._try(name)
        self.sent.reports[event_id] = (name, case, on or self._on)
        for attempt in itertools.count():
            url = f"{self._urls[(place + attempt) % 2]}/v1/events"  # a partner tries the other address, too
            with suppress(aiohttp.ClientError, TimeoutError):
                async with session.post(url, data=report(name, case, on or self._on, PERSONAL)) as response:
                    self._note(response, event_id, await response.json(content_type=None))
            if event_id in self.sent.accepted:
                return
            await asyncio.sleep(RETRY_S)

    def event_id(self, name: str) -> UUID:
        """Return the id under which intake keeps the event that we call `name`."""
        return identity.event_id(self.police.client, SOURCE, name)

    def post_many(self, number: int) -> None:
        """Report this many more cases as fast as they are taken; return when each has its receipt. Blocking."""
        asyncio.run(self._post_many(iter([f"{self.prefix}-many-{place}" for place in range(number)])))

    async def _post_many(self, cases: Iterator[str]) -> None:
        async def post(place: int) -> None:
            for case in cases:
                await self._post(session, case, case, place)

        async with self._session() as session:
            await asyncio.gather(*(post(place) for place in range(AT_ONCE)))

    def post_at_once(self, case: str, *, sides: int, times: int) -> None:
        """Report one case from many sides at the same moment, each time after time; return when all have receipts. Blocking."""
        asyncio.run(self._post_at_once(case, sides, times))

    async def _post_at_once(self, case: str, sides: int, times: int) -> None:
        async def post(place: int) -> None:
            for time in range(times):
                await self._post(session, f"{case}-{place}-{time}", case, place)

        async with self._session() as session:
            await asyncio.gather(*map(post, range(sides)))

    def _session(self) -> aiohttp.ClientSession:
        headers = {"Authorization": f"Bearer {self.police.token}", "Content-Type": "application/cloudevents+json"}
        return aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=70))

    def post_again(self, ids: Collection[UUID]) -> None:
        """Report again what has a receipt, until it has one again. Blocking."""
        again = [self.sent.reports[each] for each in ids]
        for each in ids:
            del self.sent.accepted[each]

        async def post() -> None:
            async with self._session() as session:
                await asyncio.gather(*(self._post(session, name, case, 0, on) for name, case, on in again))

        asyncio.run(post())

    def _try(self, name: str) -> UUID:
        event_id = self.event_id(name)
        self.sent.tried.add(event_id)
        return event_id

    def _note(self, response: aiohttp.ClientResponse, event_id: UUID, body: Any) -> None:
        self.sent.answers[response.status] += 1
        if response.status in {200, 202}:
            self.sent.accepted[event_id] = UUID(body["receipt_id"])
        elif response.status not in ANSWERS:
            self.sent.wrong.append(f"answered {response.status}: {body}")
        elif "Retry-After" not in response.headers:
            self.sent.wrong.append(f"answered {response.status} without Retry-After")

    async def _by_kafka(self, numbers: itertools.count[int]) -> None:
        while not self._enough.is_set():
            with suppress(KafkaError, OSError):
                await self._with_one_producer(numbers)
            await asyncio.sleep(RETRY_S)

    async def _with_one_producer(self, numbers: itertools.count[int]) -> None:
        """Report until something fails: what a broken idempotent producer does next is not to be relied on."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka.bootstrap,
            security_protocol=self._kafka.security_protocol,
            sasl_mechanism="SCRAM-SHA-512",
            sasl_plain_username=self.police.kafka_user,
            sasl_plain_password=self.police.kafka_password,
            acks="all",
            enable_idempotence=True,
        )
        try:
            await producer.start()
            await self._worker(numbers, lambda case: self._produce(producer, case))
        finally:
            with suppress(KafkaError, OSError, TimeoutError):
                await asyncio.wait_for(producer.stop(), 5)

    async def _produce(self, producer: AIOKafkaProducer, case: str) -> None:
        event_id = self._try(case)
        await producer.send_and_wait(self.police.kafka_topic, report(case, case, self._on))
        self.sent.produced.add(event_id)
        if len(self.sent.produced) % POISON_EVERY == 1:
            unreadable = b"\xff" + case.encode()
            await producer.send_and_wait(self.police.kafka_topic, unreadable)
            self.sent.poison.add(hashlib.sha256(unreadable).digest())
