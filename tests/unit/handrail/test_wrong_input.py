"""Pins that wrong input on the command line is told in words, never as a trace."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from handrail.cli import main as command_line
from handrail.installation.keys import read_password
from handrail.installation.running import Running
from schemas.topics import SERVICES
from tests.support.answering import Answer, running_at, serving
from tests.support.repository import ROOT

EVENTS = ROOT / "examples" / "events"
POISON = EVENTS / "20-poison.bin"
LISTS = ROOT / "examples" / "register"
REGISTER = ROOT / "rulebooks" / "register" / "areas.yaml"
SOME_ID = "5f0c1a52-6f5b-5e0e-9a8e-3c6b0f7e1d20"
STORY = "starts at: 2026-06-01T09:00:00+01:00\nclients: []\nsteps: []\n"


def refused(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the command writes as it ends; a trace would leave it as another exception."""
    monkeypatch.setattr(sys, "argv", ["handrail", *arguments])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code in {1, 2}
    return capsys.readouterr().err


def assert_one_line(said: str, says: str) -> None:
    assert said.startswith("handrail: ")
    assert says in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "is not JSON"),
        (b"[]", "expected a JSON object"),
        (POISON.read_bytes(), "is not JSON"),
        (b'{"source": 3}', "no Handrail runs in"),
    ],
)
def test_a_file_that_is_no_event_is_not_sent(
    content: bytes, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(content)

    said = refused(["send", str(file), "--data", str(tmp_path)], monkeypatch, capsys)

    assert_one_line(said, says)


@pytest.mark.parametrize(
    ("story", "says"),
    [
        ("- one\n- two\n", "is not laid out like those in examples"),
        ("steps: []\n", "lacks 'clients'"),
        ("clients: 3\n", "is not laid out"),
        ("clients: [", "is not laid out"),
        (STORY.replace("2026-06-01T09:00:00+01:00", "Monday"), "Monday"),
        (STORY.replace("+01:00", ""), "an offset is missing"),
        (STORY.replace("steps: []", "steps: [{title: A}]"), "lacks 'says'"),
        (STORY, "expected.yaml; a story needs its expectations beside it"),
    ],
)
def test_a_story_that_is_not_laid_out_as_one_is_not_played(
    story: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "story.yaml").write_text(story)

    said = refused(["demo", "--check", "--events", str(tmp_path)], monkeypatch, capsys)

    assert_one_line(said, says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("demo --all", "--all goes with --check"),
        ("demo --data data", "--data goes with --check"),
        ("demo --check --all --area leeds", "choose --area or --all"),
        ("demo --area nowhere", "there is no story of 'nowhere'"),
        ("demo --port 65525", "less than or equal to 65524"),
        ("up --port -1", "greater than or equal to 0"),
        (f"quarantine retry {SOME_ID} --service nope --reason none", "'nope' is not one of"),
        (f"quarantine discard {SOME_ID} --service nope --reason none", "'nope' is not one of"),
        ("quarantine retry nope --service intake --reason none", "Input should be a valid UUID"),
        ("quarantine discard nope --service intake --reason none", "Input should be a valid UUID"),
        ("deliveries list --state nope", "'nope' is not one of"),
        ("deliveries redrive --reason none", "give the id of a delivery, or --recipient"),
        ("deliveries redrive nope --reason none", "Input should be a valid UUID"),
        ("relay rewind nope", "'nope' is not one of"),
        ("consumer rewind intake --database-file missing", "'missing' does not exist"),
        ("verify --key missing", "'missing' does not exist"),
        ("topics apply --secrets missing", "there is no folder missing"),
        ("topics apply --secrets .", "lacks kafka-intake.password, kafka-routing.password"),
        ("clock tomorrow", "no Handrail runs in"),
        (f"register extend missing.csv --register {REGISTER}", "missing.csv: No such file"),
        (f"register extend {LISTS / 'police.csv'} --register missing.yaml", "missing.yaml: No such file"),
        (f"register extend {LISTS} --register {REGISTER}", "register: Is a directory"),
        (f"register extend {POISON} --register {REGISTER}", "20-poison.bin is not text in UTF-8"),
        (f"register extend {LISTS / 'police.csv'} --register {POISON}", "20-poison.bin is not text in UTF-8"),
        (f"relay rewind intake --database-file {POISON}", "20-poison.bin is not text in UTF-8"),
        ("rules render --out /proc/1/pages", "/proc/1/pages: "),
    ],
)
def test_an_argument_out_of_range_is_named(
    arguments: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANDRAIL_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "240")

    assert says in refused(arguments.split(), monkeypatch, capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("HANDRAIL_DATABASE_URL", "postgresql://owner:s3cret@127.0.0.1:1/handrail", "cannot sign in to PostgreSQL at"),
        ("HANDRAIL_DATABASE_URL", "postgresql://owner:s3cret@db.example:many/handrail", "is not complete"),
        ("HANDRAIL_DATABASE_URL", "mysql://owner:s3cret@db.example/handrail", "is not complete"),
        ("HANDRAIL_DATABASE_URL_FILE", "/nonexistent/s3cret", "which cannot be read (FileNotFoundError)"),
    ],
)
def test_a_database_that_cannot_be_used_is_named(
    name: str,
    value: str,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("HANDRAIL_DATABASE_URL", raising=False)
    monkeypatch.setenv(name, value)

    said = refused(["provision", "--secrets", str(tmp_path)], monkeypatch, capsys)

    assert says in said
    assert "owner" not in said
    assert said.count("\n") == 1


def test_an_address_to_which_a_token_would_go_in_plain_text_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", "postgresql://owner:s3cret@127.0.0.1:1/handrail")
    monkeypatch.setenv("HANDRAIL_AUDIT_URL", "http://audit.example")

    said = refused(["provision", "--secrets", str(tmp_path)], monkeypatch, capsys)

    assert_one_line(said, "HANDRAIL_AUDIT_URL is http://audit.example: expected https")
    assert list(tmp_path.iterdir()) == []
    no_token = refused(["provision", "--no-keys", "--secrets", str(tmp_path)], monkeypatch, capsys)
    assert "HANDRAIL_AUDIT_URL" not in no_token, "it writes nothing by which a command would find it"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((200, b"<html>Sign in</html>", {}), "answered 200, but not as Handrail does"),
        ((200, [], {}), "answered 200, but not as Handrail does"),
        ((200, b"cut short", {"Content-Length": "90"}), "IncompleteRead"),
        ((500, b"cut short", {"Content-Length": "90"}), "IncompleteRead"),
    ],
)
@pytest.mark.parametrize("arguments", ["clock", "clock +1d", "quarantine list", "client list", "deliveries list"])
def test_what_answers_in_the_place_of_handrail_is_named(
    arguments: str,
    answer: Answer,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving(answer) as server:
        running_at(server.url, tmp_path)

        said = refused([*arguments.split(), "--data", str(tmp_path)], monkeypatch, capsys)

    assert_one_line(said, says)
    assert server.url in said


@pytest.mark.parametrize("content", ["{", "[]", '{"of": "another program"}'])
def test_a_status_file_of_something_else_is_named(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "status.json").write_text(content)

    said = refused(["status", "--data", str(tmp_path)], monkeypatch, capsys)

    assert_one_line(said, f"{tmp_path / 'status.json'} is not the status file of an installation of this release")


def test_no_story_is_played_on_an_installation_for_real_cases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving((200, {}, {})) as server:
        running_at(server.url, tmp_path)
        replace(Running.read(tmp_path), demo=False).write()

        said = refused(["demo", "--check", "--data", str(tmp_path)], monkeypatch, capsys)

    assert_one_line(said, "is for real cases")
    assert server.requests == []


def test_a_database_address_that_cannot_be_used_hides_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    address = tmp_path / "address"
    address.write_text("postgresql://handrail_intake:s3cret@127.0.0.1:1/handrail\n")

    said = refused(["relay", "rewind", "intake", "--database-file", str(address)], monkeypatch, capsys)

    assert "cannot sign in to PostgreSQL at 127.0.0.1:1" in said
    assert "s3cret" not in said


def test_a_certificate_authority_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "HANDRAIL_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "HANDRAIL_KAFKA_ADMIN_USER": "admin",
        "HANDRAIL_KAFKA_ADMIN_PASSWORD": "secret",
        "HANDRAIL_KAFKA_CA_FILE": "/nonexistent/ca.pem",
    }.items():
        monkeypatch.setenv(name, value)
    for service in SERVICES:
        read_password(tmp_path, f"kafka-{service}")

    said = refused(["topics", "apply", "--secrets", str(tmp_path)], monkeypatch, capsys)

    assert "The settings for Kafka at 127.0.0.1:1 do not work: " in said
    assert "ssl.ca.location" in said
