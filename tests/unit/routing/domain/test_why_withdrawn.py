"""The reason of a duty that the rules no longer give, as its recipients read it."""

from __future__ import annotations

import pytest

from services.routing.domain.changes import compare
from services.routing.domain.rulebook.model import Combined, Compared, Condition, Meets, Recorded
from services.routing.domain.statements import Fact
from services.routing.domain.words import Words
from tests.support.rulebooks import LEEDS, LEEDS_DEATH, VOCABULARY, decided, fact, facts, known, register

COUNCIL = f"la:{LEEDS}"
SUSPECTED = [
    *facts(LEEDS_DEATH),
    fact("aware_on", "2026-06-01", of=COUNCIL),
    fact("suspected_on", "2026-06-01", of=COUNCIL),
    fact("abuse_or_neglect", "suspected", of=COUNCIL),
]
REVIEWED = [
    *SUSPECTED,
    fact("review.decision", "proceed"),
    fact("review.decided_on", "2026-01-22"),
    fact("review.decided_by", LEEDS),
    fact("publication.planned_on", "2026-10-01"),
    fact("publication.form", "full"),
]
DECLINED = fact("publication.declined_on", "2026-07-01", by="declined")
NO_INFORMATION = fact("publication.information", "none", by="declined")
PUBLISHED_AFTER_ALL = fact("publication.reconsidered", "publish", by="reconsidered")

BORN_OR_NOT, UNBORN = Recorded("child.unborn"), Compared("child.unborn", "is", ("yes",))
DEATH, A_CHILD = Compared("harm", "is", ("death",)), Compared("child.age_at_incident", "is at most", (17,))


def why(before: list[Fact], *more: Fact) -> dict[str, set[str]]:
    """Return the reasons for which duties lapse once more is known, by rule."""
    reasons: dict[str, set[str]] = {}
    for each in compare(known(decided(before)), decided([*before, *more])).lapsed:
        reasons.setdefault(each.slot.rule, set()).add(each.reason)
    return reasons


def test_a_review_whose_report_is_declined_says_that_it_is_not_published_now() -> None:
    reasons = why(REVIEWED, DECLINED, NO_INFORMATION)

    declined = "now so: the partners do not publish the report, and have not decided since to publish it after all"
    assert reasons["P-01"] == reasons["P-02"] == {declined}
    assert reasons["L-03"] == {"now so: the partners do not publish the report, nor any information about improvements"}


def test_the_death_of_a_child_that_lives_says_what_is_said_of_it() -> None:
    assert why(SUSPECTED, fact("child.died", "no", by="said")) == {"N-18": {"the child died: no"}}


def test_a_notification_of_an_unborn_child_says_that_it_was_not_born_yet() -> None:
    assert why(SUSPECTED, fact("child.unborn", "yes", by="said"))["N-01"] == {"now so: the child was not born yet: yes"}


def test_a_discussion_with_nothing_to_consider_says_what_the_reporter_said() -> None:
    reasons = why(SUSPECTED, fact("concern.child_review", "no", by="said"))

    criteria = "the case may meet the children's partnership's review criteria, or holds learning for it"
    assert reasons == {"N-13": {f"now so: {criteria}: no"}}


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (
            PUBLISHED_AFTER_ALL,
            "now so: what the partners decided when they were asked to reconsider: to publish after all",
        ),
        (
            NO_INFORMATION,
            "now so: whether there is information about improvements to publish instead: none that is appropriate to publish",
        ),
    ],
    ids=["decided to publish after all", "there is none"],
)
def test_the_information_instead_of_a_report_says_what_has_been_decided(more: Fact, reason: str) -> None:
    assert why([*REVIEWED, DECLINED], more)["P-04I"] == {reason}


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (
            Combined("all of", (DEATH, A_CHILD)),
            "the harm: death and the age at the incident, in completed years: at most 17",
        ),
        (Combined("any of", (DEATH, UNBORN)), "the harm: death or the child was not born yet: yes"),
        (Combined("none of", (DEATH, UNBORN)), "none of: the harm: death or the child was not born yet: yes"),
        (Combined("all of", (BORN_OR_NOT, UNBORN)), "the child was not born yet: yes"),
        (
            Combined("any of", (BORN_OR_NOT, UNBORN)),
            "the child was not born yet: recorded or the child was not born yet: yes",
        ),
        (
            Combined("all of", (DEATH, Combined("any of", (BORN_OR_NOT, A_CHILD)))),
            "the harm: death and (the child was not born yet: recorded or the age at the incident, in completed years: at most 17)",
        ),
        (
            Combined("all of", (DEATH, Meets("lives", "this child lives", UNBORN))),
            "the harm: death and this child lives",
        ),
    ],
)
def test_a_combined_condition_has_the_words_of_its_parts(condition: Condition, words: str) -> None:
    assert Words(VOCABULARY, register()).needed(condition) == words
