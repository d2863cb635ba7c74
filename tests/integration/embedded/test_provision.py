"""Pins that a folder without the passwords of the servers changes nothing there, and that one with them is a deployment's."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from handrail.cli.main import app
from handrail.cli.status import find_running
from handrail.embedded.errors import EmbeddedError
from handrail.embedded.postgres import DatabaseAddress
from handrail.installation.database import reach_database
from handrail.installation.installation import Installation, Options
from handrail.installation.keys import read_password
from handrail.installation.running import status_file
from schemas import topics
from services.kit.migrate import migrate_all
from tests.support.stack import SERVICE_PASSWORDS, as_named_by_an_operator, database_of, fresh_database, stack

KEPT = Options(base_port=None)


def name_servers(monkeypatch: pytest.MonkeyPatch, database: DatabaseAddress) -> None:
    """Name the run's own servers, on whose cluster every user has a password, as an operator does."""
    for name, value in as_named_by_an_operator(database).items():
        monkeypatch.setenv(name, value)


def write_passwords(folder: Path, kind: str) -> None:
    """Write the passwords that the services have on one of the two servers."""
    folder.mkdir(exist_ok=True)
    for service, password in SERVICE_PASSWORDS.items():
        (folder / f"{kind}-{service}.password").write_text(password)


def provision(folder: Path) -> str:
    """Return what `handrail provision` says as it refuses."""
    refused = CliRunner().invoke(app, ["provision", "--secrets", str(folder)])
    assert isinstance(refused.exception, EmbeddedError), refused.exception
    return str(refused.exception)


def test_a_folder_without_the_passwords_of_the_users_of_a_cluster_is_refused_and_they_keep_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name_servers(monkeypatch, fresh_database())
    wrong = tmp_path / "wrong"

    assert f"and {wrong} lacks kafka-intake.password, " in provision(wrong)
    with pytest.raises(EmbeddedError, match=r"and .*/wrong/keys lacks kafka-intake\.password, "):
        Installation(wrong, KEPT).start()

    as_before = replace(stack().kafka, user="routing", password=SERVICE_PASSWORDS["routing"])
    assert topics.DECISIONS in as_before.admin().list_topics(timeout=30).topics
    assert not wrong.exists()


def test_a_folder_without_the_passwords_of_the_roles_of_a_database_is_refused_and_they_keep_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, folder = fresh_database(), tmp_path / "secrets"
    migrate_all(database.url(), SERVICE_PASSWORDS)
    name_servers(monkeypatch, database)
    write_passwords(folder, "kafka")

    assert f"and {folder} lacks database-intake.password, " in provision(folder)

    reach_database(replace(database, user="handrail_routing", password=SERVICE_PASSWORDS["routing"]))
    assert not list(folder.glob("database-*"))


def test_an_account_that_may_not_is_told_so_in_one_line_without_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "secrets"
    migrate_all(fresh_database().url(), SERVICE_PASSWORDS)  # made by another account, so this one may not change them
    name_servers(monkeypatch, database_of(f"stranger_{os.getpid()}", "invented"))
    write_passwords(folder, "kafka")
    write_passwords(folder, "database")

    said = provision(folder)

    assert said == "PostgreSQL refuses to make roles and tables ready: permission denied to alter role"


def test_with_the_passwords_of_its_servers_a_folder_is_provisioned_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, folder = fresh_database(), tmp_path / "secrets"
    name_servers(monkeypatch, database)
    write_passwords(folder, "kafka")
    write_passwords(folder, "database")

    again = [CliRunner().invoke(app, ["provision", "--secrets", str(folder)]) for _ in range(2)]

    assert [done.exit_code for done in again] == [0, 0]
    assert read_password(folder, "kafka-routing") == SERVICE_PASSWORDS["routing"]


def test_what_is_provisioned_is_found_by_every_command_and_keeps_no_password_of_an_administrator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, folder = fresh_database(), tmp_path / "secrets"
    name_servers(monkeypatch, database)
    monkeypatch.setenv("HANDRAIL_AUDIT_URL", "https://audit.example")
    write_passwords(folder, "kafka")
    write_passwords(folder, "database")

    provisioned = CliRunner().invoke(app, ["provision", "--secrets", str(folder)])

    found = find_running(folder)
    text = status_file(folder).read_text()
    assert provisioned.exit_code == 0, provisioned.exception
    assert (found.url("audit"), found.url("intake")) == ("https://audit.example", "http://127.0.0.1:8401")
    assert found.database == f"{database.host}:{database.port}/{database.database}"
    assert (found.broker.bootstrap, found.broker.password) == (stack().kafka.bootstrap, stack().kafka.password)
    assert not found.demo
    assert status_file(folder).stat().st_mode & 0o777 == 0o600
    assert database.password not in text
    assert stack().kafka.password not in "".join(path.read_text() for path in folder.glob("*.*"))

    monkeypatch.delenv("HANDRAIL_KAFKA_BOOTSTRAP")
    with pytest.raises(EmbeddedError, match=r"set HANDRAIL_KAFKA_BOOTSTRAP, HANDRAIL_KAFKA_ADMIN_USER and"):
        _ = found.broker
