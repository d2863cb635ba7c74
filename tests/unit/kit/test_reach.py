"""Which cases a person may read: the one rule, over every role and everything that an account may act for."""

from __future__ import annotations

import pytest

from services.kit.auth import Principal, Role
from services.kit.reach import EVERYTHING, Reach, reach_of


def person(role: Role, client: str | None = None, body: str | None = None) -> Principal:
    return Principal("account-1", "Olu Example", role, client, body)


@pytest.mark.parametrize("role", ["operations", "auditor", "service"])
@pytest.mark.parametrize("client", [None, "leeds-city-council"])
def test_who_belongs_to_the_installation_reads_every_case(role: Role, client: str | None) -> None:
    assert reach_of(person(role, client)) == EVERYTHING


def test_a_review_officer_reads_the_cases_of_the_client_and_of_the_body_that_they_act_for() -> None:
    found = reach_of(person("review_officer", "leeds-city-council", "la:E08000035"))

    assert found == Reach(("client:leeds-city-council", "la:E08000035"))


def test_whoever_stands_in_the_place_of_others_reads_their_cases_too() -> None:
    heir = Principal("a", "Olu Example", "review_officer", "board", "icb:a", frozenset({"ccg:c", "ccg:b"}))

    assert reach_of(heir) == Reach(("client:board", "icb:a", "ccg:b", "ccg:c"))


def test_a_client_that_answers_for_no_body_reads_what_it_reported() -> None:
    assert reach_of(person("review_officer", "hill-school")) == Reach(("client:hill-school",))


@pytest.mark.parametrize(
    "nobody", [person("review_officer"), person("review_officer", body="la:E08000035"), person("partner", "x", "la:y")]
)
def test_who_acts_for_no_client_and_a_partner_read_no_case(nobody: Principal) -> None:
    assert reach_of(nobody) == Reach()


def test_a_reach_that_nobody_gave_reads_nothing() -> None:
    assert Reach().values == {"reads_all": False, "reads_for": []}
