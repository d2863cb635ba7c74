"""`deploy/topics.yaml` as values: which topics there are, and which access rules follow from the page. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import yaml
from confluent_kafka.admin import AclOperation, ResourceType

from handrail.embedded.places import DEPLOY
from schemas.topics import SUBMISSIONS_PREFIX, submissions

TOPICS_FILE: Final = DEPLOY / "topics.yaml"
READ: Final = (AclOperation.READ, AclOperation.DESCRIBE)
WRITE: Final = (AclOperation.WRITE, AclOperation.DESCRIBE)


@dataclass(frozen=True)
class Topic:
    """One topic as the page describes it."""

    name: str
    partitions: int
    replication: int
    settings: Mapping[str, str]
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]


@dataclass(frozen=True)
class Access:
    """One access rule: a user may do one thing with a topic or group, or with all that start with a name."""

    user: str
    operation: AclOperation
    resource: ResourceType
    name: str
    prefix: bool = False


@dataclass(frozen=True)
class Spec:
    """The whole page."""

    services: tuple[str, ...]
    topics: tuple[Topic, ...]
    submissions_read_by: tuple[str, ...]
    defaults: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path = TOPICS_FILE) -> Self:
        """Read the page."""
        page = yaml.safe_load(path.read_text())
        topics = tuple(_topic(name, page["defaults"], entry) for name, entry in page["topics"].items())
        return cls(tuple(page["services"]), topics, tuple(page["submissions"]["read by"]), page["defaults"])

    def access(self) -> frozenset[Access]:
        """Return every rule that the page implies for the services."""
        rules: set[Access] = set()
        for topic in self.topics:
            readers = (*topic.read_by, *topic.written_by)  # a relay compares what it wrote with its database
            rules |= {Access(who, what, ResourceType.TOPIC, topic.name) for who in topic.written_by for what in WRITE}
            rules |= {Access(who, what, ResourceType.TOPIC, topic.name) for who in readers for what in READ}
        for who in self.submissions_read_by:
            rules |= {Access(who, what, ResourceType.TOPIC, SUBMISSIONS_PREFIX, prefix=True) for what in READ}
        for who in self.services:
            rules.add(Access(who, AclOperation.READ, ResourceType.GROUP, who))
            rules.add(Access(who, AclOperation.READ, ResourceType.GROUP, f"{who}.", prefix=True))
        return frozenset(rules)

    def submissions_topic(self, client: str) -> Topic:
        """Return the topic of one client."""
        entry = {"written by": [user_of_client(client)], "read by": list(self.submissions_read_by)}
        return _topic(submissions(client), self.defaults, entry)

    def submissions_topics(self, present: Collection[str]) -> tuple[Topic, ...]:
        """Return those of the topics present that are a client's, as `submissions_topic` would have them."""
        clients = [name.removeprefix(SUBMISSIONS_PREFIX).removesuffix(".v1") for name in sorted(present)]
        return tuple(topic for topic in map(self.submissions_topic, clients) if topic.name in present)


def user_of_client(client: str) -> str:
    """Return the SCRAM user of a partner system."""
    return f"client-{client}"


def _topic(name: str, defaults: Mapping[str, Any], entry: Mapping[str, Any]) -> Topic:
    return Topic(
        name=name,
        partitions=int(entry.get("partitions", defaults["partitions"])),
        replication=int(entry.get("replication", defaults["replication"])),
        settings={**defaults["settings"], **entry.get("settings", {})},
        written_by=tuple(entry["written by"]),
        read_by=tuple(entry["read by"]),
    )
