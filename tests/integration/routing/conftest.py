"""A migrated database with empty tables for every test, and stub recipients on a free port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deploy.stubs.app import create_app
from handrail.embedded.postgres import DatabaseAddress
from services.kit.clock import SystemClock
from services.kit.database import Database
from services.kit.migrate import migrate_all
from services.routing.dispatch.body import Composer
from services.routing.dispatch.breaker import Breakers
from services.routing.dispatch.dispatcher import Dispatcher
from services.routing.dispatch.endpoints import Endpoints
from services.routing.dispatch.grants import read_key
from services.routing.dispatch.guard import Guard
from services.routing.dispatch.sender import WebhookChannel
from services.routing.service import RoutingService
from tests.support.road import WEBHOOK_KEY, Recipients, Road, empty_tables, laws
from tests.support.rulebooks import law
from tests.support.stack import SERVICE_PASSWORDS, fresh_database


@pytest.fixture(scope="session")
def address() -> DatabaseAddress:
    """Return a database that is migrated once; each test empties its tables."""
    found = fresh_database("routing")
    migrate_all(found.url(), {"routing": SERVICE_PASSWORDS["routing"]})
    return found


@pytest.fixture
async def road(address: DatabaseAddress) -> AsyncIterator[Road]:
    await empty_tables(address)
    password = SERVICE_PASSWORDS["routing"]
    database = Database(address.url(user="handrail_routing", password=password), "routing")
    yield Road(database, RoutingService(laws()))
    await database.close()


@pytest.fixture
async def recipients(road: Road, tmp_path: Path) -> AsyncIterator[Recipients]:
    grant_key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    channel = WebhookChannel()
    async with (
        TestServer(create_app(tmp_path, [WEBHOOK_KEY.public_key()])) as server,
        aiohttp.ClientSession() as session,
    ):
        url = str(server.make_url("")).rstrip("/")
        channel.session = session
        file = tmp_path / "endpoints.yaml"
        file.write_text("".join(f"{body}: {url}/recipients/{body}/webhook\n" for body in law().register.bodies))
        endpoints = Endpoints(file)
        dispatcher = Dispatcher(
            road.database,
            channel,
            Composer(Guard([law().text], law().register_text), read_key(grant_key), "http://127.0.0.1:8401"),
            endpoints=endpoints,
            keys=[WEBHOOK_KEY],
            clock=SystemClock(),
            breakers=Breakers(failures_to_open=100),
            delays_s=(0.0,),
        )
        yield Recipients(url, session, dispatcher, file, endpoints)
        await dispatcher.drain()
