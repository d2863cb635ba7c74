"""No field that is not on the list gets into a log line, whoever logs it."""

from __future__ import annotations

import errno
import io
import json
import logging
import sys
import threading
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from services.kit.errors import Refused, summary
from services.kit.faults import faultpoint
from services.kit.logging import configure_logging, log_what_nobody_caught, where
from services.kit.metrics import LOST_LOG_LINES


class _Thing:
    """Something that ends."""


class _FullDisk(io.StringIO):
    """A file on a disk that is full."""

    def write(self, text: str) -> int:
        del text
        raise OSError(errno.ENOSPC, "No space left on device")


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


def test_a_line_that_cannot_be_written_is_counted_and_nothing_of_it_is_told_instead(
    lines: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del lines
    handler = logging.getLogger().handlers[0]  # pytest has its own behind it
    monkeypatch.setattr(handler, "stream", _FullDisk())
    before = LOST_LOG_LINES._value.get()

    logging.getLogger("aiokafka.consumer").warning("record %s could not be read", "Invented Name")

    assert LOST_LOG_LINES._value.get() - before == 1
    assert capsys.readouterr() == ("", "")


def test_what_nobody_caught_and_what_is_warned_of_is_told_by_its_type(
    lines: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_given: object) -> None:
        raise ValueError("Invented Name")

    for module, name in ((threading, "excepthook"), (sys, "unraisablehook"), (warnings, "showwarning")):
        monkeypatch.setattr(module, name, getattr(module, name))  # put back afterwards
    log_what_nobody_caught()

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    warnings.showwarning("Invented Name", UserWarning, "invented.py", 1)
    reference = weakref.ref(kept := _Thing(), fails)
    del kept
    logging.captureWarnings(capture=False)

    assert reference() is None
    assert [(line["event"], line.get("error"), line.get("logger")) for line in lines()] == [
        ("process.uncaught", "ValueError", None),
        ("library.log", None, "py.warnings"),
        ("process.uncaught", "ValueError", None),
    ]
    assert "Invented" not in json.dumps(lines())


def test_an_errors_own_words_are_told_only_if_they_are_ours() -> None:
    assert summary(ValueError("Invented Name")) == "ValueError"
    assert summary(Refused("the area is not in the register")) == "Refused: the area is not in the register"


def test_the_place_of_an_error_is_the_innermost_of_our_own_code() -> None:
    with pytest.raises(LookupError) as caught:
        faultpoint("no such point")

    assert where(caught.value).startswith("services/kit/faults.py:")
