"""No field that is not on the list gets into a log line, whoever logs it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from services.kit.errors import Refused, summary
from services.kit.faults import faultpoint
from services.kit.logging import configure_logging, where


@pytest.fixture
def lines() -> Iterator[Any]:
    stream = io.StringIO()
    root = logging.getLogger()
    before = (root.handlers, root.level, structlog.get_config())
    configure_logging("kit", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, root.level = before[:2]
    structlog.configure(**before[2])


def test_a_line_has_its_fields_and_nothing_else(lines: Any) -> None:
    structlog.get_logger("services.kit.x").info("kit.tested", records=3, child_name="Invented Name")

    (line,) = lines()
    assert line.pop("timestamp")
    assert line == {"event": "kit.tested", "level": "info", "service": "kit", "records": 3}


def test_a_librarys_line_loses_its_text_and_keeps_where_it_came_from(lines: Any) -> None:
    logging.getLogger("aiokafka.consumer").warning("record %s could not be read", "Invented Name")

    (line,) = lines()
    assert "Invented" not in json.dumps(line)
    assert (line["event"], line["logger"]) == ("library.log", "aiokafka.consumer")
    assert line["template"] == "record %s could not be read"


def test_a_librarys_exception_is_told_by_its_type(lines: Any) -> None:
    try:
        raise ValueError("Invented Name")  # noqa: TRY301
    except ValueError:
        logging.getLogger("faststream").exception("Invented Name failed")

    (line,) = lines()
    assert line["error"] == "ValueError"
    assert "Invented" not in json.dumps(line)


def test_an_errors_own_words_are_told_only_if_they_are_ours() -> None:
    assert summary(ValueError("Invented Name")) == "ValueError"
    assert summary(Refused("the area is not in the register")) == "Refused: the area is not in the register"


def test_the_place_of_an_error_is_the_innermost_of_our_own_code() -> None:
    with pytest.raises(LookupError) as caught:
        faultpoint("no such point")

    assert where(caught.value).startswith("services/kit/faults.py:")
