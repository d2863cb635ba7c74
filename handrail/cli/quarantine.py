"""`handrail quarantine`: look at what was put aside, try it again, or discard it with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

import typer

from handrail.cli.columns import in_columns
from handrail.cli.status import Folder, find_running
from handrail.installation.web import Web
from schemas.topics import SERVICES, Service

app = typer.Typer(help="List, retry and discard what could not be processed.", no_args_is_help=True)
Holder = Annotated[Service, typer.Option("--service", help="Which service holds it.")]
Item = Annotated[UUID, typer.Argument(help="Its id, from the list.")]
Reason = Annotated[str, typer.Option(help="Why; kept in the log. No names.")]


@app.command("list")
def list_items(data: Folder = None) -> None:
    """List what is in quarantine, in every service."""
    running = find_running(data)
    keys = ("quarantine_id", "held_at", "waiting", "topic", "reason")
    rows = [
        (service, *(str(item[key]) for key in keys)) for service in SERVICES for item in held_by(running.web(service))
    ]
    if not rows:
        typer.echo("Quarantine is empty.")
        return
    typer.echo(in_columns(("service", "id", "since", "waiting behind it", "topic", "reason"), *rows))


def held_by(service: Web) -> Iterator[dict[str, Any]]:
    """Yield everything that a service holds, page by page, what came first at the top."""
    for page in service.pages("/v1/quarantine?limit=500"):
        yield from page["records"]


@app.command()
def retry(quarantine_id: Item, service: Holder, reason: Reason, data: Folder = None) -> None:
    """Process it again, and what waits behind it, in order."""
    came = find_running(data).web(service).post(f"/v1/quarantine/{quarantine_id}/retry", {"reason": reason})
    if came["state"] == "held":
        typer.echo(f"Tried again in vain, so it stays where it is: {came['reason']}")
        return
    typer.echo("Tried again; see `handrail quarantine list`.")


@app.command()
def discard(quarantine_id: Item, service: Holder, reason: Reason, data: Folder = None) -> None:
    """Leave it out for good and release what waits behind it. Its bytes and the reason are kept."""
    find_running(data).web(service).post(f"/v1/quarantine/{quarantine_id}/discard", {"reason": reason})
    typer.echo("Discarded; the reason is in the log.")
