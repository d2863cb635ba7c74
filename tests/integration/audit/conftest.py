"""A log for each test, on real PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.support.audit import TestLog, open_log


@pytest_asyncio.fixture
async def log(tmp_path: Path) -> AsyncIterator[TestLog]:
    async with open_log(tmp_path / "checkpoints") as opened:
        yield opened
