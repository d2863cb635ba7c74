"""`handrail account`: who may sign in."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from yaml import YAMLError

from handrail.cli.status import Folder, find_running
from handrail.front.accounts import add_account
from handrail.installation.keys import write_secret
from handrail.installation.running import Running
from handrail.installation.tokens import Account, PersonRole
from handrail.installation.web import CallFailed

app = typer.Typer(help="Add people who may sign in.", no_args_is_help=True)


@app.callback()
def accounts() -> None:
    """Add people who may sign in."""


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What the person signs in with: lower-case letters, digits, hyphens.")],
    role: Annotated[PersonRole, typer.Option(help="What the account opens.")],
    full_name: Annotated[str, typer.Option("--name", help="The person's name, as pages and the log show it.")],
    client: Annotated[
        str | None, typer.Option(help="The partner system it acts for, as in `handrail client list`.")
    ] = None,
    body: Annotated[
        str | None, typer.Option(help="The recipient that the system answers for, if it does: la:E08000035")
    ] = None,
    data: Folder = None,
) -> None:
    """Add an account with a password of its own; the front takes it at the next sign-in, without a restart.

    A review officer reads the cases of one agency, and a partner its receipts: both need --client, and --body if that
    client answers for a recipient.
    """
    _check(name, full_name, role, client, body)
    running = find_running(data)
    if client:
        _check_agency(running, client, body)
    password, kept = secrets.token_urlsafe(32), Path(running.keys) / f"account-{name}.password"
    ready = kept.with_suffix(f".{os.getpid()}.new")  # before there is the account: nobody could open it otherwise
    write_secret(ready, password.encode())
    try:
        add_account(Path(running.folder) / "accounts.yaml", Account(name, full_name, role, client, body), password)
        ready.replace(kept)
    except (LookupError, TypeError, ValueError, YAMLError) as error:
        raise CallFailed(f"nothing was added: {error}") from error
    finally:
        ready.unlink(missing_ok=True)
    typer.echo(f"{name} may sign in at {running.url('front')}/sign-in. The password is in {kept}")


def _check(name: str, full_name: str, role: str, client: str | None, body: str | None) -> None:
    if not name or not set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-"):
        raise typer.BadParameter("expected lower-case letters, digits and hyphens, such as ada-author")
    if not full_name.strip() or not full_name.isprintable():
        raise typer.BadParameter("expected the person's name, on one line", param_hint="--name")
    if (body or role in {"review_officer", "partner"}) and not client:
        raise typer.BadParameter("it acts for an agency: name it with --client and --body")


def _check_agency(running: Running, client: str, body: str | None) -> None:
    """Let an account act for a client that there is, and for a body alone that this one answers for."""
    clients = {each["name"]: each for each in running.clients.list() if each["revoked_at"] is None}
    if client not in clients:
        raise typer.BadParameter(
            f"{client} is no client: take one of `handrail client list`, or add it first with `handrail client add`",
            param_hint="--client",
        )
    wanted = _answers_for(clients[client])
    if body not in wanted if wanted else body is not None:
        what_to_do = f"for {wanted[0]}: give --body {wanted[0]}" if wanted else "for no recipient: leave --body out"
        raise typer.BadParameter(f"{client} answers {what_to_do}", param_hint="--body")


def _answers_for(client: Mapping[str, Any]) -> list[str]:
    """Return for whom a client answers, as intake says: a local authority for itself, also where no recipient is registered."""
    itself = f"la:{client['area']}" if client["body"] == "local_authority" else None
    return [each for each in (client["recipient"], itself) if each]
