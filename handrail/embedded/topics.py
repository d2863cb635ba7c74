"""Makes a cluster look like `deploy/topics.yaml`: topics, users and access rules.

Applying is idempotent and only ever adds: no topic is deleted, no partition removed, no rule taken away; what
differs and is not touched is reported. The one thing that takes away is `revoke_client`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from confluent_kafka.admin import ResourceType

from handrail.embedded.cluster import Cluster
from handrail.embedded.errors import EmbeddedError
from handrail.embedded.kafka import BrokerAddress
from handrail.embedded.topics_page import WRITE, Access, Spec, user_of_client


@dataclass(frozen=True)
class Changes:
    """What applying did, and what it found different and left alone."""

    topics: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    rules: tuple[Access, ...] = ()
    settings: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether the cluster was as the page says already."""
        return not (self.topics or self.users or self.rules or self.settings)


def apply_topics(address: BrokerAddress, passwords: Mapping[str, str], spec: Spec | None = None) -> Changes:
    """Make what is missing and return once the cluster shows it.

    Args:
        address: Cluster and administrator.
        passwords: Password per user. They are always set again, because a cluster does not tell whether a
            password is still the same; open connections stay as they are.
        spec: None for `deploy/topics.yaml`.

    Raises:
        EmbeddedError: The cluster refused, or did not answer.
    """
    spec = spec or Spec.load()
    cluster = Cluster(address.admin())
    if missing := set(spec.services) - set(passwords):
        msg = f"No password for {', '.join(sorted(missing))}."
        raise EmbeddedError(msg)
    made = cluster.make_topics(spec.topics)
    present = (*spec.topics, *spec.submissions_topics(cluster.topics()))
    return Changes(
        topics=made,
        users=cluster.set_passwords(passwords),
        rules=cluster.allow(spec.access()),
        settings=cluster.set_settings([topic for topic in present if topic.name not in made]),
        left_alone=cluster.differences(present),
    )


def add_client_topic(address: BrokerAddress, client: str, password: str, spec: Spec | None = None) -> Changes:
    """Make a client's topic and its user, who may write to that topic and do nothing else."""
    spec = spec or Spec.load()
    cluster = Cluster(address.admin())
    topic, user = spec.submissions_topic(client), user_of_client(client)
    rules = {Access(user, what, ResourceType.TOPIC, topic.name) for what in WRITE}
    made = cluster.make_topics([topic])
    return Changes(topics=made, users=cluster.set_passwords({user: password}), rules=cluster.allow(rules))


def has_topics(address: BrokerAddress) -> bool:
    """Whether the cluster has any topic of `deploy/topics.yaml`.

    Raises:
        EmbeddedError: The cluster refused, or did not answer.
    """
    present = Cluster(address.admin()).topics()
    return any(topic.name in present for topic in Spec.load().topics)


def has_users(address: BrokerAddress, users: Collection[str]) -> bool:
    """Whether the cluster has any of these users.

    Raises:
        EmbeddedError: The cluster refused, or did not answer.
    """
    return not Cluster(address.admin()).users().isdisjoint(users)


def revoke_client(address: BrokerAddress, client: str) -> None:
    """Take a client's rules and user away; its topic and what it sent stay. Open connections lose their rights at once."""
    cluster = Cluster(address.admin())
    cluster.forget(user_of_client(client))
