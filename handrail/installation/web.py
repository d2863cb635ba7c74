"""The few HTTP calls that the command line makes to services on this machine, with the standard library alone."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import quote

from handrail.client.direct import AsItStands, Direct
from handrail.client.told import told

OPENER = urllib.request.build_opener(Direct)
_WITH_TOKEN = urllib.request.build_opener(Direct, AsItStands)
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and decoded body of a response; the body is None when it is not JSON."""

    status: int
    body: Any
    text: str

    def detail(self) -> str:
        """Return what a problem document says, or how another answer begins."""
        return (told(self.body) if isinstance(self.body, dict) else "") or self.text[:300]


class CallFailed(RuntimeError):
    """A service on this machine refused or could not be reached; the text says which and why. `status`: of its answer, if any."""

    def __init__(self, says: str, status: int | None = None) -> None:
        super().__init__(says)
        self.status = status


class Web:
    """Calls one service with one token."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        self.token = token

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Make one request; any status is an answer.

        Raises:
            CallFailed: Nothing answered at this address.
        """
        request = urllib.request.Request(self.base_url + path, data=body, method=method)  # noqa: S310 - our services
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            return self._answered(request)
        except HTTPException as error:
            raise CallFailed(f"no whole answer came from {self.base_url}: {error!r}. Is that Handrail?") from error
        except OSError as error:
            raise CallFailed(f"nothing answered at {self.base_url}: {error}. Is Handrail running?") from error

    def _answered(self, request: urllib.request.Request) -> Answer:
        try:
            with (_WITH_TOKEN if self.token else OPENER).open(request, timeout=_TIMEOUT_S) as response:
                return _answer(response.status, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.read())

    def get(self, path: str) -> Any:
        """Return the JSON body of a successful GET.

        Raises:
            CallFailed: Any other status, or a body that is no JSON object.
        """
        return self._expect(self.call("GET", path), "GET", path)

    def pages(self, path: str, follows: str = "next") -> Iterator[Any]:
        """Yield the JSON bodies of all pages of a list.

        Args:
            path: With a query; `after` is added to it from the second page on.
            follows: The member of a page that has the `after` of the next, null on the last.

        Raises:
            CallFailed: A page was not given.
        """
        page = self.get(path)
        yield page
        while page[follows] is not None:
            page = self.get(f"{path}&after={quote(str(page[follows]))}")
            yield page

    def post(self, path: str, value: object) -> Any:
        """Post JSON and return the JSON body of a successful answer.

        Raises:
            CallFailed: Any status but 2xx, or a body that is no JSON object.
        """
        body = json.dumps(value).encode()
        return self._expect(self.call("POST", path, body, {"Content-Type": "application/json"}), "POST", path)

    def delete(self, path: str) -> Any:
        """Delete and return the JSON body, if any.

        Raises:
            CallFailed: Any status but 2xx.
        """
        return self._expect(self.call("DELETE", path), "DELETE", path)

    def _expect(self, answer: Answer, method: str, path: str) -> Any:
        if not 200 <= answer.status < 300:  # noqa: PLR2004
            raise CallFailed(
                f"{method} {self.base_url}{path} answered {answer.status}: {answer.detail()}", answer.status
            )
        if method != "DELETE" and not isinstance(answer.body, dict):  # such as the sign-in page of a proxy
            raise CallFailed(
                f"{method} {self.base_url}{path} answered {answer.status}, but not as Handrail does. What else is there?"
            )
        return answer.body


def _answer(status: int, content: bytes) -> Answer:
    text = content.decode(errors="replace")
    try:
        return Answer(status, json.loads(text), text)
    except ValueError:
        return Answer(status, None, text)
