"""`handrail relay catch-up`, `relay rewind` and `consumer rewind`: after database or broker were restored, go on from there.

All are safe to do twice: messages keep their ids, and every consumer knows what it has already handled.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

import typer

from handrail.cli.status import Folder, find_running
from handrail.embedded.errors import EmbeddedError
from handrail.embedded.stack import given_broker, read_address
from handrail.installation.database import reach_database
from schemas.topics import Service

relay_app = typer.Typer(help="What publishes a service's messages.", no_args_is_help=True)
consumer_app = typer.Typer(help="What reads messages for a service.", no_args_is_help=True)
Which = Annotated[Service, typer.Argument(help="Whose.")]
# A file, because every account of the machine can read a command line.
Address = Annotated[
    Path | None,
    typer.Option(
        "--database-file",
        exists=True,
        dir_okay=False,
        help="File with the postgresql:// address of the service's own role.",
    ),
]


@relay_app.command("rewind")
def relay_rewind(service: Which, data: Folder = None, database_file: Address = None) -> None:
    """Publish a service's whole outbox again, with the same ids and numbers; consumers skip what they know."""
    from handrail.installation.rewinding import rewind_relay  # noqa: PLC0415 - slow: SQLAlchemy

    rewind_relay(service, _address(service, data, database_file))
    typer.echo(f"{service} publishes its outbox again from the start.")


@relay_app.command("catch-up")
def relay_catch_up(service: Which, data: Folder = None, database_file: Address = None) -> None:
    """Take over from Kafka what a service's database, restored from a backup, does not have, and let its relay go on.

    With --database-file, Kafka is the cluster of HANDRAIL_KAFKA_BOOTSTRAP and its administrator.
    """
    from handrail.installation.rewinding import catch_up_relay  # noqa: PLC0415 - slow: SQLAlchemy

    broker = given_broker(os.environ) if database_file else find_running(data).broker
    if broker is None:
        raise EmbeddedError("HANDRAIL_KAFKA_BOOTSTRAP is not set: give the address of the cluster")
    found = catch_up_relay(service, _address(service, data, database_file), broker)
    if found is None:
        typer.echo(f"{service} has nothing to catch up: its relay is at work.")
        return
    for line in found_lines(service, found.lacking, found.published):
        typer.echo(line)


def found_lines(service: str, lacking: Sequence[tuple[UUID, str]], published: int) -> list[str]:
    """Return what is said about a database that was caught up; the arguments are those of `services.kit.restored.Found`."""
    decided = sum(kind == "record.resolved.v1" for _, kind in lacking)
    held = (
        f"{decided} decisions on the quarantine of {service} are undone: what they let go is held again, once it is read "
        "again, and no alert says so. Run `handrail quarantine list` and decide again."
    )
    return [
        *(f"lacks {event_id} {kind}" for event_id, kind in lacking),
        f"{service} lacks {len(lacking)} messages that it published; they are kept for it and an alert is raised.",
        f"{published} more were waiting in its outbox and are published already.",
        *([held] if decided else []),
        "It goes on within seconds. What it had kept and never published cannot be counted.",
    ]


@consumer_app.command("rewind")
def consumer_rewind(service: Which, data: Folder = None, database_file: Address = None) -> None:
    """Let a service read every topic again from the start; what it has handled has no second effect.

    A service that has stopped reading must be restarted; one that runs goes back within seconds.
    """
    from handrail.installation.rewinding import rewind_consumers  # noqa: PLC0415 - slow: SQLAlchemy

    rewind_consumers(service, _address(service, data, database_file))
    typer.echo(f"{service} reads every topic from the start; where it has stopped reading, once it is restarted.")


def _address(service: str, data: Path | None, given: Path | None) -> str:
    if given:
        try:
            address = read_address(given.read_text("utf-8").strip(), str(given))
        except UnicodeDecodeError as error:
            raise EmbeddedError(f"{given} is not text in UTF-8: expected one postgresql:// address") from error
    else:
        running = find_running(data)
        password = quote(running.password(f"database-{service}"), safe="")
        address = read_address(f"postgresql://handrail_{service}:{password}@{running.database}", str(running.folder))
    reach_database(address)
    return address.url()
