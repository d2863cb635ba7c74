"""OpenTelemetry trace context, carried in the envelope (`traceparent`) and not in Kafka headers.

A batch is one span, linked to the traces of its messages. A message that was caused by another continues the trace of
its cause under the batch's span, so that one event can be followed down the whole road. Nothing is exported unless
the operator installs an exporter; ids are made all the same. Keys and payloads never become attributes, and of an
exception a span says what a log line may.

Source: https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags

from services.kit.errors import summary

_TRACEPARENT: Final = re.compile(r"^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$")
_MAX_LINKS: Final = 128  # OpenTelemetry's own default limit

_provider: Final = TracerProvider(resource=Resource.create({"service.namespace": "handrail"}))
_tracer: Final = _provider.get_tracer("handrail")


def provider() -> TracerProvider:
    """Return the provider, for an operator's exporter: `provider().add_span_processor(...)`."""
    return _provider


def read_traceparent(value: str | None) -> SpanContext | None:
    """Return the span context of a `traceparent`, or nothing if it is absent or malformed."""
    match = _TRACEPARENT.match(value) if value else None
    if not match:
        return None
    return SpanContext(int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=TraceFlags(int(match[3], 16)))


@contextmanager
def batch_span(name: str, traceparents: Iterable[str | None]) -> Iterator[None]:
    """Run a batch in one span linked to the traces of its messages."""
    contexts = filter(None, map(read_traceparent, traceparents))
    links = [Link(context) for context in islice(contexts, _MAX_LINKS)]
    with _span(name, kind=SpanKind.CONSUMER, links=links):
        yield


@contextmanager
def request_span(name: str, traceparent: str | None) -> Iterator[None]:
    """Run a request in a span that continues the caller's trace."""
    context = read_traceparent(traceparent)
    parent = trace.set_span_in_context(trace.NonRecordingSpan(context)) if context else None
    with _span(name, context=parent, kind=SpanKind.SERVER):
        yield


@contextmanager
def _span(name: str, **options: Any) -> Iterator[None]:
    """Run in a span; by itself OpenTelemetry would put an exception's text into it, which may quote what we store."""
    with _tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False, **options) as span:
        try:
            yield
        except Exception as error:
            span.set_status(StatusCode.ERROR, summary(error))
            raise


def traceparent_for(cause: str | None) -> str | None:
    """Return the `traceparent` for a new message: the present span, in the trace of its cause if that is known."""
    span = trace.get_current_span().get_span_context()
    parent = _TRACEPARENT.match(cause) if cause else None
    if not span.is_valid:
        return cause if parent else None
    trace_id = parent[1] if parent else f"{span.trace_id:032x}"
    return f"00-{trace_id}-{span.span_id:016x}-{int(span.trace_flags):02x}"
