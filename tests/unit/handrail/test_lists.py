"""What commands print in a pipe of 80 columns: everything stands there whole, as it is, and can be copied from there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pytest

from handrail.cli import main as command_line
from handrail.cli import up
from handrail.front.accounts import FIRST_ACCOUNTS
from handrail.installation.running import Running
from tests.support.answering import running_at, serving

TOPIC = "safeguarding.submissions.north-yorkshire-and-york-safeguarding-partnership.v1"


def held(number: int = 1, reason: str = "it is not JSON") -> dict[str, Any]:
    return {
        "quarantine_id": f"5f0c1a52-6f5b-5e0e-9a8e-{number:012}",
        "held_at": "2026-06-01T09:00:00.000001Z",
        "topic": TOPIC,
        "reason": reason,
        "waiting": 3,
    }


def page(*records: dict[str, Any], after: int | None = None) -> dict[str, Any]:
    return {"records": list(records), "total": len(records), "next": after}


def listed(
    what: str, answers: Sequence[Any], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """Return the lines that a list prints when services give these answers in turn, and the last from then on."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "argv", ["handrail", what, "list", "--data", str(folder)])
    with serving(*((200, answer, {}) for answer in answers)) as server:
        running_at(server.url, folder)
        with pytest.raises(SystemExit) as ended:
            command_line.main()
    assert ended.value.code == 0
    return capsys.readouterr().out.splitlines()


def test_an_id_in_the_list_can_be_given_to_retry_and_discard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    header, *lines = listed("quarantine", [page(held())], tmp_path, monkeypatch, capsys)

    assert [line.split()[:2] for line in lines] == [
        [service, held()["quarantine_id"]] for service in ("intake", "routing", "deadlines", "audit")
    ]
    assert all(TOPIC in line for line in lines)
    assert header.split()[:2] == ["service", "id"]


def test_a_reason_with_brackets_is_shown_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = "refused at [/data/harm], see [bold]"

    lines = listed("quarantine", [page(held(reason=reason))], tmp_path, monkeypatch, capsys)

    assert sum(reason in line for line in lines) == 4


def test_every_page_of_a_quarantine_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = [page(held(1), held(2), after=7), page(held(3)), page()]

    _, *lines = listed("quarantine", answers, tmp_path, monkeypatch, capsys)

    assert [line.split()[:2] for line in lines] == [["intake", held(number)["quarantine_id"]] for number in (1, 2, 3)]


def test_an_empty_quarantine_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert listed("quarantine", [page()], tmp_path, monkeypatch, capsys) == ["Quarantine is empty."]


def test_the_name_of_a_client_stands_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = {
        "name": "north-yorkshire-and-york-safeguarding-partnership",
        "body": "safeguarding_partnership",
        "area": "E06000065",
        "recipient": "partnership:E06000065",
        "revoked_at": "2026-06-01T09:00:00.000001Z",
    }

    lines = listed("client", [{"clients": [client, client | {"recipient": None}]}], tmp_path, monkeypatch, capsys)

    assert lines[1].split() == [*client.values()]
    assert lines[0].index("revoked") == lines[2].index("2026-06-01")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("retried", "Tried again; see `handrail quarantine list`."),
        ("held", "Tried again in vain, so it stays where it is: no client of this topic is known"),
    ],
)
def test_what_came_of_another_try_is_said(
    state: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held_id = held()["quarantine_id"]
    resolved = {"quarantine_id": held_id, "state": state, "reason": "no client of this topic is known", "released": 0}
    with serving((200, resolved, {})) as server:
        running_at(server.url, tmp_path)
        arguments = ["quarantine", "retry", held_id, "--service", "intake", "--reason", "it is known now"]

        lines = printed([*arguments, "--data", str(tmp_path)], monkeypatch, capsys)

    assert lines == [said]


def printed(arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "argv", ["handrail", *arguments])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 0
    return capsys.readouterr().out.splitlines()


def test_the_addresses_of_an_installation_stand_on_a_line_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    brokers = ",".join(f"kafka{number}.safeguarding.example:9093" for number in range(1, 6))
    running_at("https://intake.[bold].example", tmp_path)
    replace(Running.read(tmp_path), kafka_bootstrap=brokers).write()

    lines = printed(["status", "--data", str(tmp_path)], monkeypatch, capsys)

    assert f"kafka      {brokers} (SASL_PLAINTEXT, SCRAM-SHA-512)" in lines
    assert "intake     https://intake.[bold].example" in lines


@dataclass
class Started:
    """Stands in for an installation that has started."""

    folder: Path
    keys: Path
    stack: Started | None = None
    embedded_postgres: Started | None = None
    outside: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing."""

    def url(self, _name: str) -> str:
        return "http://127.0.0.1:8400"


def test_the_folders_that_handrail_up_names_stand_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, outside = tmp_path / "[bold]" / ("long-" * 20), tmp_path / ("outside-" * 12)
    server = Started(folder, folder / "keys", outside=outside)
    started = replace(server, stack=replace(server, embedded_postgres=server))
    monkeypatch.setattr(up, "Installation", lambda *_, **__: started)
    monkeypatch.setattr(up, "stay", lambda *_: None)
    monkeypatch.setattr(up, "stop_on_sigterm", lambda: None)

    lines = printed(["up", "--data", str(folder)], monkeypatch, capsys)

    assert lines[:2] == [
        f"Handrail runs. Its data is in {folder}",
        f"  Its database is in {outside}: it belongs to a backup, too",
    ]
    accounts = ", ".join(account.id for account in FIRST_ACCOUNTS)
    assert f"  Accounts     {accounts} (in {folder / 'accounts.yaml'})" in lines
    assert f"  Passwords    each its own, in {folder / 'keys' / 'account-operations.password'} and so on" in lines
