"""`handrail send FILE`: report one event as a partner system."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from handrail.cli.status import Folder, find_running
from handrail.client import HandrailClient, NotAccepted
from handrail.demo.story import EVENT, NOTICE, StoryError
from handrail.installation.web import CallFailed


def send(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CloudEvent as JSON.")],
    client: Annotated[
        str | None, typer.Option("--as", help="Which client sends it; default: as its source says.")
    ] = None,
    data: Folder = None,
) -> None:
    """Post one event file to intake and show the receipt."""
    content, event = _read(file)
    running = find_running(data)
    name = client or str(event.get("source", "")).rsplit(":", 1)[-1]
    intake = HandrailClient(running.url("intake"), _token(Path(running.folder) / "clients", name))
    try:
        _, receipt = intake.post(content)
    except NotAccepted as error:
        raise CallFailed(f"refused, {error}") from error
    typer.echo(json.dumps(receipt, indent=2))


def _token(folder: Path, name: str) -> str:
    known = {each.stem: each for each in folder.glob("*.json")}
    if name not in known:  # which is no path either, whatever the event's source says
        names = ", ".join(sorted(known)) or "none"
        raise StoryError(f"no client '{name}' here (known: {names}). Choose one with --as, or `handrail client add`.")
    try:
        return str(json.loads(known[name].read_text())["token"])
    except (ValueError, LookupError, TypeError) as error:
        raise StoryError(
            f"{known[name]} is not what `handrail client add` has written: revoke {name}, and add it again"
        ) from error


def _read(file: Path) -> tuple[bytes, dict[str, object]]:
    content = file.read_bytes()
    try:
        text = content.decode()
        event = json.loads(text)
    except ValueError as error:
        raise StoryError(f"{file} is not JSON: {error}") from error
    if not isinstance(event, dict):
        raise StoryError(f"{file} is not one CloudEvent: expected a JSON object")
    if NOTICE.search(text) or EVENT.search(text):
        raise StoryError(f"{file} has placeholders in double braces; put in the ids from a notice or a receipt first")
    return content, event
