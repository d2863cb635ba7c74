"""What went wrong, for a program (problem details, RFC 9457) and for a person (the error page).

An error page says what happened, whether the event was kept, and what to do. A service that knows better than
the sentences here says so with the members `kept` and `next_step` of its problem. The value that was refused
is never repeated: it may be personal data.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import responses
from typing import Any

import orjson

from schemas.field_faults import UNUSABLE

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

# status: title, what happened, what to do
_SENTENCES: Mapping[int, tuple[str, str, str]] = {
    400: ("This could not be done", "The request was not in a form that we can use.", "Go back and try again."),
    401: ("You need to sign in", "This page is only shown to people who have signed in.", "Sign in and try again."),
    403: (
        "You cannot do this",
        "Your role does not allow it, or the request came from another site.",
        "If you need this for your work, ask the person who runs your service.",
    ),
    404: (
        "Page not found",
        "There is nothing at this address, or you may not see it.",
        "Check the address, or start again from the home page.",
    ),
    409: ("This has changed", "Something else was recorded first.", "Go back, read the page again and decide again."),
    422: (
        "Some answers need another look",
        "We could not use what was sent.",
        "Go back, correct it and send it again.",
    ),
    500: ("Something went wrong", "This is a fault of ours, and it was logged.", "Try again in a few minutes."),
    503: ("Not available now", "A part that this page needs is not running.", "Try again in a few minutes."),
}


@dataclass(frozen=True)
class Problem:
    """One refusal or fault; `errors` holds one entry per field, in the order in which they were found."""

    status: int
    title: str
    detail: str
    kept: str
    next_step: str
    errors: tuple[Mapping[str, str], ...] = ()
    more: Mapping[str, Any] | None = None

    def wire(self) -> bytes:
        """Return the body of an `application/problem+json` response."""
        members = dict(self.more or {}) | {
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "kept": self.kept,
            "next_step": self.next_step,
        }
        return orjson.dumps(members | ({"errors": self.errors} if self.errors else {}))


def describe(status: int, method: str, body: bytes = b"") -> Problem:
    """Return the problem that an error response stands for.

    Args:
        status: 400 to 599; one without sentences of its own speaks as 400 or 500.
        method: HTTP method of the request.
        body: What the application answered: problem details, FastAPI's `{"detail": ...}`, or anything else.
    """
    title, happened, next_step = _SENTENCES.get(status) or _SENTENCES[400 if status < 500 else 500]  # noqa: PLR2004
    said = _members(body)
    errors = said.get("errors") or said.get("detail")
    return Problem(
        status=status,
        title=_own_words(said.get("title"), status) or title,
        detail=_own_words(said.get("detail"), status) or happened,
        kept=str(said.get("kept") or _kept(status, method)),
        next_step=str(said.get("next_step") or next_step),
        errors=tuple(_field_error(error) for error in errors) if isinstance(errors, list) else (),
        more={key: value for key, value in said.items() if key not in ("detail", "errors")},
    )


def _members(body: bytes) -> dict[str, Any]:
    """Read a JSON object; `HTTPException(detail={...})` arrives wrapped in one more `detail`."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(said, dict):
        return {}
    return said["detail"] if isinstance(said.get("detail"), dict) else said


def _own_words(said: object, status: int) -> str:
    """Frameworks repeat the name of the status ("Not Found"), which helps nobody."""
    return said if isinstance(said, str) and said.lower() != responses.get(status, "").lower() else ""


def _field_error(error: object) -> Mapping[str, str]:
    """FastAPI's entry (`loc`, `input`) becomes a JSON pointer and a sentence; ours stays, value left out."""
    if not isinstance(error, dict):
        return {"detail": UNUSABLE}
    detail = str(error.get("detail") or UNUSABLE)  # not pydantic's `msg`: it may quote what was sent
    if "loc" not in error:
        named = {key: str(error[key]) for key in ("pointer", "parameter") if key in error}
        return {"detail": detail} | named
    where, *path = error["loc"]
    if where == "body":
        return {"detail": detail, "pointer": "".join(f"/{step}" for step in path)}
    return {"detail": detail, "parameter": ".".join(str(step) for step in path)}


def _kept(status: int, method: str) -> str:
    if method in _SAFE_METHODS:
        return "You asked to see something. No event was sent, and none was lost."
    if status < 500:  # noqa: PLR2004 (server faults begin here)
        return "What you sent was not accepted as an event."
    return "We cannot tell from here whether what you sent was kept. Look at the case before you send it again."
