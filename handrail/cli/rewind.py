"""`handrail relay rewind` and `handrail consumer rewind`: after broker or database were restored, publish and read again.

Both are safe to do twice: messages keep their ids, and every consumer knows what it has already handled.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from handrail.cli.status import Folder, find_running
from handrail.embedded.stack import read_address
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


@consumer_app.command("rewind")
def consumer_rewind(service: Which, data: Folder = None, database_file: Address = None) -> None:
    """Let a service read every topic again from the start; what it has handled has no second effect.

    A service that has stopped reading must be restarted; one that runs goes back at the next record of each partition.
    """
    from handrail.installation.rewinding import rewind_consumers  # noqa: PLC0415 - slow: SQLAlchemy

    rewind_consumers(service, _address(service, data, database_file))
    typer.echo(f"{service} reads every topic from the start, at the latest when it is restarted.")


def _address(service: str, data: Path | None, given: Path | None) -> str:
    if given:
        address = read_address(given.read_text().strip(), str(given))
    else:
        running = find_running(data)
        password = quote(running.password(f"database-{service}"), safe="")
        address = read_address(f"postgresql://handrail_{service}:{password}@{running.database}", str(running.folder))
    reach_database(address)
    return address.url()
