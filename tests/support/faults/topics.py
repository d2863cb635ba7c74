"""Faults of a topic itself: deleted and made again while services write and read it, then mended by the operator's commands."""

from __future__ import annotations

import threading
from typing import Final

from handrail.embedded.topics import apply_topics
from handrail.embedded.topics_page import Spec
from handrail.installation.keys import read_password
from schemas.topics import CASE_EVENTS, SERVICES
from tests.support.command_line import run
from tests.support.faults.builds import SECOND
from tests.support.faults.quiet import ends_of
from tests.support.faults.records import SIDES, SKIPPED, TIMES
from tests.support.faults.rig import DidNotLand, Rig, wait_for
from tests.support.faults.table import Fault, Landed, Scene

WRITER: Final = "intake"
READERS: Final = next(topic.read_by for topic in Spec.load().topics if topic.name == CASE_EVENTS)

_KNOWN_IN: Final = {"routing": "inbox", "audit": "entry"}
_HANDLED: Final = """SELECT count(*) FROM intake.outbox JOIN {}.{} USING (event_id) WHERE topic = $1"""
_PUBLISHED: Final = """SELECT count(*) FROM intake.outbox o, intake.relay_cursor c
    WHERE o.event_id = $1 AND (o.xid, o.id) <= (c.xid, c.id)"""


def made_again(scene: Scene) -> Landed:
    """Delete a topic with records that nobody has read, and make it again; go by the commands that the services name."""
    rig = scene.rig
    copies = [service + copy for service in READERS for copy in ("", SECOND)]
    wait_for(lambda: min(_read(rig)) >= SKIPPED, "records that every reader has read")
    for copy in copies:
        rig.process(copy).stop()
    lost = wait_for(lambda: (count := _unread(rig)) >= SKIPPED and count, "records that no reader has read")
    handled = _handled(rig)
    _make_again_in_the_middle_of_a_case(scene)
    for copy in copies:
        rig.start(copy)
    try:
        _see_it(rig, copies, handled)
    finally:
        _mend(rig, copies)
    return Landed(
        f"{CASE_EVENTS} deleted with {lost} records unread, made again, and mended by command",
        f"the relay, which refused, and {len(copies)} readers that stopped",
    )


def _make_again_in_the_middle_of_a_case(scene: Scene) -> None:
    """Make the topic again while a case is reported time after time: its beginning is lost with the old topic."""
    case = f"{scene.load.prefix}-parted"
    reporter = threading.Thread(target=scene.load.post_at_once, args=(case,), kwargs={"sides": SIDES, "times": TIMES})
    reporter.start()
    try:
        first = scene.load.event_id(f"{case}-0-0")
        wait_for(lambda: scene.rig.ask(_PUBLISHED, first), "the first event of the case is on the topic that goes")
        _delete(scene.rig)
    finally:
        reporter.join()
    _make(scene.rig)


def _see_it(rig: Rig, copies: list[str], handled: int) -> None:
    """Wait until the writer refuses and every copy of the readers has stopped, with the commands that mend it."""
    wait_for(lambda: rig.metric("handrail_relay_refused"), f"the relay of {WRITER} refuses")
    for copy in copies:
        said = wait_for(lambda copy=copy: rig.wrong(copy), f"{copy} stops")  # type: ignore[misc]
        if "handrail relay rewind" not in said or "handrail consumer rewind" not in said:
            raise DidNotLand(f"{copy} stopped and does not name the commands: {said}")
    if skipped := _handled(rig) - handled:
        raise DidNotLand(f"{skipped} records of the new topic were handled, past those that were lost")


def _mend(rig: Rig, copies: list[str]) -> None:
    """Do as the runbook says; the topic is made once more, because what the relay last sent may stand on it already."""
    for copy in copies:
        rig.process(copy).stop()
    _delete(rig)
    _make(rig)
    for command in (("relay", "rewind", WRITER), *(("consumer", "rewind", service) for service in READERS)):
        done = run(*command, data=rig.installation.folder)
        assert done.returncode == 0, f"handrail {' '.join(command)}: {done.stderr}"
    for copy in copies:
        rig.start(copy)
    for copy in copies:
        rig.wait_ready(copy)


def _delete(rig: Rig) -> None:
    admin = rig.installation.stack.kafka.admin()  # kept: its requests end with it
    admin.delete_topics([CASE_EVENTS])[CASE_EVENTS].result(30)
    wait_for(lambda: CASE_EVENTS not in admin.list_topics(timeout=30).topics, "the topic is gone")


def _make(rig: Rig) -> None:
    """Make the topics that are missing, as `handrail topics apply` does."""
    passwords = {service: read_password(rig.installation.keys, f"kafka-{service}") for service in SERVICES}
    apply_topics(rig.installation.stack.kafka, passwords)


def _handled(rig: Rig) -> int:
    """Return how many of the writer's messages the readers know, added up."""
    return sum(rig.ask(_HANDLED.format(service, _KNOWN_IN[service]), CASE_EVENTS) for service in READERS)


def _read(rig: Rig) -> list[int]:
    """Return how many records of the topic each reader has read."""
    upto = "SELECT coalesce(sum(next_offset), 0) FROM {}.consumer_offset WHERE topic = $1"
    return [int(rig.ask(upto.format(service), CASE_EVENTS)) for service in READERS]


def _unread(rig: Rig) -> int:
    """Return how many records the reader that is furthest has not read."""
    ends = sum(end for (topic, _), end in ends_of(rig).items() if topic == CASE_EVENTS)
    return ends - max(_read(rig))


MADE_AGAIN: Final = Fault("Kafka: a topic deleted and made again", made_again)
