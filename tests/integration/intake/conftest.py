"""Intake on a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.intake_app import Intake, intake


@pytest.fixture
async def running() -> AsyncIterator[Intake]:
    """Give an intake with three registered clients."""
    async with intake() as opened:
        yield opened
