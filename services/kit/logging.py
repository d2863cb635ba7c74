"""Logs: one JSON line per batch, request or incident, with fields from a list; anything else is dropped and counted.

Names, addresses, dates of birth and free text cannot get into a line, because no listed field holds them: fields are
ids, counts, milliseconds, names of our own parts and our own sentences. Libraries' own logs pass through the same
list, which leaves their level and logger, not their text: FastStream and aiokafka put records into theirs.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor

from services.kit.errors import summary
from services.kit.metrics import DROPPED_LOG_FIELDS, LOST_LOG_LINES

ALLOWED: Final = frozenset(
    {
        "event",  # dotted name of what happened, always a literal in the code
        "level",
        "timestamp",
        "service",
        # a unit of work
        "consumer",
        "topic",
        "partition",
        "offset",
        "expected_offset",
        "records",
        "fresh",
        "duplicates",
        "poison",
        "parked",
        "emitted",
        "published",
        "ms",
        "attempt",
        "delay_ms",
        "method",
        "route",
        "status",
        "bytes",
        "loop",
        "epoch",
        "producer_seq",
        # what it was about: derived ids, keys and counts
        "event_id",
        "case_key",
        "cases",
        "quarantine_id",
        "obligation_id",
        "obligations",
        "notice_id",
        "notices",
        "delivery_id",
        "deliveries",
        "receipt_id",
        "alert_id",
        "alerts",
        "rule",
        "rulebook",
        "recipient",
        "client",
        "revision",
        "size",
        "count",
        "kind",
        "state",
        "outcome",
        "port",
        "subject",  # the account that asked, never a child
        # what went wrong: our own sentences and types only
        "reason",
        "error",
        "where",
        "logger",
        "template",
        "command",
    }
)
_LIBRARIES: Final = ("uvicorn", "faststream", "aiokafka", "asyncio", "sqlalchemy", "alembic", "fastapi")
_extra: set[str] = set()
_log = structlog.get_logger("services.kit.logging")


def allow(*fields: str) -> None:
    """Let a service log further fields; each must be incapable of holding anything personal."""
    _extra.update(fields)


def only_allowed(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Drop every field that is not on the list, and count it by name."""
    for name in [name for name in event if name not in ALLOWED and name not in _extra]:
        del event[name]
        DROPPED_LOG_FIELDS.labels(name).inc()
    return event


def _own_sentence(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Replace a library's line by its logger's name and the type of its exception.

    aiokafka's lines keep their template without the values: it never formats them before (a test looks).
    """
    record: logging.LogRecord | None = event.get("_record")
    if record is not None and event.get("_from_structlog") is False:
        event["event"] = "library.log"
        event["logger"] = record.name
        if record.name.startswith("aiokafka.") and isinstance(record.msg, str):
            event["template"] = record.msg
        exc_info = event.pop("exc_info", None)
        if exc_info and exc_info[0]:
            event["error"] = exc_info[0].__name__
    return event


def configure_logging(service: str, *, json: bool = True, stream: Any = None) -> None:
    """Send every log line of this process through the list, as JSON (or as text for a terminal)."""
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    name = _add_service(service)
    shared: list[Processor] = [structlog.stdlib.add_log_level, stamp, name]
    renderer: Processor = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _Lines(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                _own_sentence,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                only_allowed,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)  # libraries' lines carry no text here, so only trouble is worth one
    for ours in ("services", "deploy", "handrail"):
        logging.getLogger(ours).setLevel(logging.INFO)
    for library in _LIBRARIES:  # those that bring handlers of their own
        logger = logging.getLogger(library)
        logger.handlers = []
        logger.propagate = True
        logger.setLevel(logging.WARNING)


def log_what_nobody_caught() -> None:
    """Send through the list what the interpreter itself would write: errors of threads and of `__del__`, and warnings.

    For a process that runs. What ends one while it starts is written as it is: it is about settings, and nothing was read yet.
    """
    logging.captureWarnings(capture=True)
    threading.excepthook = lambda uncaught: _uncaught(uncaught.exc_value)
    sys.unraisablehook = lambda uncaught: _uncaught(uncaught.exc_value)


def _uncaught(error: BaseException | None) -> None:
    if error is not None:
        _log.error("process.uncaught", error=summary(error), where=where(error))


class _Lines(logging.StreamHandler[Any]):
    """Writes lines. One that cannot be written, as on a full disk, is counted and lost."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that it has there
        """Count the line. The standard library would write its record as it came, past the list of fields."""
        del record
        LOST_LOG_LINES.inc()


def _add_service(service: str) -> Processor:
    def add(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add


def where(error: BaseException, packages: Iterable[str] = ("services", "schemas")) -> str:
    """Return the innermost place in our own code that an error passed: `services/routing/store.py:42`."""
    place = "outside our code"
    trace = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in packages:
            place = f"{module.replace('.', '/')}.py:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
