"""Send one signed webhook over HTTP and say what came of it; never raises for what a recipient does.

Redirects are failures, answers are read up to a limit, and nothing of an answer's body but the reference is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp
import orjson
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from services.routing.dispatch.schedule import retry_after_s

TIMEOUT_S: Final = 15.0
MAX_ANSWER_BYTES: Final = 64 * 1024
_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_.:-]{0,127}")
_OK_FROM, _OK_TO = 200, 299


@dataclass(frozen=True, slots=True)
class Answer:
    """What a recipient's system did. `reference` is set when it took the message; `problem` says in our words why not."""

    http_status: int | None
    reference: str | None = None
    problem: str | None = None
    retry_after_s: float | None = None

    @property
    def taken(self) -> bool:
        """Say whether the recipient's system took the message."""
        return self.reference is not None


class Channel(Protocol):
    """A way to a recipient's system."""

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send these bytes and return what came of it."""
        ...


class _Connector(aiohttp.TCPConnector):
    """Uses no connection again on which something came that nobody had asked for: it would count as the next one's answer.

    Private names of aiohttp, which looks only whether it is connected. A test shows that.
    """

    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        for protocol, _ in self._conns.get(key, ()):
            if protocol.should_close:
                protocol.close()
        return await super()._get(key, traces)


def open_session() -> aiohttp.ClientSession:
    """Return a session for everything that this process asks of others.

    Its callers bound what is under way. A limit here would let requests wait where their time runs already, and a
    recipient that was never asked would count as one that does not answer.
    """
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), connector=_Connector(limit=0))


class WebhookChannel:
    """Signed HTTP POST. `session` is set when the process's event loop runs."""

    session: aiohttp.ClientSession

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send these bytes and return what came of it."""
        try:
            async with self.session.post(
                url,
                data=body,
                headers={**headers, "content-type": "application/json"},
                allow_redirects=False,
                timeout=self._timeout,
            ) as response:
                content = await _read(response)
                return read_answer(response.status, response.headers.get("Retry-After"), content)
        except TimeoutError:
            return Answer(None, problem="no answer in time")
        except (aiohttp.ClientError, OSError, UnicodeError) as error:  # the last of a name that DNS cannot be asked for
            return Answer(None, problem=f"no connection ({type(error).__name__})")


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the body, cut at the limit: a longer one is no receipt."""
    content = b""
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            break
    return content[:MAX_ANSWER_BYTES]


def read_answer(http_status: int, retry_after: str | None, content: bytes) -> Answer:
    """Return what an HTTP answer means. Only a 2xx with a reference in it says that the message was taken."""
    if not _OK_FROM <= http_status <= _OK_TO:
        return Answer(http_status, problem=f"answered {http_status}", retry_after_s=retry_after_s(retry_after))
    try:
        reference = orjson.loads(content).get("reference")
    except (orjson.JSONDecodeError, AttributeError):
        reference = None
    if not isinstance(reference, str) or not _REFERENCE.fullmatch(reference):
        return Answer(http_status, problem=f"answered {http_status} without a reference")
    return Answer(http_status, reference=reference)
