"""`handrail client`: which partner systems may report."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, get_args

import typer

from handrail.cli.columns import in_columns
from handrail.cli.status import Folder, find_running
from schemas.reporters import ReporterBody

app = typer.Typer(help="Add, list and revoke the partner systems that may report.", no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens: leeds-city-council")],
    body: Annotated[str, typer.Option(help=f"What kind of body: {', '.join(get_args(ReporterBody))}")],
    area: Annotated[str, typer.Option(help="GSS code of its area: E08000035; of a national body: E92000001")],
    recipient: Annotated[str | None, typer.Option(help="The recipient it answers for: la:E08000035")] = None,
    data: Folder = None,
) -> None:
    """Register a partner system, and show its credentials; they are kept in the installation's folder, too."""
    credentials = find_running(data).clients.add(name, body=body, area=area, recipient=recipient)
    typer.echo(json.dumps(asdict(credentials), indent=2))


@app.command("list")
def list_clients(data: Folder = None) -> None:
    """List the registered partner systems."""
    keys = ("name", "body", "area", "recipient", "revoked_at")
    rows = [[str(client.get(key) or "") for key in keys] for client in find_running(data).clients.list()]
    typer.echo(in_columns(("name", "body", "area", "recipient", "revoked"), *rows))


@app.command()
def revoke(name: str, data: Folder = None) -> None:
    """Refuse a partner system from now on. What it reported stays."""
    find_running(data).clients.revoke(name)
    typer.echo(f"{name} is refused from now on, by HTTP and by Kafka.")
