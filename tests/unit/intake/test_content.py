"""How much of a field each treatment gives."""

from __future__ import annotations

from typing import Any

import pytest

from services.intake.domain.content import Asker, Said, Withheld, cut, disclose
from tests.support.intake import KEY

ADULTS = Asker("sab:leeds", None, KEY)
CHILD = "c" * 32


@pytest.mark.parametrize(
    ("value", "treatment", "given"),
    [
        ("2026-05-31", "in full", "2026-05-31"),
        ("2026-05-31", "as month", "2026-05"),
        (0, "as age band", "0"),
        (1, "as age band", "1-4"),
        (4, "as age band", "1-4"),
        (5, "as age band", "5-9"),
        (15, "as age band", "10-15"),
        (16, "as age band", "16-17"),
        (17, "as age band", "16-17"),
        (18, "as age band", "18-24"),
        (25, "as age band", "25 and over"),
    ],
)
def test_a_value_is_cut_as_the_profile_says(value: Any, treatment: str, given: Any) -> None:
    assert cut(value, treatment, CHILD, ADULTS) == given


@pytest.mark.parametrize(
    ("value", "treatment"),
    [
        ("Zebedee Testcase", "in full under a grant to a named participant"),
        ("Zebedee Testcase", "as month"),
        ("Zebedee Testcase", "as age band"),
        ("Zebedee Testcase", "as some later version cuts it"),
    ],
)
def test_what_cannot_be_cut_is_withheld_and_never_given_whole(value: Any, treatment: str) -> None:
    with pytest.raises(Withheld) as caught:
        cut(value, treatment, CHILD, ADULTS)

    assert "Zebedee" not in str(caught.value)


def test_lists_of_several_cases_are_given_once_if_they_are_the_same_and_all_of_them_if_not() -> None:
    give = {"personal.agencies": "in full"}
    charity, police = [{"kind": "charity"}], [{"kind": "police"}]
    said = [
        Said(case, "personal.agencies", "", value)
        for case, value in zip("abc", (charity, police, charity), strict=True)
    ]

    assert disclose(said, give, ADULTS, None).incident == {"personal.agencies": [charity, police]}
    assert disclose(said[::2], give, ADULTS, None).incident == {"personal.agencies": charity}


def test_a_pseudonym_differs_by_recipient_and_by_child() -> None:
    treatment = "as recipient pseudonym"
    codes = {
        cut(CHILD, treatment, CHILD, ADULTS),
        cut(CHILD, treatment, "d" * 32, ADULTS),
        cut(CHILD, treatment, CHILD, Asker("csp:leeds", None, KEY)),
    }

    assert len(codes) == 3
    assert cut(CHILD, treatment, CHILD, ADULTS) in codes


def test_the_latest_of_each_case_is_given_and_none_is_no_value() -> None:
    said = [
        Said("a", "harm", "", "death"),
        Said("b", "harm", "", "other"),
        Said("a", "harm", "", "other"),
        Said("a", "incident.area", "", "E08000035"),
        Said("a", "incident.area", "", None),
        Said("a", "child.home_area", CHILD, "E08000035"),
        Said("a", "child.looked_after", CHILD, "yes"),
    ]
    give = {"harm": "in full", "incident.area": "in full", "child.home_area": "in full"}

    content = disclose(said, give, ADULTS, None)

    assert content.incident == {"harm": "other"}
    assert content.children == {CHILD: {"child.home_area": "E08000035"}}
    assert content.fields == ["child.home_area", "harm"]
