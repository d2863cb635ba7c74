"""Sends events by HTTP: once or again makes no difference, so what was not answered is sent again with the same id."""

from __future__ import annotations

import http.client
import json
import random
import re
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any, Final

from handrail.client.direct import AsItStands, Direct, is_private
from handrail.client.told import told

_TIMEOUT_S: Final = 10.0
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0
REFUSALS: Final = frozenset({400, 403, 409, 413, 415, 422})  # what intake answers to an event that it judged


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
        super().__init__(f"{status}: {told(problem)}")


class TryAgain(Exception):
    """Intake said nothing of the event: it was away, or something before it answered. Whether it is kept is not known.

    Keep the event and send the same again later, also after a 401: with a valid token, intake judges it.
    """


@dataclass(frozen=True, slots=True)
class _Answer:
    """`body` is empty unless it is a JSON object."""

    status: int
    headers: Message
    body: Mapping[str, Any]

    @property
    def is_refusal(self) -> bool:
        """Say whether intake refuses the event; another status, or another body, may come from what stands before intake."""
        return self.status in REFUSALS and self.headers.get_content_type() == "application/problem+json"

    @property
    def is_receipt(self) -> bool:
        """Say whether it is a receipt."""
        return self.status in (200, 202) and self.body.keys() >= {"receipt_id", "event_id", "case_key", "missing"}

    @property
    def is_given(self) -> bool:
        """Say whether it is what a GET asked for."""
        return self.status == 200 and bool(self.body)  # noqa: PLR2004

    @property
    def retry_after_s(self) -> float:
        value = self.headers.get("Retry-After", "")
        return float(value) if value.isdecimal() else 0.0


class HandrailClient:
    """One partner system's connection to Handrail.

    Args:
        url: Where intake is, with https unless it is on this machine.
        token: The client's token.
        tries: How often to try at most; with the same id that is safe.
        sleep: Waits between tries, in seconds.
    """

    def __init__(self, url: str, token: str, *, tries: int = 5, sleep: Callable[[float], None] = time.sleep) -> None:
        if not is_private(url):
            raise ValueError("expected an https address: events hold personal data and a token")
        if not re.fullmatch("[!-~]+", token):  # which is not quoted, as whoever refuses the header does
            raise ValueError(
                "what was given as the token is no token: expected one line of ASCII, without its line end"
            )
        self._url = url.rstrip("/")
        self._token = token
        self._tries = tries
        self._sleep = sleep

    def send(self, event: Mapping[str, Any]) -> Receipt:
        """Report one CloudEvent and return its receipt.

        Raises:
            NotAccepted: It was refused, with what to change.
            TryAgain: Intake said nothing of it; send the same again later.
        """
        status, body = self.post(json.dumps(event).encode())
        return Receipt(
            body["receipt_id"],
            body["event_id"],
            body["case_key"],
            tuple(body["missing"]),
            again=status == 200,  # noqa: PLR2004
        )

    def post(self, event: bytes) -> tuple[int, Mapping[str, Any]]:
        """Report one CloudEvent as it stands; return 202 or, for one sent before, 200, and the whole receipt.

        Raises:
            NotAccepted: It was refused, with what to change.
            TryAgain: Intake said nothing of it; send the same again later.
        """
        answer = self._call("POST", "/v1/events", lambda answer: answer.is_receipt, event)
        return answer.status, answer.body

    def receipt(self, receipt_id: str) -> Mapping[str, Any]:
        """Return how far an event has come.

        Raises:
            TryAgain: It was not given; HTTP 404 if none of yours has this id.
        """
        return self._call("GET", f"/v1/receipts/{receipt_id}", lambda answer: answer.is_given).body

    def keys(self) -> Mapping[str, Any]:
        """Return the key set to which `encrypt_personal` encrypts.

        Raises:
            TryAgain: It was not given.
        """
        return self._call("GET", "/v1/keys", lambda answer: answer.is_given).body

    def _call(self, method: str, path: str, expected: Callable[[_Answer], bool], body: bytes | None = None) -> _Answer:
        why = ""
        for attempt in range(self._tries):
            pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**attempt) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
            try:
                answer = self._once(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                why = type(error).__name__
            else:
                if expected(answer):
                    return answer
                if answer.is_refusal:
                    raise NotAccepted(answer.status, answer.body)
                why = f"HTTP {answer.status}"
                if answer.status == 401:  # noqa: PLR2004
                    why = "HTTP 401, the token is not valid"
                    break
                pause = min(_LONGEST_PAUSE_S, max(pause, answer.retry_after_s))
            if attempt + 1 < self._tries:
                self._sleep(pause)
        raise TryAgain(f"no answer of intake ({why}): whether it is kept is not known; send the same again later")

    def _once(self, method: str, path: str, body: bytes | None) -> _Answer:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/cloudevents+json"}
        request = urllib.request.Request(self._url + path, body, headers, method=method)  # noqa: S310 - the scheme was checked
        with _OPENER.open(request, timeout=_TIMEOUT_S) as answer:
            return _Answer(answer.status, answer.headers, _json(answer.read()))


_OPENER: Final = urllib.request.build_opener(Direct, AsItStands)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
