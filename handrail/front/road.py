"""The road that an event takes, with the counts of this moment, read from the services' own metrics.

Those count from the start of a process: after a restart they begin at 0 again, whatever is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from schemas.topics import DELIVERIES

_TIMEOUT: Final = aiohttp.ClientTimeout(total=2)


@dataclass(frozen=True, slots=True)
class Stop:
    """One place on the road: what it does, what was counted there since it was started, and whether its service answers.

    `key` places it in the picture. `href` is empty where there is no page to see. Without a count, `answers` says whether
    its service does answer, with something from which none can be read.
    """

    key: str
    name: str
    does: str
    href: str
    link_text: str
    counted: str
    count: int | None
    answers: bool


@dataclass(frozen=True, slots=True)
class _Place:
    key: str
    does: str
    path: str
    link_text: str
    counted: str = "sent on since its last start"
    asked: str = ""  # the service that counts, where it is not the place itself
    metric: str = "handrail_relay_published_records_total"
    labels: Mapping[str, str] = field(default_factory=dict)


PLACES: Final = (
    _Place("intake", "takes reports, checks them and keeps them", "/docs/events", "What can be reported"),
    _Place("routing", "reads what was kept, decides who must be told, and tells them", "/case", "Cases"),
    _Place(
        "recipients",
        "get signed notices from Routing, and answer",
        "/",
        "What they received",
        counted="about their notices since the last start of Routing",
        asked="routing",
        labels={"topic": DELIVERIES},
    ),
    _Place("deadlines", "reads what Routing decided, counts working days and raises alerts", "/desk", "Desk"),
    _Place(
        "audit",
        "reads every message of all three services and its own, and keeps a log that can be proved",
        "/log",
        "Log",
        counted="logged since its last start",
        metric="handrail_consumed_records_total",
        labels={"outcome": "fresh"},
    ),
)


async def read_road(urls: Mapping[str, str]) -> tuple[Stop, ...]:
    """Return the places in the order of the road; one whose service does not answer with its metrics has no count.

    Args:
        urls: Address of each place; none for recipients that have no page here.
    """
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        counts = await asyncio.gather(*(_count(session, urls[place.asked or place.key], place) for place in PLACES))
    return tuple(
        Stop(
            place.key,
            place.key.title(),
            place.does,
            urls[place.key] + place.path if urls[place.key] else "",
            place.link_text,
            place.counted,
            count,
            answers,
        )
        for place, (count, answers) in zip(PLACES, counts, strict=True)
    )


async def _count(session: aiohttp.ClientSession, url: str, place: _Place) -> tuple[int | None, bool]:
    """Return the count of a place, and whether its service answers."""
    try:
        async with session.get(f"{url}/metrics") as response:
            response.raise_for_status()
            return _counted(await response.text(), place), True
    except (aiohttp.ClientError, TimeoutError):
        return None, False
    except ValueError:  # a page of a proxy, say, which answers in the service's place
        return None, True


def _counted(metrics: str, place: _Place) -> int:
    return int(
        sum(
            sample.value
            for family in text_string_to_metric_families(metrics)
            for sample in family.samples
            if sample.name == place.metric and place.labels.items() <= sample.labels.items()
        )
    )
