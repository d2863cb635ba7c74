"""`handrail status`: where the running installation is and how another program can join in."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from handrail.embedded.process import abandoned
from handrail.installation.running import Running, status_file


class NotRunning(RuntimeError):
    """No installation runs in this folder."""


def data_folder(given: Path | None = None) -> Path:
    """Return the folder of the installation: given, `HANDRAIL_DATA`, or the user's own."""
    if given is not None:
        return given
    if chosen := os.environ.get("HANDRAIL_DATA"):
        return Path(chosen)
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "handrail"


def demo_folder() -> Path:
    """Return the folder of the demo; it is made anew at each start."""
    return data_folder().parent / "handrail-demo"


def find_running(given: Path | None = None) -> Running:
    """Return the installation that runs: in the given folder, else in the user's, else the demo.

    Raises:
        NotRunning: None of them runs.
    """
    # A crash leaves the status file behind; containers have no lock, their file is true until they are deleted.
    candidates = [given] if given else [data_folder(), demo_folder()]
    for folder in candidates:
        if status_file(folder).exists() and not abandoned(folder):
            return Running.read(folder)
    places = " or ".join(str(folder) for folder in candidates)
    raise NotRunning(
        f"no Handrail runs in {places}. Start one with `handrail demo` or `handrail up`, or name "
        "the folder that `handrail provision` was given, by --data or HANDRAIL_DATA."
    )


Folder = Annotated[Path | None, typer.Option("--data", help="Folder of the installation.")]


def status(
    data: Folder = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs, with every client's credentials.")] = False,
) -> None:
    """Show every address, the Kafka bootstrap and the clients' credentials, so that another program can join in."""
    found = find_running(data).shown()
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    console = Console(markup=False, soft_wrap=True)
    for name, url in found["urls"].items():
        console.print(f"{name:<10} {url}")
    console.print(f"{'kafka':<10} {found['kafka_bootstrap']} ({found['kafka_security']}, SCRAM-SHA-512)")
    console.print(f"{'database':<10} {found['database']}")
    console.print(f"{'clients':<10} {', '.join(found['clients']) or 'none; add one with `handrail client add`'}")
    console.print("Credentials: handrail status --json")
