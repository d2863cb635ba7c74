"""Pins what provisioning promises on a real cluster: everything on the page, nothing twice, nobody may do more."""

import secrets
import time
from dataclasses import replace

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import (
    AclOperation,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    ResourceType,
)

from handrail.demo.player import StoryStuck, write
from handrail.embedded.topics import add_client_topic, apply_topics, revoke_client
from handrail.embedded.topics_page import Access, Spec
from schemas import topics
from tests.support.eventually import until
from tests.support.stack import SERVICE_PASSWORDS, stack


def produce_as(user: str, password: str, topic: str) -> KafkaError | None:
    """Return what the cluster says to one record, None when it took it."""
    kafka = stack().kafka
    errors: list[KafkaError] = []
    config = kafka.client_config(user=user, password=password)
    producer = Producer({**config, "log_level": 0, "error_cb": errors.append})
    outcome: list[KafkaError | None] = []
    producer.produce(topic, b"{}", on_delivery=lambda error, _message: outcome.append(error))
    deadline = time.monotonic() + 60
    while not outcome and not _signs_in_in_vain(errors) and time.monotonic() < deadline:
        producer.poll(0.1)
    producer.purge()
    return next(iter(_signs_in_in_vain(errors)), None) or outcome[0]


def _signs_in_in_vain(errors: list[KafkaError]) -> list[KafkaError]:
    return [error for error in errors if error.code() == KafkaError._AUTHENTICATION]


def test_every_topic_on_the_page_exists_with_its_partitions_and_settings() -> None:
    admin = stack().kafka.admin()

    present = admin.list_topics(timeout=30).topics

    for topic in Spec.load().topics:
        assert len(present[topic.name].partitions) == topics.PARTITIONS


def test_applying_again_changes_nothing() -> None:
    changes = apply_topics(stack().kafka, SERVICE_PASSWORDS)

    assert changes.nothing
    assert changes.left_alone == ()


def test_a_service_may_write_what_it_owns_and_nothing_else() -> None:
    password = SERVICE_PASSWORDS["routing"]

    assert produce_as("routing", password, topics.DECISIONS) is None
    refused = produce_as("routing", password, topics.CASE_EVENTS)
    assert refused is not None
    assert refused.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_client_may_write_its_own_topic_alone_until_it_is_revoked() -> None:
    first, second = f"first-{secrets.token_hex(4)}", f"second-{secrets.token_hex(4)}"
    add_client_topic(stack().kafka, first, "first-password")
    add_client_topic(stack().kafka, second, "second-password")

    assert produce_as(f"client-{first}", "first-password", topics.submissions(first)) is None
    other = produce_as(f"client-{first}", "first-password", topics.submissions(second))
    assert other is not None
    assert other.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED

    revoke_client(stack().kafka, first)
    gone = produce_as(f"client-{first}", "first-password", topics.submissions(first))
    assert gone is not None
    assert gone.code() == KafkaError._AUTHENTICATION
    assert topics.submissions(first) in stack().kafka.admin().list_topics(timeout=30).topics


def test_what_the_broker_refuses_from_a_player_of_the_demo_is_an_error() -> None:
    name, nobody = f"player-{secrets.token_hex(4)}", topics.submissions(f"nobody-{secrets.token_hex(4)}")
    add_client_topic(stack().kafka, name, "a password")

    config = stack().kafka.client_config(user=f"client-{name}", password="a password") | {"log_level": "0"}

    with pytest.raises(StoryStuck, match=nobody):
        write(config, nobody, b"{}")


def test_a_wrong_password_is_refused() -> None:
    refused = produce_as("intake", "not the password", topics.CASE_EVENTS)

    assert refused is not None
    assert refused.code() == KafkaError._AUTHENTICATION


def test_nobody_may_sign_in_without_a_password() -> None:
    kafka = stack().kafka
    known, stranger = kafka.admin(), AdminClient({"bootstrap.servers": kafka.bootstrap, "log_level": 0})

    assert topics.DECISIONS in known.list_topics(timeout=30).topics
    with pytest.raises(KafkaException):  # it is cut off at once; if it were let in, it would have as long
        stranger.list_topics(timeout=30)


def test_a_changed_setting_is_put_right_and_reported() -> None:
    kafka = stack().kafka
    spec = Spec.load()
    shorter = Spec(
        spec.services,
        tuple(
            type(topic)(topic.name, topic.partitions, topic.replication, {"retention.ms": "1000"}, (), ())
            for topic in spec.topics
            if topic.name == topics.DEADLINES
        ),
        (),
        spec.defaults,
    )
    apply_topics(kafka, SERVICE_PASSWORDS, shorter)

    changes = apply_topics(kafka, SERVICE_PASSWORDS)

    assert changes.settings == (f"{topics.DEADLINES}: retention.ms=-1",)


def test_what_a_topic_has_from_the_cluster_alone_is_set_on_the_topic_a_clients_too() -> None:
    """A default of the cluster can change: `log.retention.bytes` would then take the beginning of a topic away."""
    kafka, client = stack().kafka, f"client-{secrets.token_hex(4)}"
    add_client_topic(kafka, client, "a password")
    for topic in (topics.DEADLINES, topics.submissions(client)):
        alter(
            kafka.admin(), topic, ConfigEntry("retention.bytes", None, incremental_operation=AlterConfigOpType.DELETE)
        )

    changes = apply_topics(kafka, SERVICE_PASSWORDS)

    assert set(changes.settings) == {
        f"{topics.DEADLINES}: retention.bytes=-1",
        f"{topics.submissions(client)}: retention.bytes=-1",
    }
    assert apply_topics(kafka, SERVICE_PASSWORDS).nothing


def alter(admin: AdminClient, topic: str, entry: ConfigEntry) -> None:
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(30)
    place = ConfigResource(ConfigResource.Type.TOPIC, topic)

    def own() -> bool:
        current = admin.describe_configs([place])[place].result(30)[entry.name]
        return ConfigSource(current.source) is ConfigSource.DYNAMIC_TOPIC_CONFIG

    until(lambda: not own(), "the topic has it from the cluster alone", within_s=120)


def test_a_topic_with_fewer_copies_than_expected_is_named_and_left_alone() -> None:
    spec = Spec.load()
    copied = replace(spec, topics=tuple(replace(topic, replication=3) for topic in spec.topics[:1]))

    changes = apply_topics(stack().kafka, SERVICE_PASSWORDS, copied)

    assert changes.left_alone == (f"{spec.topics[0].name} has 1 copies of a partition, expected 3",)


def test_audit_may_read_every_topic_but_what_clients_send() -> None:
    rules = Spec.load().access()

    readable = {rule.name for rule in rules if rule.user == "audit" and rule.operation is AclOperation.READ}
    assert readable == {*topics.AUDITED, "audit", "audit."}
    assert Access("intake", AclOperation.READ, ResourceType.TOPIC, topics.SUBMISSIONS_PREFIX, prefix=True) in rules
