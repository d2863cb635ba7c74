"""The three families of errors, and how one is told to a caller (RFC 9457 problem details).

`Refused`: the caller's fault, final (4xx, or quarantine and acknowledge). `Unavailable`: a part that we need is not
there now (503, or back off and try again). Anything else is a bug: the consume path isolates it, HTTP answers 500.
Messages are our own sentences; they never quote what a caller sent.

Source: https://www.rfc-editor.org/rfc/rfc9457
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

PROBLEM_JSON = "application/problem+json"

_INFRASTRUCTURE_CLASSES = frozenset({"08", "40", "53", "55", "57", "58"})
"""SQLSTATE classes that say nothing about our statement: connection, rollback, resources, state, operator, system."""
READ_ONLY = "25006"
_INFRASTRUCTURE_STATES = frozenset({READ_ONLY, "25P03", "25P04"})
"""The same of single states: a server that may only be read (after a failover), a transaction that stood idle, or took, too long."""
_SYSTEM = frozenset(
    {
        # nothing left
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOBUFS,
        errno.EAGAIN,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EIO,
        # no way there
        errno.EHOSTUNREACH,
        errno.EHOSTDOWN,
        errno.ENETUNREACH,
        errno.ENETDOWN,
        errno.EADDRNOTAVAIL,
    }
)
"""What the operating system says of itself and of the network. Others, such as a file that is missing, may be our own mistake."""


class HandrailError(Exception):
    """Something went wrong."""

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(self.detail)


class Refused(HandrailError):
    """The request cannot be accepted as it is.

    `errors` names each field at fault: `{"pointer": "/data/area", "detail": "..."}`, never with its value.
    """

    status: ClassVar[int] = 422
    title: ClassVar[str] = "Refused"

    def __init__(self, detail: str | None = None, *, errors: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(detail)
        self.errors = tuple(errors)


class NotSignedIn(Refused):
    """A valid access token is needed."""

    status = 401
    title = "Not signed in"


class Forbidden(Refused):
    """This account may not do that."""

    status = 403
    title = "Forbidden"


class BadPlace(Refused):
    """`after` is not the `next` of an earlier page: leave it out to start from the first."""


class NotFound(Refused):
    """There is nothing here that you may see."""

    status = 404
    title = "Not found"


class Conflict(Refused):
    """The request contradicts what is already kept."""

    status = 409
    title = "Conflict"


class Unavailable(HandrailError):
    """A part of the system that is needed for this is not available now; try again."""

    status: ClassVar[int] = 503
    title: ClassVar[str] = "Temporarily unavailable"
    retry_after_s: ClassVar[int] = 2


def problem(
    status: int, title: str, detail: str | None = None, errors: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Return the body of a problem details answer."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = [dict(error) for error in errors]
    return body


def is_infrastructure(error: BaseException) -> bool:
    """Return whether an error says that a part is not there now, and nothing about the message or the code."""
    if isinstance(error, (Unavailable, ConnectionError, TimeoutError, PoolTimeout, socket.gaierror)):
        return True
    if type(error) is OSError and error.errno is None:
        return True  # uvloop tried several addresses, and each failed in its own way
    if isinstance(error, OSError):
        return error.errno in _SYSTEM
    if isinstance(error, DBAPIError):
        sqlstate = getattr(error.orig, "sqlstate", None)
        if sqlstate:
            return str(sqlstate)[:2] in _INFRASTRUCTURE_CLASSES or sqlstate in _INFRASTRUCTURE_STATES
        # Without a state the server never answered: the driver's own error, or a closed connection.
        return error.connection_invalidated or isinstance(error, InterfaceError)
    return False


def is_own_end(error: BaseException) -> bool:
    """Return whether an error is the end that was asked of the present task, and not one that a library let out of another."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def summary(error: BaseException) -> str:
    """Return what may be logged of an error: our own message, else only its type, with the system's or PostgreSQL's code."""
    name = type(error).__name__
    if isinstance(error, HandrailError):
        return f"{name}: {error.detail}"
    code = None
    if isinstance(error, DBAPIError):
        code = getattr(error.orig, "sqlstate", None)
    elif isinstance(error, OSError) and not isinstance(error, ssl.SSLError):  # whose number is OpenSSL's
        code = errno.errorcode.get(error.errno or 0)
    return f"{name} {code}" if code else name
