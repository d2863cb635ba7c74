"""`handrail verify`: check the whole decision log from outside, with the public key alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handrail.cli.status import Folder, find_running
from handrail.verify import verify_log


def verify(
    data: Folder = None,
    key: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Public key of the log (PEM); default: the installation's."),
    ] = None,
) -> None:
    """Recompute every hash of the log and compare with the signed checkpoint; exit 1 if anything is wrong, 2 if it cannot be read."""
    running = find_running(data)
    audit = running.web("audit")
    key_file = key or Path(running.log_public_key)
    report = verify_log(audit.base_url, audit.token, key_file.read_bytes())
    typer.echo(report.summary())
    if not report.ok:
        raise typer.Exit(2 if report.head is None else 1)
