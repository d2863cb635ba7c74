"""Somebody between a server and all who talk with it, who can lose the server's answers.

The server is started again on another port, and what stands between listens at its address, so that nobody has to be told.
A connection whose answer is lost is cut: what was asked is done, and whoever asked cannot know.
"""

from __future__ import annotations

import asyncio
import re
import threading
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from typing import Any, Final
from unittest import mock

from handrail.embedded import kafka as embedded_kafka
from handrail.embedded import postgres as embedded_postgres
from handrail.embedded import process as embedded_process
from handrail.embedded.kafka import EmbeddedKafka
from handrail.embedded.postgres import EmbeddedPostgres
from handrail.embedded.process import LOOPBACK, choose_port

_PIECE: Final = 1 << 16
_KAFKA_REQUESTS: Final = {0: "Produce", 1: "Fetch", 8: "OffsetCommit"}
"""By their number, those of Kafka's requests whose answers can be lost."""
_RECORDS: Final = b"\x28\xb5\x2f\xfd"  # how zstd begins (RFC 8878), in which our topics keep records
_BY: Final = re.compile(rb"\0user\0handrail_(\w+)\0")
_COMMIT: Final = b"Q\x00\x00\x00\x0cCOMMIT;\x00"
_COMMITTED: Final = b"COMMIT\x00"
_WROTE: Final = re.compile(rb"C\x00\x00\x00.(?:INSERT 0|UPDATE|DELETE) [1-9]", re.DOTALL)


class Line(ABC):
    """One connection: which of the server's answers have a name under which they can be lost."""

    @abstractmethod
    async def read(self, reader: asyncio.StreamReader) -> bytes:
        """Return the next piece, from either side; nothing at the end."""

    @abstractmethod
    def asks(self, piece: bytes) -> None:
        """Remember what a client asks."""

    @abstractmethod
    def answers(self, piece: bytes) -> str:
        """Return the name of what a server answers; empty if it has none."""


class KafkaLine(Line):
    """A client of Kafka. A name is the request's; a broker answers the requests of a connection in their order."""

    def __init__(self) -> None:
        self._asked: deque[str] = deque()

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        """Return the next request or answer, whole."""
        with suppress(asyncio.IncompleteReadError):
            size = await reader.readexactly(4)
            return size + await reader.readexactly(int.from_bytes(size))
        return b""

    def asks(self, piece: bytes) -> None:
        """Remember which request this is."""
        self._asked.append(_KAFKA_REQUESTS.get(int.from_bytes(piece[4:6]), ""))

    def answers(self, piece: bytes) -> str:
        """Return which request this answers; nothing of one to read that brings no record."""
        asked = self._asked.popleft()
        return "" if asked == "Fetch" and _RECORDS not in piece else asked


class PostgresLine(Line):
    """A service and its database. A name is the service's; it stands for the commit of a transaction that wrote."""

    _service = ""
    _wrote = False
    _commits = False

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        """Return what has come."""
        return await reader.read(_PIECE)

    def asks(self, piece: bytes) -> None:
        """Notice whose connection it is, and a commit."""
        if found := _BY.search(piece):
            self._service = found[1].decode()
        self._commits = piece == _COMMIT

    def answers(self, piece: bytes) -> str:
        """Return whose commit this answers."""
        if not self._commits:
            self._wrote |= bool(_WROTE.search(piece))
            return ""
        committed, self._wrote = self._wrote and _COMMITTED in piece, False
        return self._service if committed else ""


class Proxy(threading.Thread):
    """Hands everything on, but for the answers that it is told to lose. `lost`: by name, how many were."""

    def __init__(self, port: int, server_port: int, line: type[Line]) -> None:
        super().__init__(name=f"proxy-{port}", daemon=True)
        self._port, self._server_port, self._line = port, server_port, line
        self._listens = threading.Event()
        self._to_lose: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.start()
        self._listens.wait()

    def lose(self, name: str, times: int) -> None:
        """Lose the next answers of this name."""
        self._to_lose[name] = times

    def close(self) -> None:
        """Cut every connection and listen no more."""
        self._loop.call_soon_threadsafe(self._enough.set)
        self.join()

    def run(self) -> None:
        """Serve until closed."""
        asyncio.run(self._listen())

    async def _listen(self) -> None:
        self._loop, self._enough = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, LOOPBACK, self._port)
        self._listens.set()
        await self._enough.wait()
        server.close()

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        # All are cancelled at the end, and Python 3.11 would print a trace of each.
        with closing(to_client), suppress(OSError, asyncio.CancelledError):
            server, to_server = await asyncio.open_connection(LOOPBACK, self._server_port)
            with closing(to_server):
                line = self._line()
                ways = (self._ask(line, client, to_server), self._answer(line, server, to_client))
                tasks = [asyncio.create_task(way) for way in ways]
                try:
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, line: Line, client: asyncio.StreamReader, to_server: asyncio.StreamWriter) -> None:
        while piece := await line.read(client):
            line.asks(piece)
            to_server.write(piece)
            await to_server.drain()

    async def _answer(self, line: Line, server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        while piece := await line.read(server):
            name = line.answers(piece)
            if self._to_lose[name] > 0:
                self._to_lose[name] -= 1
                self.lost[name] += 1
                return
            to_client.write(piece)
            await to_client.drain()


@contextmanager
def before_kafka(kafka: EmbeddedKafka) -> Iterator[Proxy]:
    """Stand between the broker and its clients while the block runs."""
    port, configured = choose_port("Kafka", None), embedded_kafka.server_properties

    def listens_elsewhere(**settings: Any) -> str:
        return configured(**{**settings, "listeners": f"CLIENT://{LOOPBACK}:{port}"})

    elsewhere = mock.patch.object(embedded_kafka, "server_properties", listens_elsewhere)
    at = int(kafka.address.bootstrap.rpartition(":")[2])
    with _in_front(kafka, at, port, KafkaLine, elsewhere) as proxy:
        yield proxy


@contextmanager
def before_postgres(postgres: EmbeddedPostgres) -> Iterator[Proxy]:
    """Stand between the database server and its clients while the block runs."""
    port, at = choose_port("PostgreSQL", None), postgres.address.port
    elsewhere = mock.patch.dict(embedded_postgres._SETTINGS, port=str(port))
    with _in_front(postgres, at, port, PostgresLine, elsewhere) as proxy:
        yield proxy


@contextmanager
def _in_front(
    server: EmbeddedKafka | EmbeddedPostgres,
    at: int,
    port: int,
    line: type[Line],
    elsewhere: AbstractContextManager[Any],
) -> Iterator[Proxy]:
    """Start a server again at another port, and have somebody stand at its own while the block runs."""
    is_free = embedded_process._is_free
    server.stop()
    proxy = Proxy(at, port, line)
    try:
        with elsewhere, mock.patch.object(embedded_process, "_is_free", lambda each: each == at or is_free(each)):
            server.start()
        yield proxy
    finally:
        server.stop()
        proxy.close()
        server.start()
