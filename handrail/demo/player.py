"""Play a story on a running installation, as the partner systems themselves would: by HTTP, by Kafka, with their tokens.

After each step the player waits until its effect can be seen from outside (the receipt says decided and every notice
that may go out has gone), so that the story reads in order. It never looks into a database.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from confluent_kafka import KafkaError, Producer

from handrail.demo.story import EVENT, NOTICE, ClientSpec, Message, Step, Story, StoryError
from handrail.installation.clients import Credentials
from handrail.installation.running import Running
from handrail.installation.web import Web

SETTLE_S: Final = 120.0  # on a busy machine, with a webhook that is tried again
_POLL_S: Final = 0.05
_CLOUD_EVENT: Final = {"Content-Type": "application/cloudevents+json"}
ON_THE_WAY: Final = frozenset({"owed", "due", "sending"})
_A_MOVE_S: Final = int(timedelta(days=365).total_seconds())  # the legal clock takes no more at a time


class StoryStuck(RuntimeError):
    """A step's effect was not seen in time; the text says which step and what was awaited."""


@dataclass
class Played:
    """What the player knows afterwards: receipts by the event's name, case keys by client and case reference."""

    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    cases: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass
class Player:
    """Plays one story. `tell` is called with each step and the receipts of its events once decided."""

    running: Running
    story: Story
    tell: Callable[[Step, list[dict[str, Any]]], None]
    played: Played = field(default_factory=Played, init=False)
    _clients: dict[str, Credentials] = field(default_factory=dict, init=False)

    def play(self) -> Played:
        """Register the clients, set the clock to the story's start, and play every step.

        Raises:
            StoryStuck: A step had no visible effect in time.
            CallFailed: A service refused.
        """
        self._set_clock()
        for client in self.story.clients:
            self._clients[client.name] = self._registered(client)
        for step in self.story.steps:
            self.tell(step, self._do(step))
        return self.played

    def _registered(self, client: ClientSpec) -> Credentials:
        """Register a client; one that an earlier story registered keeps its credentials."""
        registry = self.running.clients
        try:
            return registry.credentials(client.name)
        except KeyError:
            return registry.add(client.name, body=client.body, area=client.area, recipient=client.recipient)

    def _do(self, step: Step) -> list[dict[str, Any]]:
        if step.clock_s is not None:
            self.move_clock(step.clock_s)
        if step.at is not None and (left := self._seconds_to(step.at)) > 0:
            self.move_clock(left)
        if step.raw is not None:
            self._write_raw(step)
        return [receipt for messages in step.rounds for receipt in self._send(step, messages)]

    def _set_clock(self) -> None:
        self.move_clock(self._seconds_to(self.story.starts_at))

    def _seconds_to(self, instant: datetime) -> int:
        now = datetime.fromisoformat(self.running.web("deadlines").get("/v1/clock")["legal_now"])
        return int((instant - now).total_seconds())

    def move_clock(self, seconds: int) -> None:
        """Move the legal clock and return once every duty that is overdue by it stands as overdue."""
        deadlines = self.running.web("deadlines")
        while seconds:
            move = max(-_A_MOVE_S, min(_A_MOVE_S, seconds))
            deadlines.post("/v1/clock", {"seconds": move, "reason": "the story moves on"})
            seconds -= move

        def all_breaches_raised() -> bool:
            return all(raised(duty) for duty in duties(deadlines, "open") if duty["group"] == "overdue")

        wait(all_breaches_raised, "the alerts of what is overdue")

    def _send(self, step: Step, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """Send the messages of a round and return their receipts once all of them have had their effect."""
        for message in messages:
            self._post(step, message)
        return [self._awaited(step, message) for message in messages]

    def _post(self, step: Step, message: Message) -> None:
        text = self._fill_in(message)
        answer = self._intake(message).call("POST", "/v1/events", text.encode(), _CLOUD_EVENT)
        if answer.status not in (200, 202):
            raise StoryStuck(f"'{step.title}': {message.name} was refused ({answer.status}): {answer.detail()}")
        self.played.cases[message.client, json.loads(text)["data"]["case_reference"]] = answer.body["case_key"]
        self.played.receipts[message.name] = answer.body

    def _awaited(self, step: Step, message: Message) -> dict[str, Any]:
        intake, path = self._intake(message), f"/v1/receipts/{self._receipt(message.name)['receipt_id']}"
        wait(lambda: _settled(intake.get(path)), f"the outcome of {message.name} in '{step.title}'")
        self.played.receipts[message.name] = intake.get(path)
        return self.played.receipts[message.name]

    def _intake(self, message: Message) -> Web:
        return Web(self.running.url("intake"), self._clients[message.client].token)

    def _write_raw(self, step: Step) -> None:
        assert step.raw is not None and step.client is not None  # noqa: S101, PT018 - `_do` chose this branch
        client, intake = self._clients[step.client], self.running.web("intake")
        before = intake.get("/v1/quarantine")["total"]
        write(
            self.running.broker.client_config(user=client.kafka_user, password=client.kafka_password),
            client.kafka_topic,
            step.raw.read_bytes(),
        )
        wait(lambda: intake.get("/v1/quarantine")["total"] > before, f"the quarantine of '{step.title}'")

    def _fill_in(self, message: Message) -> str:
        """Put in the ids that exist only now: of a notice, from its recipient's mailbox; of an event, from its receipt."""
        text = NOTICE.sub(lambda found: self._notice(found["rule"], found["recipient"], message.case), message.text)
        return EVENT.sub(lambda found: str(self._receipt(found["name"])["event_id"]), text)

    def _receipt(self, name: str) -> dict[str, Any]:
        if name not in self.played.receipts:
            raise StoryError(f"{name} is named before it was sent")
        return self.played.receipts[name]

    def _notice(self, rule: str, recipient: str, case: str | None) -> str:
        """Return the id of the notice that a recipient was sent last under a rule, in a case of the story if one is given."""
        found: list[str] = []

        def sent() -> bool:
            found[:] = self._notices(rule, recipient, case)
            return bool(found)

        wait(sent, f"a notice under {rule} to {recipient}{f' in {case}' if case else ''}")
        return found[-1]

    def _notices(self, rule: str, recipient: str, case: str | None) -> Iterator[str]:
        keys = {key for (_, reference), key in self.played.cases.items() if case in {None, reference}}
        for entry in Web(self.running.url("stubs")).get(f"/recipients/{recipient}/journal")["entries"]:
            body = entry["body"]
            if entry["verified"] and body.get("rule") == rule and body["case_key"] in keys:
                yield str(body["notice_id"])


def write(config: dict[str, str], topic: str, value: bytes, key: str | None = None, within_s: float = SETTLE_S) -> None:
    """Write one record to a topic, as a partner system does.

    Raises:
        StoryStuck: The broker refused it, or did not take it in time.
    """

    def delivered(error: KafkaError | None, _message: object) -> None:
        # What was refused has left the queue too, so `flush` alone does not tell.
        if error is not None:
            raise StoryStuck(f"the broker refused what was written to {topic}: {error.str()}")

    producer = Producer({**config, "enable.idempotence": True})
    producer.produce(topic, value, key=key, on_delivery=delivered)
    if producer.flush(within_s):
        raise StoryStuck(f"the broker did not take what was written to {topic} in {within_s:.0f} s")


def duties(deadlines: Web, state: str = "") -> Iterator[dict[str, Any]]:
    """Yield the obligations in a state, by default in any, from all pages."""
    for page in deadlines.pages(f"/v1/obligations?limit=200{f'&state={state}' if state else ''}"):
        yield from page["obligations"]


def raised(duty: dict[str, Any]) -> bool:
    """Say whether it was raised with a person that the date of a duty has passed."""
    return duty["breach_raised_at"] is not None


def _settled(receipt: dict[str, Any]) -> bool:
    return receipt["status"] == "decided" and not any(told["state"] in ON_THE_WAY for told in receipt["told"])


def wait(ready: Callable[[], bool], what: str) -> None:
    """Wait until something is seen.

    Raises:
        StoryStuck: It was not seen in time.
    """
    end = time.monotonic() + SETTLE_S
    while not ready():
        if time.monotonic() > end:
            raise StoryStuck(f"waited {SETTLE_S:.0f} s for {what}")
        time.sleep(_POLL_S)
