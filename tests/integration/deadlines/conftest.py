"""A migrated database of its own for every test, reached with the service's own role."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.kit.database import Database
from services.kit.migrate import migrate_all
from tests.support.stack import SERVICE_PASSWORDS, fresh_database


@pytest.fixture
def database_url() -> str:
    address = fresh_database("deadlines")
    password = SERVICE_PASSWORDS["deadlines"]
    migrate_all(address.url(), {"deadlines": password})
    return address.url(user="handrail_deadlines", password=password)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = Database(database_url, "deadlines")
    yield found
    await found.close()
