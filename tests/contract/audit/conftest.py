"""Each test of this folder runs twice: on the memory twins and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.audit_backends import Backend, memory_backend, postgres_backend


@pytest.fixture(params=["memory", "postgres"])
async def audit(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    if request.param == "memory":
        yield memory_backend()
        return
    async with postgres_backend(tmp_path / "checkpoints") as backend:
        yield backend
