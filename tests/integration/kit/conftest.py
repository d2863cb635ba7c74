"""Topics, a database and settings for each test of the kit on real Kafka and PostgreSQL."""

from __future__ import annotations

import pytest

from services.kit.settings import KitSettings
from tests.support import kit, kit_kafka
from tests.support.stack import stack


@pytest.fixture(scope="session")
def quarantine_topic() -> str:
    """The topic on which the kit's own service announces what it put aside."""
    name = "safeguarding.kit.quarantine.v1"
    if name not in stack().kafka.admin().list_topics(timeout=30).topics:
        kit_kafka.make_topic(name=name)
    return name


@pytest.fixture
def settings(quarantine_topic: str) -> KitSettings:
    assert quarantine_topic
    return kit_kafka.settings(kit.migrated())
