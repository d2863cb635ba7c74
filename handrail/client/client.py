"""Sends events by HTTP: once or again makes no difference, so what was not answered is sent again with the same id."""

from __future__ import annotations

import http.client
import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_TIMEOUT_S: Final = 10.0
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0
_AWAY: Final = frozenset({429, 500, 502, 503, 504})  # 500: the server does not know whether it kept the event


@dataclass(frozen=True, slots=True)
class Receipt:
    """The event is kept. `missing` are facts that such a report usually needs; `again` if it had been sent before."""

    receipt_id: str
    event_id: str
    case_key: str
    missing: tuple[Mapping[str, Any], ...]
    again: bool


class NotAccepted(Exception):
    """The event was refused; sending it again unchanged would not help. `problem` says what to change (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = problem
        places = ", ".join(error["pointer"] for error in problem.get("errors", ()))
        super().__init__(f"{status}: {problem.get('detail', problem.get('title', ''))} {places}".rstrip())


class TryAgain(Exception):
    """Handrail could not be reached, failed, or had no time, as often as it was tried. Whether the event is kept is not known."""


class HandrailClient:
    """One partner system's connection to Handrail.

    Args:
        url: Where intake is, with https unless it is on this machine.
        token: The client's token.
        tries: How often to try at most; with the same id that is safe.
        sleep: Waits between tries, in seconds.
    """

    def __init__(self, url: str, token: str, *, tries: int = 5, sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ValueError("expected an https address: events hold personal data and a token")
        self._url = url.rstrip("/")
        self._token = token
        self._tries = tries
        self._sleep = sleep

    def send(self, event: Mapping[str, Any]) -> Receipt:
        """Report one CloudEvent and return its receipt.

        Raises:
            NotAccepted: It was refused, with what to change.
            TryAgain: No answer came; send the same again later.
        """
        status, body = self._call("POST", "/v1/events", json.dumps(event).encode())
        return Receipt(
            body["receipt_id"],
            body["event_id"],
            body["case_key"],
            tuple(body["missing"]),
            again=status == 200,  # noqa: PLR2004
        )

    def receipt(self, receipt_id: str) -> Mapping[str, Any]:
        """Return how far an event has come."""
        return self._call("GET", f"/v1/receipts/{receipt_id}")[1]

    def keys(self) -> Mapping[str, Any]:
        """Return the key set to which `encrypt_personal` encrypts."""
        return self._call("GET", "/v1/keys")[1]

    def _call(self, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
        why = ""
        for attempt in range(self._tries):
            pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
            try:
                return self._once(method, path, body)
            except urllib.error.HTTPError as error:
                with error:
                    if error.code not in _AWAY:
                        raise NotAccepted(error.code, _json(error.read())) from None
                    why, pause = f"HTTP {error.code}", max(pause, _retry_after(error))
            except (OSError, http.client.HTTPException) as error:
                why = type(error).__name__
            if attempt + 1 < self._tries:
                self._sleep(pause)
        raise TryAgain(f"no answer after {self._tries} tries ({why}); send the same event again later")

    def _once(self, method: str, path: str, body: bytes | None) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/cloudevents+json"}
        request = urllib.request.Request(self._url + path, body, headers, method=method)  # noqa: S310 - the scheme was checked
        with _OPENER.open(request, timeout=_TIMEOUT_S) as answer:
            return answer.status, _json(answer.read())


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry token and event to an address that nobody chose."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none: the answer stands as it is."""


_OPENER: Final = urllib.request.build_opener(_NoRedirects)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _retry_after(error: urllib.error.HTTPError) -> float:
    value = error.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else 0.0
