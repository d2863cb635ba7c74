"""Reads England's holidays from the packaged data file and hashes them.

The hash is SHA-256 over the file's content as canonical JSON (sorted keys, no spaces, ASCII), so that layout and comments
do not change it and any changed day, title or source does.
"""

import hashlib
import json
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import yaml

from schemas.calendar.days import Calendar
from schemas.calendar.holiday import Holiday


@cache
def load_england() -> Calendar:
    """Return the packaged calendar of England, 2018 to 2028; the same object each time."""
    text = resources.files("schemas.calendar").joinpath("england.yaml").read_text("utf-8")
    return parse(yaml.safe_load(text))


def parse(document: dict[str, Any]) -> Calendar:
    """Return the calendar that a parsed data file describes.

    Raises:
        ValueError: A day falls on a weekend, stands twice, or lies outside the span.
        KeyError: A day names a source that the file does not list.
    """
    sources: dict[str, str] = {name: source["title"] for name, source in document["sources"].items()}
    holidays: dict[date, Holiday] = {}
    for row in document["holidays"]:
        day: date = row["day"]
        if day in holidays or day.weekday() >= 5:  # noqa: PLR2004 - Saturday
            message = f"expected each holiday once and on a weekday, got {day}"
            raise ValueError(message)
        holidays[day] = Holiday(row["title"], row["basis"], sources[row["source"]], row.get("announced_on"))
    return Calendar(
        version=document["version"],
        sha256=_digest(document),
        holidays=holidays,
        covers_from=document["covers_from"],
        covers_to=document["covers_to"],
    )


def _digest(document: dict[str, Any]) -> str:
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=date.isoformat)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()
