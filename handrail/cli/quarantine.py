"""`handrail quarantine`: look at what was put aside, try it again, or discard it with a reason."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from handrail.cli.status import Folder, find_running
from schemas.topics import SERVICES, Service

app = typer.Typer(help="List, retry and discard what could not be processed.", no_args_is_help=True)
Holder = Annotated[Service, typer.Option("--service", help="Which service holds it.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the log. No names.")]


@app.command("list")
def list_items(data: Folder = None) -> None:
    """List what is in quarantine, in every service."""
    table = Table("service", "id", "since", "topic", "reason", "waiting behind it")
    for service in SERVICES:
        for item in find_running(data).web(service).get("/v1/quarantine"):
            table.add_row(
                service,
                item["quarantine_id"],
                item["held_at"],
                item["topic"],
                item["reason"],
                str(item["waiting"]),
            )
    Console().print(table if table.row_count else "Quarantine is empty.")


@app.command()
def retry(quarantine_id: str, service: Holder, reason: Reason, data: Folder = None) -> None:
    """Process it again, and what waits behind it, in order."""
    find_running(data).web(service).post(f"/v1/quarantine/{quarantine_id}/retry", {"reason": reason})
    typer.echo("Tried again; see `handrail quarantine list`.")


@app.command()
def discard(quarantine_id: str, service: Holder, reason: Reason, data: Folder = None) -> None:
    """Leave it out for good and release what waits behind it. Its bytes and the reason are kept."""
    find_running(data).web(service).post(f"/v1/quarantine/{quarantine_id}/discard", {"reason": reason})
    typer.echo("Discarded; the reason is in the log.")
