"""Lets the embedded broker start in half the time: Java records which classes Kafka uses and keeps them prepared.

The last step of `make setup`. It runs a broker once, in a temporary folder, under
Java's ahead-of-time class cache (JEP 483, one step as in JEP 514). Nothing depends on the result but speed.
"""

import tempfile
from pathlib import Path

from rich.console import Console

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.fetch import class_cache
from handrail.embedded.kafka import EmbeddedKafka
from handrail.embedded.topics import apply_topics
from handrail.embedded.topics_page import Spec

_ASSEMBLY_S = 180.0  # Java writes the cache while the broker ends


def warm() -> bool:
    """Make the class cache if it is not there and return whether it is there now."""
    cache = class_cache()
    if cache is None or cache.is_file():
        return cache is not None
    with tempfile.TemporaryDirectory(dir=cache.parent, prefix="warming-") as scratch:
        output = Path(scratch, "kafka.aot")
        broker = EmbeddedKafka(
            Path(scratch, "kafka"), java_options=[f"-XX:AOTCacheOutput={output}"], grace_s=_ASSEMBLY_S
        )
        try:
            address = broker.start()
            apply_topics(address, dict.fromkeys(Spec.load().services, "used once, in this folder"))
        finally:
            broker.stop()
        if output.is_file():
            output.rename(cache)
    return cache.is_file()


def main() -> None:
    """Prepare, and say so; a failure costs start-up time only, so it is told and not fatal."""
    console = Console()
    console.print("Preparing Kafka to start quickly (once, about 15 seconds)")
    try:
        if not warm():
            console.print("Kafka could not be prepared; it starts a few seconds slower.")
    except (EmbeddedError, OSError) as error:
        console.print(f"Kafka could not be prepared ({error}); it starts a few seconds slower.")
