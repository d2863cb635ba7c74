"""`handrail clock`: read the legal clock, or move it where the installation allows that."""

from __future__ import annotations

from typing import Annotated

import typer

from handrail.cli.status import Folder, find_running
from handrail.demo.story import parse_move


def clock(
    move: Annotated[str | None, typer.Argument(help="A sign, a number and s, m, h, d or w: +6d")] = None,
    data: Folder = None,
    reason: Annotated[str, typer.Option(help="Kept in the log.")] = "moved from the command line",
) -> None:
    """Show the legal clock, or move it (demo only) so that timers fire while you watch."""
    deadlines = find_running(data).web("deadlines")
    if move is not None:
        deadlines.post("/v1/clock", {"seconds": parse_move(move), "reason": reason})
    typer.echo(f"The legal clock says {deadlines.get('/v1/clock')['legal_now']}")
