"""What `make setup` says on a machine that lacks something: one line that says what to do, and nothing that misleads."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.support.repository import ROOT

LOCK = f"example==1.0 \\\n    --hash=sha256:{'0' * 64}\n"
OLD_PYTHON = '#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.10.12"\n[ "$1" = -V ]\n'
FULL_DISK = "#!/bin/sh\necho 'Filesystem 1024-blocks Used Available'\necho '/dev/disk 9 8 1048575 99% /'\n"

SLOW_PIP = '#!/bin/sh\n[ "$1" = -m ] || exit 0\necho $$ >pip.new; mv pip.new pip.pid; exec sleep 60\n'


def setup(folder: Path, *, tools: dict[str, str] | None = None) -> tuple[list[str], list[str]]:
    """Run `make setup` in a small copy with these programs first on the path; return the lines that it told and refused."""
    for name, content in {"Makefile": (ROOT / "Makefile").read_text(), "requirements.lock": LOCK}.items():
        (folder / name).write_text(content)
    (folder / "pyproject.toml").touch()
    path = folder / "tools"
    path.mkdir()
    (path / "python3").symlink_to(sys.executable)
    for name, script in (tools or {}).items():
        (path / name).unlink(missing_ok=True)
        (path / name).write_text(script)
        (path / name).chmod(0o755)
    nobody = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE"))}
    nobody |= {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_NO_CACHE_DIR": "1"}
    done = subprocess.run(
        ["make", "setup"],
        cwd=folder,
        env=nobody | {"PATH": f"{path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stdout.splitlines(), [line for line in done.stderr.splitlines() if not line.startswith("make")]


@pytest.mark.parametrize(
    ("tools", "says"),
    [
        (
            {"python3": OLD_PYTHON},
            "handrail: python3 is Python 3.10.12, expected 3.11 or newer. Install it (or: make PYTHON=/path/to/python3).",
        ),
        (
            {"df": FULL_DISK},
            "handrail: less than 1 GB is free on the disk of this folder. Free some space first.",
        ),
    ],
)
def test_what_the_machine_lacks_is_one_line_before_anything_is_made(
    tools: dict[str, str], says: str, tmp_path: Path
) -> None:
    told, refused = setup(tmp_path, tools=tools)

    assert (told, refused) == ([], [says])
    assert not (tmp_path / ".venv").exists()


def test_no_python_at_all_is_said(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)

    done = subprocess.run(
        ["make", "PYTHON=no-such-python", "setup"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 2
    assert "handrail: no-such-python is missing. Install Python 3.11 or newer" in done.stderr


def test_no_network_is_said_as_that_and_what_pip_says_of_distributions_stays_in_the_log(tmp_path: Path) -> None:
    told, refused = setup(tmp_path)

    assert told == ["Making .venv", "Installing Python packages (about a minute)"]
    [why] = refused
    assert why.startswith("handrail: the Python packages could not be installed. Check the network connection,")
    assert why.endswith("(log: .venv/pip.log).")
    assert "ERROR: No matching distribution found for example==1.0" in (tmp_path / ".venv" / "pip.log").read_text()


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_setup_leaves_no_pip_at_work(asked: signal.Signals, tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "pip").write_text(f"#!{programs / 'python'}\n")
    (programs / "python").write_text(SLOW_PIP)
    (programs / "python").chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    making = subprocess.Popen(
        ["make", f"PYTHON={sys.executable}", "setup"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    begun, deadline = tmp_path / "pip.pid", time.monotonic() + 30
    while not begun.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    pip = psutil.Process(int(begun.read_text()))

    try:
        os.killpg(making.pid, asked) if asked is signal.SIGINT else making.send_signal(asked)
        making.wait(30)

        assert not pip.is_running()
    finally:
        if pip.is_running():
            pip.kill()
