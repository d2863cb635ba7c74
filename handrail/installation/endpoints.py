"""Where each recipient takes its notices. An installation without stubs starts with none: nothing is sent by accident."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import yaml

from handrail.embedded.places import REPOSITORY

REGISTER = REPOSITORY / "rulebooks" / "register" / "areas.yaml"


def recipients_of_register(register: Path = REGISTER) -> tuple[str, ...]:
    """Return the ids of every recipient in the register, in its order."""
    page = yaml.load(register.read_text(), yaml.BaseLoader)  # noqa: S506 - BaseLoader builds text only
    return tuple(entry["id"] for entry in page["bodies"])


def write_endpoints(path: Path, stubs_url: str | None) -> None:
    """Write the file of webhook addresses: the stubs' for a demo, an empty one to be filled in otherwise.

    A file that exists is left alone when there are no stubs: it is the operator's.
    """
    if stubs_url is None:
        if not path.exists():
            path.write_text("# recipient id: webhook URL, one a line\n")
        return
    lines = [
        f"{recipient}: {stubs_url}/recipients/{quote(recipient)}/webhook" for recipient in recipients_of_register()
    ]
    path.write_text(yaml.safe_dump(dict(line.split(": ", 1) for line in lines), sort_keys=False))
