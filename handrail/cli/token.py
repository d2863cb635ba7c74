"""`handrail token`: an access token for somebody who reads from outside, such as whoever verifies the log."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from handrail.cli.status import Folder, find_running
from handrail.installation.running import AUDITOR

Role = Annotated[Literal["auditor"], typer.Option(help="What the token opens; an auditor reads and changes nothing.")]


def token(role: Role, data: Folder = None) -> None:  # noqa: ARG001 - there is one, and it has to be said
    """Print an access token that is valid for an hour. Whoever has it may read every case and the whole log."""
    typer.echo(find_running(data).web("audit", AUDITOR).token)
