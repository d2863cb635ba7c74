"""`handrail client`: which partner systems may report."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.console import Console
from rich.table import Table

from handrail.cli.status import Folder, operator_web, read_status
from handrail.embedded.kafka import BrokerAddress
from handrail.installation.clients import ClientRegistry
from schemas.case_events import ReporterBody

app = typer.Typer(help="Add, list and revoke the partner systems that may report.", no_args_is_help=True)


def _registry(data: Path | None) -> ClientRegistry:
    status = read_status(data)
    folder = Path(status["folder"])
    broker = BrokerAddress(
        status["kafka_bootstrap"], status["kafka_admin"], _admin_password(folder), status["kafka_security"]
    )
    return ClientRegistry(operator_web("intake", data), broker, folder / "clients")


def _admin_password(folder: Path) -> str:
    return (folder / "keys" / "kafka-admin.password").read_text()


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Lower-case letters, digits and hyphens: leeds-city-council")],
    body: Annotated[str, typer.Option(help=f"What kind of body: {', '.join(get_args(ReporterBody))}")],
    area: Annotated[str, typer.Option(help="GSS code of its area: E08000035")],
    recipient: Annotated[str | None, typer.Option(help="The recipient it answers for: la:E08000035")] = None,
    data: Folder = None,
) -> None:
    """Register a partner system and show its credentials, once."""
    credentials = _registry(data).add(name, body=body, area=area, recipient=recipient)
    typer.echo(json.dumps(asdict(credentials), indent=2))


@app.command("list")
def list_clients(data: Folder = None) -> None:
    """List the registered partner systems."""
    table = Table("name", "body", "area", "recipient", "revoked")
    for client in _registry(data).list():
        table.add_row(*(str(client.get(key) or "") for key in ("name", "body", "area", "recipient", "revoked_at")))
    Console().print(table)


@app.command()
def revoke(name: str, data: Folder = None) -> None:
    """Refuse a partner system from now on. What it reported stays."""
    _registry(data).revoke(name)
    typer.echo(f"{name} is refused from now on, by HTTP and by Kafka.")
