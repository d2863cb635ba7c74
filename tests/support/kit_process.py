"""A service process made of the kit alone: repeats on one topic what it hears on another.

`python -m tests.support.kit_process SOURCE DESTINATION GROUP`, settings and fault points from the environment.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from faststream.kafka import KafkaRouter

from services.kit.codec import Event
from services.kit.http import build_http
from services.kit.runtime import Runtime, lifespan, serve
from services.kit.settings import KitSettings
from tests.support.faults.switch import arm_from_environment
from tests.support.kit import SERVICE, aware


def repeat(runtime: Runtime, source: str, destination: str, group: str) -> list[KafkaRouter]:
    """Subscribe: each event is answered by one message, `heard <what it said>`."""
    router = KafkaRouter()

    @runtime.consume.batches(router, source, group_id=group)
    async def on_events(events: Sequence[Event], tx: Any) -> None:
        for event in events:
            tx.emit(destination, aware(f"heard {event.message.data.how}", str(event.case_key)))

    return [router]


def main() -> None:
    """Run until told to stop."""
    arm_from_environment()
    source, destination, group = sys.argv[1:]
    settings = KitSettings()
    runtime = Runtime(settings, SERVICE)
    serve(
        build_http(runtime, "kit", lifespan=lifespan(runtime, repeat(runtime, source, destination, group), ())),
        settings,
    )


if __name__ == "__main__":
    main()
