"""Pins that a demo leaves servers alone on which Handrail is at work: they are somebody's, with real people in them."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.postgres import EmbeddedPostgres
from handrail.installation.database import reach_database
from handrail.installation.given import refuse_servers_in_use
from handrail.installation.installation import Installation, Options
from schemas import topics
from services.kit.migrate import migrate_all
from tests.support.stack import SERVICE_PASSWORDS, as_named_by_an_operator, fresh_database, stack

DEMO = Options(demo=True, clock_movable=True, base_port=None, keep=False)


def test_a_cluster_with_topics_of_handrail_is_refused_and_keeps_its_passwords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = stack().kafka
    for name, value in as_named_by_an_operator(fresh_database()).items():
        monkeypatch.setenv(name, value)

    with pytest.raises(EmbeddedError, match=r"^the server of HANDRAIL_KAFKA_BOOTSTRAP has topics .*$"):
        Installation(tmp_path / "data", DEMO).start()

    as_before = replace(kafka, user="routing", password=SERVICE_PASSWORDS["routing"])
    assert topics.DECISIONS in as_before.admin().list_topics(timeout=30).topics
    assert not (tmp_path / "data").exists()


def test_a_database_server_with_roles_of_handrail_is_refused_and_keeps_its_passwords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = fresh_database()
    migrate_all(database.url(), SERVICE_PASSWORDS)
    monkeypatch.delenv("HANDRAIL_KAFKA_BOOTSTRAP", raising=False)
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", fresh_database().url())  # another database of the same server

    with pytest.raises(EmbeddedError, match=r"^the server of HANDRAIL_DATABASE_URL has roles .*$"):
        Installation(tmp_path / "data", DEMO).start()

    reach_database(replace(database, user="handrail_routing", password=SERVICE_PASSWORDS["routing"]))
    assert not (tmp_path / "data").exists()


def test_an_empty_server_is_taken() -> None:
    with tempfile.TemporaryDirectory(prefix="handrail-test-") as folder:
        Path(folder).chmod(0o711)  # where root runs the tests, another account runs PostgreSQL
        server = EmbeddedPostgres(Path(folder, "postgres"))
        address = server.start()

        refuse_servers_in_use({"HANDRAIL_DATABASE_URL": address.url()})

        server.stop()
