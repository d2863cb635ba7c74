"""Pins what `docker-compose.yml` promises: least secrets, nothing writable, nobody root, loopback alone."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.make_secrets import make_secrets
from handrail.installation.running import Running

ROOT = Path(__file__).parents[3]
PAGE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = PAGE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_read_only_and_without_capabilities(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_loopback_alone(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_every_secret_that_a_container_names_is_one_that_it_is_given(name: str) -> None:
    service = SERVICES[name]
    named = {
        Path(value).name for value in service.get("environment", {}).values() if str(value).startswith("/run/secrets/")
    }

    assert named <= set(service.get("secrets", []))


def test_no_service_is_given_a_password_or_a_quarantine_key_of_another() -> None:
    for name in ("intake", "routing", "deadlines", "audit"):
        others = {"intake", "routing", "deadlines", "audit", "admin"} - {name}
        given = SERVICES[name]["secrets"]
        assert not [
            secret for secret in given if re.fullmatch(rf"(kafka|database|quarantine)-({'|'.join(others)})\..*", secret)
        ]


def test_who_works_off_the_backlog_lets_everybody_else_have_the_processor_first() -> None:
    shares = {name: service["cpu_shares"] for name, service in SERVICES.items() if "cpu_shares" in service}

    assert shares == {"routing": 110, "deadlines": 110, "audit": 110}  # of 1,024


def test_the_vault_key_is_given_to_intake_alone() -> None:
    assert [name for name, service in SERVICES.items() if "vault.key" in service.get("secrets", [])] == ["intake"]


def test_every_secret_file_is_one_that_make_secrets_makes(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"

    make_secrets(folder)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    make_secrets(folder)

    assert {Path(secret["file"]).name for secret in PAGE["secrets"].values()} <= first.keys()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_command_line_finds_each_process_where_its_port_is_published(tmp_path: Path) -> None:
    make_secrets(tmp_path)

    environments = {name: service.get("environment", {}) for name, service in SERVICES.items()}
    ports = {name: each["HANDRAIL_HTTP_PORT"] for name, each in environments.items() if "HANDRAIL_HTTP_PORT" in each}
    running = Running.read(tmp_path)

    assert {name: url.rpartition(":")[2] for name, url in running.urls.items()} == ports
    assert SERVICES["kafka"]["ports"] == [f"{running.kafka_bootstrap}:8410"]
    assert running.broker.password == (tmp_path / "kafka-admin.password").read_text()


def test_the_image_installs_a_part_of_what_is_locked_for_everybody() -> None:
    pins = re.compile(r"^[a-z0-9.-]+==[^ ]+", re.MULTILINE)
    locked = set(pins.findall((ROOT / "requirements.lock").read_text()))

    assert set(pins.findall((ROOT / "deploy" / "requirements.lock").read_text())) < locked


def test_the_image_runs_as_an_account_that_is_not_root() -> None:
    assert re.search(r"^USER 10001:10001$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)


def test_no_password_stands_on_a_command_line_or_in_the_log_of_the_broker() -> None:
    script = (ROOT / "deploy" / "kafka" / "start.sh").read_text()
    commands = re.findall(r"^(?:exec )?java .*$", script, re.MULTILINE)

    assert len(commands) == 2
    assert not [command for command in commands if "password" in command]
    assert "> /dev/null" in commands[0]


def test_every_container_that_stays_up_says_whether_it_is_healthy() -> None:
    silent = {name for name, service in SERVICES.items() if "healthcheck" not in service}

    assert silent == {"pod", "provision"}  # `pod` only holds the shared loopback; `provision` ends
