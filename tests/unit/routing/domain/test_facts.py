"""How statements become facts: sources, corrections, conflicts, and what was known when."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from schemas.vocabulary import FactRefused
from services.routing.domain.statements import Fact
from tests.support.rulebooks import CHILD, LEEDS, NOW, POLICE, REPORT, VOCABULARY, base, fact

COUNCIL, LSCP = f"la:{LEEDS}", f"lscp:{LEEDS}"
LATER = NOW + timedelta(days=3)


def test_sources_that_agree_make_a_fact() -> None:
    known = base([fact("harm", "death"), fact("harm", "death", of=COUNCIL)])

    assert known.value("harm", "incident") == "death"
    assert [each.authority for each in known.standing("harm", "incident")] == [COUNCIL, POLICE]


def test_sources_that_differ_make_it_absent_and_a_conflict() -> None:
    known = base([fact("harm", "death"), fact("harm", "other", of=COUNCIL)])

    assert known.value("harm", "incident") is None
    assert [(each.name, each.owner) for each in known.conflicts] == [("harm", "incident")]


def test_a_source_that_does_not_know_conflicts_with_nobody() -> None:
    known = base([fact("harm", "death"), fact("harm", "unknown", of=COUNCIL)])

    assert known.value("harm", "incident") == "death"
    assert known.conflicts == ()


def test_a_source_replaces_its_own_earlier_statement() -> None:
    view = "abuse_or_neglect"
    known = base([fact(view, "suspected", of=COUNCIL), fact(view, "not_suspected", of=COUNCIL, at=LATER, by="second")])

    assert known.value(view, COUNCIL) == "not_suspected"


def test_the_newest_statement_of_all_stands_also_where_another_source_takes_back_what_was_stated() -> None:
    appointed = "review.reviewer_appointed_on"
    stated = [
        fact(appointed, "2026-06-01", of=LSCP),
        fact(appointed, None, of=COUNCIL, at=LATER, by="removed"),
        fact(appointed, "2026-06-08", of=LSCP, at=LATER + timedelta(days=1), by="another"),
    ]
    corrected = fact(appointed, "2026-06-02", of=LSCP, at=LATER + timedelta(days=2), by="third", corrects="first")

    assert base(stated[:1]).value(appointed, "incident") == date(2026, 6, 1)
    assert base(stated[:2]).value(appointed, "incident") is None
    assert base([*stated[:2], corrected]).value(appointed, "incident") is None
    assert base(stated).value(appointed, "incident") == date(2026, 6, 8)


def test_a_statement_about_an_earlier_time_that_is_learned_later_does_not_replace_it() -> None:
    view = "abuse_or_neglect"
    late = fact(view, "not_suspected", of=COUNCIL, at=NOW - timedelta(days=9), recorded_at=LATER, by="second")

    assert base([fact(view, "suspected", of=COUNCIL), late]).value(view, COUNCIL) == "suspected"


def test_the_first_suspicion_stays_the_first() -> None:
    first = fact("suspected_on", "2026-06-01", of=COUNCIL)
    again = fact("suspected_on", "2026-06-22", of=COUNCIL, at=LATER, by="second")

    assert base([again, first]).value("suspected_on", COUNCIL) == date(2026, 6, 1)


def test_an_authoritys_fact_counts_only_from_that_authority() -> None:
    known = base([fact("aware_on", "2026-06-01"), fact("aware_on", "2026-06-02", of="la:E06000006", subject=COUNCIL)])

    assert known.value("aware_on", COUNCIL) is None
    assert known.value("aware_on", POLICE) is None
    assert len(known.ignored) == 2


def test_two_authorities_have_their_own_facts() -> None:
    known = base([fact("aware_on", "2026-06-01", of=COUNCIL), fact("aware_on", "2026-06-04", of="la:E06000006")])

    assert known.value("aware_on", COUNCIL) == date(2026, 6, 1)
    assert known.value("aware_on", "la:E06000006") == date(2026, 6, 4)
    assert known.conflicts == ()


def test_a_correction_takes_the_place_of_the_statement_in_time() -> None:
    view = "abuse_or_neglect"
    stated = [
        fact(view, "suspected", of=COUNCIL, by="first"),
        fact(view, "not_suspected", of=COUNCIL, by="second", at=LATER),
        fact(view, "known", of=COUNCIL, by="third", at=LATER + timedelta(days=1), corrects="first"),
    ]

    assert base(stated).value(view, COUNCIL) == "not_suspected"


def test_a_correction_can_be_corrected() -> None:
    stated = [
        fact("harm", "other", by="first"),
        fact("harm", "serious_harm", by="second", corrects="first", at=LATER),
        fact("harm", "death", by="third", corrects="second", at=LATER),
    ]

    assert base(stated).value("harm", "incident") == "death"


def test_a_withdrawn_statement_was_never_said() -> None:
    stated = [
        fact("harm", "death"),
        fact("harm", "other", of=COUNCIL, by="second"),
        fact("harm", None, of=COUNCIL, by="third", corrects="second", at=LATER),
    ]

    known = base(stated)

    assert known.value("harm", "incident") == "death"
    assert known.conflicts == ()


@pytest.mark.parametrize("corrects", ["first", "nothing"])
def test_nobody_corrects_what_another_source_stated_or_what_nobody_did(corrects: str) -> None:
    stated = [fact("harm", "death"), fact("harm", "other", of=COUNCIL, by="second", corrects=corrects, at=LATER)]

    known = base(stated)

    assert known.value("harm", "incident") == "death"
    assert [each.fact.authority for each in known.ignored] == [COUNCIL]


def test_facts_can_be_read_as_they_were_known_at_a_time() -> None:
    stated = [fact("harm", "other"), fact("harm", "death", by="second", corrects="first", at=LATER)]

    assert base(stated, as_known_at=NOW).value("harm", "incident") == "other"
    assert base(stated, as_known_at=LATER).value("harm", "incident") == "death"
    assert base(stated, as_known_at=NOW - timedelta(seconds=1)).value("harm", "incident") is None


def test_a_former_area_code_means_the_present_area() -> None:
    known = base(
        [
            fact("incident.area", "E08000016"),
            fact("incident.area", "E08000038", of=COUNCIL),
            fact("aware_on", "2026-06-01", of="la:E08000016"),
        ]
    )

    assert known.value("incident.area", "incident") == "E08000038"
    assert known.value("aware_on", "la:E08000038") == date(2026, 6, 1)
    assert known.conflicts == ()


def test_children_and_reports_have_facts_of_their_own() -> None:
    known = base(
        [
            fact("child.looked_after", "yes"),
            fact("child.looked_after", "no", subject="child-2"),
            fact("reporter.body", "police", subject="report-1"),
            fact("reporter.body", "school", of="client:the-school", subject="report-2", by="second"),
        ]
    )

    assert known.children == (CHILD, "child-2")
    assert known.reports == ("report-1", "report-2")
    assert known.value("child.looked_after", "child-2") == "no"
    assert known.reporter_of("report-2") == "client:the-school"


def test_a_fact_outside_the_vocabulary_is_refused_with_the_nearest_word() -> None:
    wrong = Fact("0" * 32, "incident", POLICE, "harn", "death", NOW, NOW, fact("harm", "death").event_id)

    with pytest.raises(FactRefused, match="did you mean harm"):
        base([wrong])


NAMES = ("harm", "suspected_on", "aware_on", "child.looked_after", "reporter.body", "publication.information")
SOURCES = (POLICE, COUNCIL, "la:E06000006")


@st.composite
def statements(draw: DrawFn) -> list[Fact]:
    """Draw statements of several sources at several times; some correct or withdraw an earlier event, their own or not."""
    stated: list[Fact] = []
    for number in range(draw(st.integers(2, 8))):
        name = draw(st.sampled_from(NAMES))
        spec = VOCABULARY[name]
        value = draw(st.sampled_from([None, *(spec.values[:2] or (date(2026, 6, 1), date(2026, 6, 3)))]))
        stated.append(
            fact(
                name,
                value,
                of=draw(st.sampled_from(SOURCES)),
                at=NOW + timedelta(hours=draw(st.integers(0, 2))),
                recorded_at=NOW + timedelta(hours=draw(st.integers(2, 4))),
                by=f"event {number}",
                corrects=draw(st.sampled_from([None, *(f"event {earlier}" for earlier in range(number))])),
            )
        )
    return stated


@given(statements(), st.data())
def test_the_order_in_which_facts_arrive_does_not_matter(stated: list[Fact], data: st.DataObject) -> None:
    known, again = base(stated), base(data.draw(st.permutations(stated)))

    for name, owner in itertools.product(NAMES, ("incident", CHILD, REPORT, *SOURCES)):
        assert again.value(name, owner) == known.value(name, owner)
        assert again.standing(name, owner) == known.standing(name, owner)
    assert again.conflicts == known.conflicts
    assert {(each.fact.event_id, each.reason) for each in again.ignored} == {
        (each.fact.event_id, each.reason) for each in known.ignored
    }
    assert (again.children, again.reports, again.first_source) == (known.children, known.reports, known.first_source)
