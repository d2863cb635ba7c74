"""Each test of this folder runs twice: on the memory twins and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.deadlines_backends import Backend, memory_backend, postgres_backend


@pytest.fixture(params=["memory", "postgres"])
async def deadlines(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    backend = memory_backend() if request.param == "memory" else await postgres_backend()
    yield backend
    await backend.close()
