"""`handrail quarantine`: look at what was put aside, try it again, or discard it with a reason."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from handrail.cli.columns import in_columns
from handrail.cli.status import Folder, find_running
from schemas.topics import SERVICES, Service

app = typer.Typer(help="List, retry and discard what could not be processed.", no_args_is_help=True)
Holder = Annotated[Service, typer.Option("--service", help="Which service holds it.")]
_MOST: Final = 500  # what `GET /v1/quarantine` gives at most
Reason = Annotated[str, typer.Option(help="Why; kept in the log. No names.")]


@app.command("list")
def list_items(data: Folder = None) -> None:
    """List what is in quarantine, in every service."""
    running = find_running(data)
    held = {service: running.web(service).get("/v1/quarantine") for service in SERVICES}
    keys = ("quarantine_id", "held_at", "waiting", "topic", "reason")
    rows = [(service, *(str(item[key]) for key in keys)) for service, items in held.items() for item in items]
    if not rows:
        typer.echo("Quarantine is empty.")
        return
    typer.echo(in_columns(("service", "id", "since", "waiting behind it", "topic", "reason"), *rows))
    for service, items in held.items():
        if len(items) >= _MOST:
            typer.echo(f"{service}: these are the {len(items)} that came first; there may be more.")


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
