"""Pins how the path of Kafka's data folder stands in its configuration, which Java reads."""

from pathlib import PurePosixPath

import pytest

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.kafka import server_properties


def log_dirs(data_dir: str) -> str:
    """Return the line of the configuration that says where the data is."""
    properties = server_properties(
        listeners="CLIENT://127.0.0.1:9092",
        advertised="CLIENT://127.0.0.1:9092",
        controller_port=9093,
        data_dir=PurePosixPath(data_dir),
        admin_password="a",
        controller_password="c",
    )
    return next(line for line in properties.splitlines() if line.startswith("log.dirs="))


@pytest.mark.parametrize(
    ("data_dir", "line"),
    [
        ("/srv/a b=c:d", "log.dirs=/srv/a b=c:d"),
        ("/srv/Müller", r"log.dirs=/srv/M\u00fcller"),
        ("/srv/\U0001f6e4", r"log.dirs=/srv/\ud83d\udee4"),  # two units of UTF-16
        ("/srv/a\\b", r"log.dirs=/srv/a\\b"),
    ],
)
def test_java_reads_the_path_that_was_meant(data_dir: str, line: str) -> None:
    assert log_dirs(data_dir) == line


def test_a_path_that_kafka_would_take_for_two_is_refused() -> None:
    with pytest.raises(EmbeddedError, match=r"^Kafka cannot keep its data in /srv/a,b: .*comma"):
        log_dirs("/srv/a,b")
