"""The road that an event takes, with the counts of this moment, read from the services' own metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

_TIMEOUT: Final = aiohttp.ClientTimeout(total=2)


@dataclass(frozen=True, slots=True)
class Stop:
    """One service on the road: what it does, how many messages it has published, and whether it answers."""

    name: str
    does: str
    href: str | None
    link_text: str
    published: int | None


STOPS: Final = (
    ("intake", "Intake", "takes reports, checks them and keeps them", "/docs/events", "What can be reported"),
    ("routing", "Routing", "decides who must be told, and tells them", "/case", "Cases"),
    ("deadlines", "Deadlines", "counts working days and raises alerts", "/desk", "Desk"),
    ("audit", "Audit", "keeps a log that can be proved", "/log", "Log"),
)


async def read_road(urls: Mapping[str, str]) -> tuple[Stop, ...]:
    """Return the stops in the order of the road; a service that does not answer has no count."""
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        counts = await asyncio.gather(*(_published(session, urls[name]) for name, *_ in STOPS))
    return tuple(
        Stop(title, does, urls[name] + path, text, count)
        for (name, title, does, path, text), count in zip(STOPS, counts, strict=True)
    )


async def _published(session: aiohttp.ClientSession, url: str) -> int | None:
    try:
        async with session.get(f"{url}/metrics") as response:
            text = await response.text()
    except (aiohttp.ClientError, TimeoutError):
        return None
    families = text_string_to_metric_families(text)
    return int(
        sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == "handrail_relay_published_total"
        )
    )
