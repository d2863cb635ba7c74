"""Pins that both roads to the database, a command's and a service's, insist on TLS where the environment demands it."""

import pytest

from handrail.embedded.errors import EmbeddedError
from handrail.installation.database import reach_database
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
