"""`handrail send`: what it sends, and what it says of each answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.answering import PROBLEM, RECEIPT, Server, running_at, serving

EVENT = '{"source": "urn:example:police", "data": {"personal": {"name": "Zo\u00eb"}}}'.encode()


def send(server: Server, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as a client of the server."""
    running_at(server.url, folder)
    (folder / "clients").mkdir()
    (folder / "clients" / "police.json").write_text(json.dumps({"token": "hr_x"}))
    (folder / "event.json").write_bytes(EVENT)
    return subprocess.run(
        [sys.executable, "-m", "handrail.cli.main", "send", str(folder / "event.json"), "--data", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **environment},
    )


def test_the_bytes_of_the_file_are_sent_whatever_the_locale_and_the_whole_receipt_is_shown(tmp_path: Path) -> None:
    with serving((503, {}, {}), (202, RECEIPT | {"status": "kept"}, {})) as server:
        sent = send(server, tmp_path, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")

    assert sent.returncode == 0, sent.stderr
    assert json.loads(sent.stdout) == RECEIPT | {"status": "kept"}
    assert server.requests == [("/v1/events", "Bearer hr_x", EVENT)] * 2


def test_a_refusal_says_what_to_change(tmp_path: Path) -> None:
    wrong = {
        "pointer": "/data/harm",
        "detail": "no such word",
        "expected": "one of: death",
        "hint": "did you mean death?",
    }
    problem = {"title": "Refused", "errors": [wrong], "returned_id": "0b1c", "kept": "What you sent is kept."}
    with serving((422, problem, PROBLEM)) as server:
        refused = send(server, tmp_path)

    assert refused.returncode == 1
    assert refused.stderr == (
        "handrail: refused, 422: Refused\n"
        "  /data/harm: no such word; expected one of: death; did you mean death?\n"
        "  What you sent is kept. (returned_id 0b1c)\n"
    )


def test_what_is_not_answered_is_not_called_refused_but_not_known(tmp_path: Path) -> None:
    with serving((401, {"title": "Not signed in"}, PROBLEM)) as server:
        unknown = send(server, tmp_path)

    assert unknown.returncode == 1
    assert "refused" not in unknown.stderr
    assert "whether it is kept is not known; send the same again later" in unknown.stderr


def test_a_client_whose_credentials_are_not_here_or_cannot_be_read_is_told_as_that(tmp_path: Path) -> None:
    with serving((202, RECEIPT, {})) as server:
        send(server, tmp_path)
        (tmp_path / "clients" / "broken.json").write_text("{")
        command = [sys.executable, "-m", "handrail.cli.main", "send", str(tmp_path / "event.json")]
        said = {
            name: subprocess.run(
                [*command, "--data", str(tmp_path), "--as", name],
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            ).stderr
            for name in ("../status", "broken")
        }

    assert said["../status"] == (
        "handrail: no client '../status' here (known: broken, police). Choose one with --as, or `handrail client add`.\n"
    )
    assert "is not what `handrail client add` has written: revoke broken, and add it again\n" in said["broken"]
    assert all(each.startswith("handrail: ") and each.count("\n") == 1 for each in said.values())
