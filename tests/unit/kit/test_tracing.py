"""Traces: an operator's exporter may send them anywhere, so they say no more of an error than the log does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from services.kit.tracing import batch_span, provider, request_span


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider().add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    exporter.shutdown()  # the provider keeps it, and it takes no more


@pytest.mark.parametrize(
    "span", [batch_span("consume test", [None]), request_span("http", None)], ids=["batch", "request"]
)
def test_the_words_of_an_exception_do_not_go_into_a_trace(
    spans: InMemorySpanExporter, span: AbstractContextManager[None]
) -> None:
    with pytest.raises(ValueError, match="CANARY"), span:
        raise ValueError("CANARY")

    (ended,) = spans.get_finished_spans()
    assert (ended.status.status_code, ended.status.description) == (StatusCode.ERROR, "ValueError")
    assert list(ended.events) == []
    assert "CANARY" not in ended.to_json()
