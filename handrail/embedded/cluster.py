"""The administration calls that the provisioning needs, in plain terms, over confluent-kafka's `AdminClient`.

Each call returns once the cluster shows the change: the controller's answer comes before the broker knows.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ClusterMetadata,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from handrail.embedded.errors import EmbeddedError
from handrail.embedded.topics_page import Access, Topic

T = TypeVar("T")

_TIMEOUT_S: Final = 20.0  # for the answer to one request
# Without anything more to be seen. On a busy machine a broker has needed over 20 s to show users that it had accepted.
_STANDSTILL_S: Final = 120.0
_FIRST_PAUSE_S: Final = 0.02
_LONGEST_PAUSE_S: Final = 0.5
_ITERATIONS: Final = 8192
_SCRAM: Final = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)


class Cluster:
    """One cluster, as its administrator sees it."""

    def __init__(self, admin: AdminClient) -> None:
        self._admin = admin

    def make_topics(self, topics: Iterable[Topic]) -> tuple[str, ...]:
        """Make those that are missing and return their names."""
        present = self._led()
        missing = [topic for topic in topics if topic.name not in present]
        if missing:
            wanted = [
                NewTopic(topic.name, topic.partitions, topic.replication, config=dict(topic.settings))
                for topic in missing
            ]
            for name, future in self._admin.create_topics(wanted, request_timeout=_TIMEOUT_S).items():
                _result(f"make topic {name}", future, meanwhile=KafkaError.TOPIC_ALREADY_EXISTS)
            names = {topic.name for topic in missing}
            wait_to_show("topics", lambda: len(names - self._led()))
        return tuple(topic.name for topic in missing)

    def set_settings(self, topics: Iterable[Topic]) -> tuple[str, ...]:
        """Set on each topic what the page names and return it as `topic: setting=value`.

        What a topic has right from the cluster alone is set as well: the cluster's own settings can change.
        """
        wanted = {ConfigResource(ConfigResource.Type.TOPIC, topic.name): topic for topic in topics}
        if not wanted:
            return ()
        wrong = self._wrong(wanted)
        corrections = [
            ConfigResource(
                ConfigResource.Type.TOPIC,
                topic.name,
                incremental_configs=[
                    ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                    for name, value in settings.items()
                ],
            )
            for topic, settings in wrong
        ]
        if corrections:
            for resource, done in self._admin.incremental_alter_configs(
                corrections, request_timeout=_TIMEOUT_S
            ).items():
                _result(f"change the settings of {resource.name}", done)
            wait_to_show("settings", lambda: len(self._wrong(wanted)))
        return tuple(f"{topic.name}: {name}={value}" for topic, settings in wrong for name, value in settings.items())

    def _wrong(self, wanted: Mapping[ConfigResource, Topic]) -> list[tuple[Topic, dict[str, str]]]:
        """Return each topic with settings of its own that are other than the page's, and what they should be."""
        found: list[tuple[Topic, dict[str, str]]] = []
        for resource, future in self._admin.describe_configs(list(wanted), request_timeout=_TIMEOUT_S).items():
            topic = wanted[resource]
            current = _result(f"read the settings of {topic.name}", future) or {}
            own = {
                name: entry.value
                for name, entry in current.items()
                if ConfigSource(entry.source) is ConfigSource.DYNAMIC_TOPIC_CONFIG  # what comes is its number
            }
            if wrong := {name: value for name, value in topic.settings.items() if own.get(name) != value}:
                found.append((topic, wrong))
        return found

    def differences(self, topics: Iterable[Topic]) -> tuple[str, ...]:
        """Return what cannot be put right here.

        The partition of a case follows from their number; more copies are for the cluster's own tool to place.
        """
        found = self._metadata()
        default = self._default_replication(min(found.brokers))
        different: list[str] = []
        for topic in topics:
            partitions = found.topics[topic.name].partitions
            copies = min(len(partition.replicas) for partition in partitions.values())
            for what, number, expected in (
                ("partitions", len(partitions), topic.partitions),
                ("copies of a partition", copies, topic.replication if topic.replication > 0 else default),
            ):
                if number != expected:
                    different.append(f"{topic.name} has {number} {what}, expected {expected}")
        return tuple(different)

    def topics(self) -> frozenset[str]:
        """Return the names of all topics."""
        return frozenset(self._metadata().topics)

    def users(self) -> set[str]:
        """Return the names of all users that have a password."""
        everybody: Any = None  # the type stubs know a list of names only, for which the answer has another shape
        future: Any = self._admin.describe_user_scram_credentials(everybody, request_timeout=_TIMEOUT_S)
        return set(_result("list the users", future) or {})

    def set_passwords(self, passwords: Mapping[str, str]) -> tuple[str, ...]:
        """Set every password and return the users who are new."""
        present = self.users()
        alterations: list[UserScramCredentialAlteration] = [
            UserScramCredentialUpsertion(user, _SCRAM, password.encode()) for user, password in passwords.items()
        ]
        for user, future in self._admin.alter_user_scram_credentials(alterations, request_timeout=_TIMEOUT_S).items():
            _result(f"set the password of {user}", future)
        wait_to_show("users", lambda: len(passwords.keys() - self.users()))
        return tuple(sorted(passwords.keys() - present))

    def allow(self, rules: Iterable[Access]) -> tuple[Access, ...]:
        """Add the rules that are missing and return them."""
        wanted = {_binding(rule): rule for rule in rules}
        missing = wanted.keys() - self._rules()
        if missing:
            for binding, future in self._admin.create_acls(list(missing), request_timeout=_TIMEOUT_S).items():
                _result(f"allow {binding}", future)
            wait_to_show("access rules", lambda: len(missing - self._rules()))
        return tuple(sorted((wanted[binding] for binding in missing), key=str))

    def forget(self, user: str) -> None:
        """Take every rule and the password of a user away."""
        everything = _filter(f"User:{user}")
        for future in self._admin.delete_acls([everything], request_timeout=_TIMEOUT_S).values():
            _result(f"take the rules of {user} away", future)
        if user in self.users():
            deletion = UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512)
            for gone in self._admin.alter_user_scram_credentials([deletion], request_timeout=_TIMEOUT_S).values():
                _result(f"remove {user}", gone)
        wait_to_show("removal", lambda: self._left_of(user))

    def _left_of(self, user: str) -> int:
        return sum(rule.principal == f"User:{user}" for rule in self._rules()) + (user in self.users())

    def _metadata(self) -> ClusterMetadata:
        try:
            return self._admin.list_topics(timeout=_TIMEOUT_S)
        except KafkaException as error:
            raise _refused("list the topics", error) from error

    def _led(self) -> set[str]:
        """Return the topics that have a leader everywhere."""
        found = self._metadata().topics
        return {name for name, topic in found.items() if all(part.leader >= 0 for part in topic.partitions.values())}

    def _default_replication(self, broker: int) -> int:
        """Return how many copies a topic gets that is made without a number."""
        asked = ConfigResource(ConfigResource.Type.BROKER, str(broker))
        future = self._admin.describe_configs([asked], request_timeout=_TIMEOUT_S)[asked]
        settings = _result("read its own settings", future) or {}
        return int(settings["default.replication.factor"].value)

    def _rules(self) -> set[AclBinding]:
        future = self._admin.describe_acls(_filter(None), request_timeout=_TIMEOUT_S)
        return set(_result("list the access rules", future) or ())


def _binding(rule: Access) -> AclBinding:
    pattern = ResourcePatternType.PREFIXED if rule.prefix else ResourcePatternType.LITERAL
    return AclBinding(
        rule.resource, rule.name, pattern, f"User:{rule.user}", "*", rule.operation, AclPermissionType.ALLOW
    )


def _filter(principal: str | None) -> AclBindingFilter:
    """Match every rule, or every rule of one user; None is "any", which the type stubs do not know."""
    anything: Any = None
    who: Any = principal
    return AclBindingFilter(
        ResourceType.ANY, anything, ResourcePatternType.ANY, who, anything, AclOperation.ANY, AclPermissionType.ANY
    )


def _result(what: str, future: "Future[T]", meanwhile: int | None = None) -> T | None:
    try:
        return future.result(_TIMEOUT_S)
    except KafkaException as error:
        if _cause(error).code() == meanwhile:  # somebody else did it between our look and our call
            return None
        raise _refused(what, error) from error
    except TimeoutError as error:
        msg = f"Kafka did not answer within {_TIMEOUT_S:.0f} seconds when asked to {what}."
        raise EmbeddedError(msg) from error


def _cause(error: KafkaException) -> KafkaError:
    cause = error.args[0]
    return cause if isinstance(cause, KafkaError) else KafkaError(KafkaError._FAIL, str(cause))  # noqa: SLF001 - a public code


def _refused(what: str, error: KafkaException) -> EmbeddedError:
    return EmbeddedError(f"Kafka refused to {what}: {_cause(error).str()}")


def wait_to_show(
    what: str,
    missing: Callable[[], int],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return once nothing is missing, however long that takes, as long as it becomes less and less.

    Raises:
        EmbeddedError: For two minutes nothing more has been shown.
    """
    fewest = left = missing()
    pause_s, deadline = _FIRST_PAUSE_S, clock() + _STANDSTILL_S
    while left:
        if clock() > deadline:
            msg = f"Kafka accepted the {what} but for {_STANDSTILL_S:.0f} seconds has not shown {left} of them."
            raise EmbeddedError(msg)
        sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
        left = missing()
        if left < fewest:
            fewest, deadline = left, clock() + _STANDSTILL_S
