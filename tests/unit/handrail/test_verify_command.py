"""Both verifiers, `handrail verify` and `python -m handrail.verify`, say by their exit code whether the log is wrong, or could not be read."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import handrail.verify
from handrail.cli import verify as command
from handrail.verify import Head, Report
from services.audit.domain.note import Checkpoint
from tests.support.answering import Answer, serving
from tests.support.audit import KEY, ORIGIN
from tests.support.memory_log import HONEST, PUBLIC, ROOTS, MemoryServer

HEAD = Head("log.example/test", 1, b"", "")


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (Report(HEAD, 1, ["entry 0: wrong"]), 1),
        (Report(None, 0, ["http://127.0.0.1:9 does not answer"]), 2),
    ],
)
def test_a_wrong_log_and_one_that_cannot_be_read_are_told_apart(
    report: Report, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "log.pub"
    key.write_bytes(b"")
    audit = SimpleNamespace(base_url="http://127.0.0.1:9", token=None)
    monkeypatch.setattr(command, "find_running", lambda _: SimpleNamespace(web=lambda _: audit, log_public_key=key))
    monkeypatch.setattr(command, "verify_log", lambda *_: report)

    with pytest.raises(typer.Exit) as ended:
        command.verify()

    assert ended.value.exit_code == code


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((200, b"<html>Sign in</html>", {}), "/v1/checkpoints is not what a log answers"),
        ((200, b"cut short", {"Content-Length": "90"}), "does not answer: IncompleteRead"),
    ],
)
def test_what_could_not_be_checked_is_no_wrong_log(
    answer: Answer, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "log.pub"
    key.write_bytes(PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    with serving(answer) as server:
        assert handrail.verify.main([server.url, "--key", str(key)]) == 2

    said = capsys.readouterr().out
    assert said.startswith("cannot check: ")
    assert says in said
    assert said.count("\n") == 1


def test_a_server_does_not_put_another_result_over_the_one_that_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (key := tmp_path / "log.pub").write_bytes(PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    origin = "\r\x1b[2Kverified: 40 entries of the log under 3 signed checkpoints\x1b[8m"
    answers = {"/v1/checkpoints": b'{"checkpoints": []}', "/v1/checkpoint": f"{origin}\n40\nAAAA\n\n".encode()}
    monkeypatch.setattr(handrail.verify, "over_http", lambda *_: answers.__getitem__)

    assert handrail.verify.main(["http://127.0.0.1", "--key", str(key)]) == 2

    said = capsys.readouterr().out.removesuffix("\n")
    assert said.startswith("cannot check: the checkpoint of ??[2Kverified: 40 entries")
    assert said.isprintable()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("http://127.0.0.1:1 --key missing", "'missing'"),
        ("http://127.0.0.1:1 --key log.pub --token-file missing", "'missing'"),
        ("http://127.0.0.1:1 --key log.pub --token-file two-lines", "is no token"),
        ("http://127.0.0.1:1 --key log.pub --token-file binary", "is no token"),
        ("http://127.0.0.1:1 --key log.pub --state .", "'.'"),
        ("http://127.0.0.1:nope --key log.pub", "nonnumeric port"),
    ],
)
def test_what_cannot_be_used_is_named_and_is_no_wrong_log(
    arguments: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.pub").write_bytes(PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "two-lines").write_text("eyOne\neyTwo\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")

    assert handrail.verify.main(arguments.split()) == 2

    said = capsys.readouterr().out
    assert said.startswith("cannot check: ")
    assert says in said
    assert said.count("\n") == 1
    assert "eyOne" not in said


def test_the_program_keeps_a_good_checkpoint_and_says_no_with_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key, state = tmp_path / "log.pub", tmp_path / "state"
    key.write_bytes(PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    server = MemoryServer(HONEST, ROOTS)
    monkeypatch.setattr(handrail.verify, "over_http", lambda *_: server.fetch)
    arguments = ["http://127.0.0.1", "--key", str(key), "--state", str(state)]

    assert handrail.verify.main(arguments) == 0
    assert state.read_text() == Checkpoint(ORIGIN, 40, ROOTS[40]).sign(KEY)
    server.served = [*HONEST[:3], HONEST[3]._replace(salt=bytes(32)), *HONEST[4:]]
    assert handrail.verify.main(arguments) == 1
    server.served = []
    assert handrail.verify.main(arguments) == 2
    said = capsys.readouterr().out
    assert "WRONG entry 3: the record kept with it is not the one that it commits to" in said
    assert "cannot check: the server gave no entries from 0" in said


@pytest.mark.parametrize("state", ["missing/state", "/proc/1/state"])
def test_a_good_log_whose_checkpoint_cannot_be_kept_is_no_wrong_log(
    state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.pub").write_bytes(PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    monkeypatch.setattr(handrail.verify, "over_http", lambda *_: MemoryServer(HONEST, ROOTS).fetch)

    assert handrail.verify.main(["http://127.0.0.1", "--key", "log.pub", "--state", state]) == 2

    assert "the checkpoint could not be kept: " in capsys.readouterr().out


def test_a_disk_that_fills_up_takes_nothing_of_the_checkpoint_that_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, state = tmp_path / "log.pub", tmp_path / "state"
    key.write_bytes(PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    state.write_text(kept := Checkpoint(ORIGIN, 10, ROOTS[10]).sign(KEY))
    (tmp_path / "state.new").symlink_to("/dev/full")
    monkeypatch.setattr(handrail.verify, "over_http", lambda *_: MemoryServer(HONEST, ROOTS).fetch)

    assert handrail.verify.main(["http://127.0.0.1", "--key", str(key), "--state", str(state)]) == 2

    assert state.read_text() == kept
