"""A story as data; this module reads one from a folder, `story.yaml` with the event files beside it.

Two kinds of placeholder stand in events, because the values exist only once the system has run: the id of a notice that
a recipient received, and the event id on the receipt of an earlier event.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import yaml

NOTICE: Final = re.compile(r"\{\{notice (?P<rule>[^\s{}]+) to (?P<recipient>[^\s{}]+)\}\}")
EVENT: Final = re.compile(r"\{\{event (?P<name>[^\s{}]+)\}\}")
_MOVE: Final = re.compile(r"^(?P<sign>[+-])(?P<number>\d+)(?P<unit>[smhdw])$")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class StoryError(ValueError):
    """The story's files do not fit together; the text says where."""


@dataclass(frozen=True, slots=True)
class ClientSpec:
    """A partner system that the story registers."""

    name: str
    body: str
    area: str
    recipient: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """One event to send. `name` is what placeholders call it; a notice that it names is one of `case`, if that is given."""

    client: str
    name: str
    text: str
    case: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens: events sent, raw bytes written to Kafka by a client, or the clock moved (seconds).

    The messages of a round are sent at once, the next round when each of them has had its effect. The clock is at `at` or
    past it when the step begins.
    """

    title: str
    says: str
    rounds: tuple[tuple[Message, ...], ...] = ()
    at: datetime | None = None
    client: str | None = None
    raw: Path | None = None
    clock_s: int | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """A whole story, in order. `starts_at` is the instant that the legal clock is set to first."""

    starts_at: datetime
    clients: tuple[ClientSpec, ...]
    steps: tuple[Step, ...]


def load_story(folder: Path) -> Story:
    """Read `story.yaml` and check that every file and client that it names is there.

    Raises:
        StoryError: Something is missing or unknown.
    """
    path = folder / "story.yaml"
    if not path.exists():
        raise StoryError(f"{folder} has no story.yaml; see examples/events for one")
    with laid_out(path) as page:
        clients = tuple(
            ClientSpec(entry["name"], entry["body"], entry["area"], entry.get("recipient")) for entry in page["clients"]
        )
        names = {client.name for client in clients}
        steps = tuple(_step(folder, names, entry) for entry in page["steps"])
        return Story(_instant(page["starts at"]), clients, steps)


@contextmanager
def laid_out(path: Path) -> Iterator[dict[str, Any]]:
    """Give the page of a story's file, every value as text; what the block does not find in it is one line.

    Raises:
        StoryError: It is no YAML, or a part of it is missing or has another form.
    """
    try:
        yield yaml.load(path.read_text(), yaml.BaseLoader)  # noqa: S506 - BaseLoader builds text only
    except StoryError:
        raise
    except KeyError as missing:
        raise StoryError(f"{path} lacks {missing}") from missing
    except (yaml.YAMLError, TypeError, AttributeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise StoryError(f"{path} is not laid out like those in examples: {reason}") from error


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise StoryError(f"'starts at' is {text}: an offset is missing, as in 2026-06-01T09:00:00+01:00")
    return instant


def _step(folder: Path, clients: set[str], entry: dict[str, str]) -> Step:
    title, says, client = entry["title"], entry["says"], entry.get("as")
    if client is not None and client not in clients:
        raise StoryError(f"step '{title}': no client {client} in this story; it has {', '.join(sorted(clients))}")
    if "clock" in entry:
        return Step(title, says, clock_s=parse_move(entry["clock"]))
    kind = "send" if "send" in entry else "raw"
    file = folder / entry[kind]
    if not file.exists():
        raise StoryError(f"step '{title}': there is no file {file}")
    if kind == "send":
        return Step(title, says, ((Message(str(client), file.name, file.read_text()),),))
    return Step(title, says, client=client, raw=file)


def parse_move(text: str) -> int:
    """Return the seconds that a move such as `+6d`, `-2h` or `+30m` stands for.

    Raises:
        StoryError: Not a sign, a number and one of s, m, h, d, w.
    """
    match = _MOVE.match(text)
    if match is None:
        raise StoryError(f"'{text}' is not a move of the clock: write a sign, a number and s, m, h, d or w, as in +6d")
    seconds = int(match["number"]) * _SECONDS[match["unit"]]
    return seconds if match["sign"] == "+" else -seconds
