"""Pins `deploy/topics.yaml` against the names in code and against who may do what."""

from collections import defaultdict

import pytest
from confluent_kafka.admin import AclOperation, ResourceType

from handrail.embedded.topics_page import Spec, user_of_client
from schemas import topics

WRITERS = {
    topics.CASE_EVENTS: {"intake"},
    topics.DECISIONS: {"routing"},
    topics.DELIVERIES: {"routing"},
    topics.DEADLINES: {"deadlines"},
    **{topics.quarantine(service): {service} for service in topics.SERVICES},
}
READERS = {
    "intake": {topics.DECISIONS, topics.DELIVERIES, topics.SUBMISSIONS_PREFIX},
    "routing": {topics.CASE_EVENTS},
    "deadlines": {topics.DECISIONS, topics.DELIVERIES, *topics.QUARANTINES},
    "audit": set(topics.AUDITED),
}


def allowed(operation: AclOperation) -> dict[str, set[str]]:
    users = defaultdict(set)
    for rule in Spec.load().access():
        if rule.operation is operation and rule.resource is ResourceType.TOPIC:
            users[rule.user].add(rule.name)
    return users


def test_the_page_and_the_code_name_the_same_topics() -> None:
    assert {topic.name for topic in Spec.load().topics} == set(topics.AUDITED)


def test_every_topic_is_kept_for_ever_in_twelve_partitions() -> None:
    spec = Spec.load()
    for topic in (*spec.topics, spec.submissions_topic("example-council")):
        kept = [topic.settings[name] for name in ("retention.ms", "retention.bytes", "cleanup.policy")]
        assert (topic.partitions, kept) == (topics.PARTITIONS, ["-1", "-1", "delete"]), topic.name


def test_each_topic_has_the_one_writer_that_owns_it() -> None:
    assert {topic.name: set(topic.written_by) for topic in Spec.load().topics} == WRITERS
    for service in topics.SERVICES:
        assert set(topics.written_by(service)) == {topic for topic, writers in WRITERS.items() if service in writers}


def test_each_service_reads_what_its_part_of_the_road_needs_and_what_it_wrote_and_nothing_else() -> None:
    own = {service: {topic for topic, writers in WRITERS.items() if service in writers} for service in topics.SERVICES}

    assert allowed(AclOperation.READ) == {service: READERS[service] | own[service] for service in topics.SERVICES}


def test_nobody_may_delete_alter_or_create() -> None:
    operations = {rule.operation for rule in Spec.load().access()}

    assert operations == {AclOperation.READ, AclOperation.WRITE, AclOperation.DESCRIBE}


@pytest.mark.parametrize("service", topics.SERVICES)
def test_a_service_may_use_the_groups_named_like_itself_alone(service: str) -> None:
    groups = {
        (rule.name, rule.prefix)
        for rule in Spec.load().access()
        if rule.resource is ResourceType.GROUP and rule.user == service
    }

    assert groups == {(service, False), (f"{service}.", True)}


def test_a_clients_topic_is_written_by_its_own_user_and_read_by_intake() -> None:
    topic = Spec.load().submissions_topic("example-council")

    assert topic.name == "safeguarding.submissions.example-council.v1"
    assert topic.written_by == (user_of_client("example-council"),) == ("client-example-council",)
    assert topic.read_by == ("intake",)
