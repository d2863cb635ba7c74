"""Pins that both roads to the database, a command's and a service's, insist on TLS where the environment demands it."""

import asyncio
from pathlib import Path

import pytest

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.postgres import EmbeddedPostgres
from handrail.installation.database import ensure_database, reach_database
from services.kit.database import Database
from tests.support.stack import fresh_database


async def test_a_server_without_tls_is_refused_where_tls_is_demanded(monkeypatch: pytest.MonkeyPatch) -> None:
    address = fresh_database()  # our own server offers none
    database = Database(address.url(), "kit")
    monkeypatch.setenv("PGSSLMODE", "require")

    with pytest.raises(ConnectionError, match="rejected SSL upgrade"):
        await database.ping()
    await database.close()


def test_a_command_says_in_one_line_that_a_server_offers_no_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    address = fresh_database()
    monkeypatch.setenv("PGSSLMODE", "require")

    with pytest.raises(EmbeddedError, match=r"^cannot sign in to PostgreSQL at .*rejected SSL upgrade$"):
        reach_database(address)


async def test_the_embedded_server_is_reached_whatever_the_environment_demands_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGSSLMODE": "verify-full", "PGSSLNEGOTIATION": "direct", "PGSERVICE": "other"}.items():
        monkeypatch.setenv(name, value)
    server = EmbeddedPostgres(tmp_path / "postgres")
    address = await asyncio.to_thread(server.start)

    await asyncio.to_thread(ensure_database, address)
    database = Database(address.url(), "kit")
    await database.ping()

    await database.close()
    server.stop()
