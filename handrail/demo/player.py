"""Play a story on a running installation, as the partner systems themselves would: by HTTP, by Kafka, with their tokens.

After each step the player waits until its effect can be seen from outside (the receipt says decided and every notice
that may go out has gone), so that the story reads in order. It never looks into a database.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from confluent_kafka import Producer

from handrail.demo.story import EVENT, NOTICE, Step, Story, StoryError
from handrail.installation.clients import Credentials
from handrail.installation.running import AUDITOR, Running
from handrail.installation.web import Web

SETTLE_S: Final = 30.0
_POLL_S: Final = 0.05
_CLOUD_EVENT: Final = {"Content-Type": "application/cloudevents+json"}
_ON_THE_WAY: Final = frozenset({"owed", "due", "sending"})


class StoryStuck(RuntimeError):
    """A step's effect was not seen in time; the text says which step and what was awaited."""


@dataclass
class Played:
    """What the player knows afterwards: receipts by file name, case keys by client and case reference."""

    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    cases: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass
class Player:
    """Plays one story. `tell` is called with each step and, for an event, its receipt once decided."""

    running: Running
    story: Story
    tell: Callable[[Step, dict[str, Any] | None], None]
    played: Played = field(default_factory=Played, init=False)
    _clients: dict[str, Credentials] = field(default_factory=dict, init=False)

    def play(self) -> Played:
        """Register the clients, set the clock to the story's start, and play every step.

        Raises:
            StoryStuck: A step had no visible effect in time.
            CallFailed: A service refused.
        """
        self._set_clock()
        registry = self.running.clients
        for client in self.story.clients:
            self._clients[client.name] = registry.add(
                client.name, body=client.body, area=client.area, recipient=client.recipient
            )
        for step in self.story.steps:
            self.tell(step, self._do(step))
        return self.played

    def _do(self, step: Step) -> dict[str, Any] | None:
        if step.clock_s is not None:
            self.move_clock(step.clock_s)
            return None
        if step.raw is not None:
            self._write_raw(step)
            return None
        return self._send(step)

    def _set_clock(self) -> None:
        now = datetime.fromisoformat(self.running.web("deadlines").get("/v1/clock")["legal_now"])
        self.move_clock(int((self.story.starts_at - now).total_seconds()))

    def move_clock(self, seconds: int) -> None:
        """Move the legal clock and return once every duty that is overdue by it stands as overdue."""
        deadlines = self.running.web("deadlines")
        deadlines.post("/v1/clock", {"seconds": seconds, "reason": "the story moves on"})

        def all_breaches_raised() -> bool:
            return all(duty["obligation_id"] in breached(deadlines) for duty in overdue(deadlines))

        _wait(all_breaches_raised, "the alerts of what is overdue")

    def _send(self, step: Step) -> dict[str, Any]:
        assert step.event is not None and step.client is not None  # noqa: S101, PT018 - `_do` chose this branch
        text = self._fill_in(step.event.read_text())
        intake = Web(self.running.url("intake"), self._clients[step.client].token)
        answer = intake.call("POST", "/v1/events", text.encode(), _CLOUD_EVENT)
        if answer.status not in (200, 202):
            raise StoryStuck(f"'{step.title}' was refused ({answer.status}): {answer.detail()}")
        receipt = answer.body
        self.played.cases[step.client, json.loads(text)["data"]["case_reference"]] = receipt["case_key"]
        self.played.receipts[step.event.name] = receipt
        path = f"/v1/receipts/{receipt['receipt_id']}"
        _wait(lambda: _settled(intake.get(path)), f"the outcome of '{step.title}'")
        self.played.receipts[step.event.name] = intake.get(path)
        return self.played.receipts[step.event.name]

    def _write_raw(self, step: Step) -> None:
        assert step.raw is not None and step.client is not None  # noqa: S101, PT018 - `_do` chose this branch
        client, intake = self._clients[step.client], self.running.web("intake")
        before = len(intake.get("/v1/quarantine"))
        producer = Producer(self.running.broker.client_config(user=client.kafka_user, password=client.kafka_password))
        producer.produce(client.kafka_topic, step.raw.read_bytes())
        if producer.flush(SETTLE_S):
            raise StoryStuck(f"'{step.title}': the broker did not take the message")
        _wait(lambda: len(intake.get("/v1/quarantine")) > before, f"the quarantine of '{step.title}'")

    def _fill_in(self, text: str) -> str:
        """Put in the ids that exist only now: of a notice, from its recipient's mailbox; of an event, from its receipt."""
        text = NOTICE.sub(lambda found: self._notice(found["rule"], found["recipient"]), text)
        return EVENT.sub(lambda found: str(self._receipt(found["file"])["event_id"]), text)

    def _receipt(self, file: str) -> dict[str, Any]:
        if file not in self.played.receipts:
            raise StoryError(f"{file} is named before it was sent")
        return self.played.receipts[file]

    def _notice(self, rule: str, recipient: str) -> str:
        journal = Web(self.running.url("stubs")).get(f"/recipients/{recipient}/journal")
        for entry in journal["entries"]:
            if entry["verified"] and entry["body"].get("rule") == rule:
                return str(entry["body"]["notice_id"])
        raise StoryError(f"{recipient} has received no notice under {rule}")

    def decisions(self, case_key: str) -> dict[str, Any]:
        """Return what routing decided in a case, as an auditor may read it."""
        decided: dict[str, Any] = self.running.web("routing", AUDITOR).get(f"/v1/cases/{case_key}/decisions")
        return decided


def overdue(deadlines: Web) -> list[dict[str, Any]]:
    """Return the open duties, questions among them, whose date has passed."""
    duties = deadlines.get("/v1/obligations?state=open&limit=200")["obligations"]
    return [duty for duty in duties if duty["group"] == "overdue"]


def breached(deadlines: Web) -> set[str]:
    """Return the ids of the duties whose breach was raised with a person."""
    alerts = deadlines.get("/v1/alerts?limit=200")["alerts"]
    return {alert["reference"] for alert in alerts if alert["kind"] == "deadline.breached"}


def _settled(receipt: dict[str, Any]) -> bool:
    return receipt["status"] == "decided" and not any(told["state"] in _ON_THE_WAY for told in receipt["told"])


def _wait(ready: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SETTLE_S
    while not ready():
        if time.monotonic() > end:
            raise StoryStuck(f"waited {SETTLE_S:.0f} s for {what}")
        time.sleep(_POLL_S)
