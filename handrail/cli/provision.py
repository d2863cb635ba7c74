"""`handrail provision` and `handrail topics apply`: make broker and database ready for the services.

An embedded installation does this by itself at each start; a deployment on servers of your own runs it once per
release, before the services.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from handrail.client.direct import is_private
from handrail.embedded.errors import EmbeddedError
from handrail.embedded.kafka import BrokerAddress
from handrail.embedded.postgres import DatabaseAddress
from handrail.embedded.stack import given_broker, given_database
from handrail.embedded.topics import Changes, apply_topics
from handrail.installation.database import make_ready, reach_database
from handrail.installation.given import refuse_new_passwords
from handrail.installation.keys import lacking_passwords, make_keys, read_password
from handrail.installation.running import Running
from schemas.topics import SERVICES

topics_app = typer.Typer(help="Kafka topics, users and access rules.", no_args_is_help=True)
Secrets = Annotated[Path, typer.Option(help="Folder of keys and passwords; what is missing is made.")]


def provision(
    secrets: Secrets,
    keys: Annotated[bool, typer.Option(help="Make missing keys; not where each process is given its own.")] = True,
) -> None:
    """Make keys and passwords that are missing, then topics, users, access rules, roles, schemas and tables.

    Beside the keys it writes where everything is, so that the other commands find it: --data, or HANDRAIL_DATA.
    """
    database = given_database(os.environ)
    if database is None:
        raise EmbeddedError("HANDRAIL_DATABASE_URL is not set: give the address of an account that may create roles")
    urls = _urls(os.environ) if keys else {}  # else nothing is written that sends a token there
    refuse_new_passwords(secrets, os.environ)
    if keys:
        make_keys(secrets)
    reach_database(database)
    _show(_apply(secrets))
    make_ready(database.url(), {name: read_password(secrets, f"database-{name}") for name in SERVICES})
    typer.echo("Tables and roles are up to date.")
    if keys:
        _running(secrets.absolute(), urls, _cluster(), database).write()


@topics_app.command("apply")
def apply(secrets: Annotated[Path, typer.Option(help="Folder of passwords that `provision` has made.")]) -> None:
    """Make the cluster look like deploy/topics.yaml. It only ever adds, and sets the passwords of the folder again."""
    if secrets.is_dir() and (lacking := lacking_passwords(secrets, "kafka")):
        files = ", ".join(f"kafka-{service}.password" for service in lacking)
        raise EmbeddedError(
            f"{secrets} lacks {files}: name the folder that `handrail provision` has made, from which the services "
            "have their passwords"
        )
    _show(_apply(secrets))


def _cluster() -> BrokerAddress:
    broker = given_broker(os.environ)
    if broker is None:
        raise EmbeddedError("HANDRAIL_KAFKA_BOOTSTRAP is not set: give the address of the cluster")
    return broker


def _apply(secrets: Path) -> Changes:
    if not secrets.is_dir():
        raise EmbeddedError(f"there is no folder {secrets}; `handrail provision` makes it, with its keys")
    return apply_topics(_cluster(), {name: read_password(secrets, f"kafka-{name}") for name in SERVICES})


def _urls(environ: Mapping[str, str]) -> dict[str, str]:
    """Return where the front and the services are, by the settings that they have themselves.

    Raises:
        EmbeddedError: A token would go to another machine in plain text.
    """
    from services.kit.settings import KitSettings  # noqa: PLC0415 - slow: pydantic

    urls: dict[str, str] = {}
    for name in ("front", *SERVICES):
        setting = f"HANDRAIL_{name.upper()}_URL"
        url = environ.get(setting) or KitSettings.model_fields[f"{name}_url"].default
        if not is_private(url):
            raise EmbeddedError(
                f"{setting} is {url}: expected https, or http on this machine; commands send tokens there"
            )
        urls[name] = url
    return urls


def _running(folder: Path, urls: Mapping[str, str], broker: BrokerAddress, database: DatabaseAddress) -> Running:
    return Running(
        folder=str(folder),
        keys=str(folder),
        demo=False,
        urls=urls,
        kafka_bootstrap=broker.bootstrap,
        kafka_security=broker.security_protocol,
        kafka_admin=broker.user,
        kafka_ca_file=str(Path(broker.ca_file).absolute()) if broker.ca_file else None,
        database=f"{database.host_and_port}/{database.database}",
        log_public_key=str(folder / "log.pub"),
    )


def _show(changes: Changes) -> None:
    for what, names in (("topic", changes.topics), ("user", changes.users), ("setting", changes.settings)):
        for name in names:
            typer.echo(f"made {what} {name}")
    typer.echo(f"made {len(changes.rules)} access rules")
    for difference in changes.left_alone:
        typer.echo(f"left alone: {difference}")
