"""A child that becomes known later: what was done before that was done for the others, and its own duties stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from schemas.vocabulary import Value
from services.routing.domain.decide import Decision
from services.routing.domain.explain import explain
from services.routing.domain.happenings import Happening
from services.routing.domain.statements import Fact
from tests.support.rulebooks import CHILD, LEEDS, LEEDS_DEATH, NOW, REPORT, decided, event, fact, facts

BARNSLEY = "E08000038"
COUNCIL = f"la:{LEEDS}"
LATER, AFTERWARDS, LAST = (NOW + timedelta(days=days) for days in (1, 2, 3))
SECOND = "child-2"
OF_A_CHILD = {name: value for name, value in LEEDS_DEATH.items() if name.startswith("child.")}
CARED_FOR = {"child.looked_after": "yes", "child.looked_after_by": LEEDS, "incident.unexpected_death": "yes"}
FIRST = [
    *facts(LEEDS_DEATH | CARED_FOR),
    fact("aware_on", "2026-06-01", of=COUNCIL),
    fact("suspected_on", "2026-06-01", of=COUNCIL),
    fact("abuse_or_neglect", "suspected", of=COUNCIL),
]
NAMED = [
    fact(name, CARED_FOR.get(name, value), subject=SECOND, at=AFTERWARDS, by="joined")
    for name, value in (OF_A_CHILD | {"child.looked_after_by": LEEDS}).items()
    if name != "child.died"
]
DIED = fact("child.died", "yes", subject=SECOND, at=AFTERWARDS, by="joined")
JOINED = [*NAMED, DIED]


def done(*more: Fact, rule: str, happened: tuple[Happening, ...] = ()) -> dict[str, str]:
    """Return the state of the rule's duty for each child."""
    return states(decided([*FIRST, *JOINED, *more], happened), rule)


def states(decision: Decision, rule: str) -> dict[str, str]:
    return {each.slot.subject: each.standing.state for each in decision.obligations if each.rule.id == rule}


@pytest.mark.parametrize(("said", "dead"), [("no", {CHILD}), ("yes", {CHILD, SECOND}), (None, {CHILD})])
@pytest.mark.parametrize("rule", ["N-06", "N-06P", "N-18", "N-18J"])
def test_a_child_of_which_nobody_has_said_that_it_died_is_not_reported_dead_because_another_died(
    rule: str, said: str | None, dead: set[str]
) -> None:
    """Children Act 1989, Schedule 2, paragraph 20: "if a child who is being looked after dies"; serious harm of another is none."""
    spoken = [fact("child.died", said, subject=SECOND, at=AFTERWARDS, by="said")] if said else []
    decision = decided([*FIRST, *NAMED, *spoken])

    assert set(states(decision, rule)) == dead
    assert set(states(decision, "N-01")) == {CHILD, SECOND}  # it was seriously harmed
    assert ("child.died", SECOND) in {(each.fact, each.subject) for each in decision.questions} or said
    assert (rule in decision.undecided) == (said is None)


@pytest.mark.parametrize("rule", ["N-06", "N-06P", "N-18", "N-18J"])
def test_a_child_whose_age_at_death_is_recorded_died_whatever_else_is_said(rule: str) -> None:
    spoken = [
        fact("child.died", "no", subject=SECOND, at=AFTERWARDS, by="said"),
        fact("child.age_at_death", 3, subject=SECOND, at=AFTERWARDS, by="age"),
    ]

    assert set(states(decided([*FIRST, *NAMED, *spoken]), rule)) == {CHILD, SECOND}


ABOUT_A_DEATH = [
    ("N-18", "child_death_review.notified_on"),
    ("N-06P", "parents.informed_on"),
    ("N-18J", "joint_response.began_on"),
]


@pytest.mark.parametrize(("rule", "done_on"), ABOUT_A_DEATH)
def test_what_was_done_before_a_child_was_known_meets_nothing_about_it(rule: str, done_on: str) -> None:
    before = fact(done_on, "2026-06-01", of=COUNCIL, at=LATER, by="before")
    put_right = fact(done_on, "2026-06-02", of=COUNCIL, at=LAST, by="right", corrects="before")
    again = fact(done_on, "2026-06-03", of=COUNCIL, at=LAST, by="again")

    assert done(before, rule=rule) == {CHILD: "met", SECOND: "open"}
    assert done(before, put_right, rule=rule) == {CHILD: "met", SECOND: "open"}
    assert done(before, again, rule=rule) == {CHILD: "met", SECOND: "met"}


@pytest.mark.parametrize(("rule", "done_on"), ABOUT_A_DEATH)
@pytest.mark.parametrize("harmed", ["no", None])
def test_what_was_done_about_a_death_meets_nothing_about_a_child_of_the_case_that_dies_later(
    rule: str, done_on: str, harmed: str | None
) -> None:
    """Children Act 2004, section 16M(1): "each death of a child"."""
    together = [replace(each, occurred_at=NOW, recorded_at=NOW, event_id=event("first")) for each in NAMED]
    lived = [fact("child.died", harmed, subject=SECOND)]
    of_the_first = fact(done_on, "2026-06-01", of=COUNCIL, at=LATER, by="before")
    put_right = fact(done_on, "2026-06-02", of=COUNCIL, at=LAST, by="right", corrects="before")
    dies = fact("child.died", "yes", subject=SECOND, at=AFTERWARDS, by="dies", corrects="first")
    again = fact(done_on, "2026-06-03", of=COUNCIL, at=LAST, by="again")
    told = [*FIRST, *together, *lived, of_the_first]

    assert states(decided(told), rule) == {CHILD: "met"}
    assert states(decided([*told, dies]), rule) == {CHILD: "met", SECOND: "open"}
    assert states(decided([*told, dies, put_right]), rule) == {CHILD: "met", SECOND: "open"}
    assert states(decided([*told, dies, again]), rule) == {CHILD: "met", SECOND: "met"}


@pytest.mark.parametrize(("rule", "done_on"), ABOUT_A_DEATH)
def test_what_was_done_before_any_death_was_recorded_was_done_about_the_first(rule: str, done_on: str) -> None:
    together = [replace(each, occurred_at=NOW, recorded_at=NOW, event_id=event("first")) for each in NAMED]
    unsaid = [each for each in FIRST if each.name != "child.died"]
    before = fact(done_on, "2026-06-01", of=COUNCIL, at=LATER, by="before")
    died = fact("child.died", "yes", at=AFTERWARDS, by="dies")
    second = fact("child.died", "yes", subject=SECOND, at=LAST, by="dies too")

    assert states(decided([*unsaid, *together, before, died, second]), rule) == {CHILD: "met", SECOND: "open"}


def test_what_is_told_late_of_an_earlier_day_counts_for_every_child_that_is_known_by_then() -> None:
    """What counts is what was known when it was recorded, and not the day of it, which may lie before the case itself."""
    late = fact("child_death_review.notified_on", "2026-05-31", of=COUNCIL, at=LAST, by="late")

    assert done(late, rule="N-18") == {CHILD: "met", SECOND: "met"}


def test_a_reference_of_the_panel_is_of_the_children_that_were_known() -> None:
    first, second = (
        Happening("scsi.notification.submitted", COUNCIL, "incident", at, at, event(f"submitted {at}"))
        for at in (LATER, LAST)
    )

    assert done(rule="N-01", happened=(first,)) == {CHILD: "met", SECOND: "open"}
    assert done(rule="N-01", happened=(first, second)) == {CHILD: "met", SECOND: "met"}


def test_what_was_done_before_any_child_was_known_was_done_for_the_first() -> None:
    about_the_case = [each for each in FIRST if each.subject != CHILD]
    named = [replace(each, recorded_at=AFTERWARDS, occurred_at=AFTERWARDS) for each in FIRST if each.subject == CHILD]
    joined = [replace(each, recorded_at=LAST, occurred_at=LAST) for each in JOINED]
    before = fact("child_death_review.notified_on", "2026-06-01", of=COUNCIL, at=LATER, by="before")

    assert states(decided([*about_the_case, *named, *joined, before]), "N-18") == {CHILD: "met", SECOND: "open"}


def test_a_child_that_was_reported_by_mistake_is_not_the_first() -> None:
    named = [replace(each, recorded_at=AFTERWARDS) if each.subject == CHILD else each for each in FIRST]
    mistake = fact("child.age_at_incident", 3, subject="child-3", by="mistake")
    gone = fact("child.age_at_incident", None, subject="child-3", at=LAST, by="gone", corrects="mistake")
    before = fact("child_death_review.notified_on", "2026-06-01", of=COUNCIL, at=LATER, by="before")

    assert states(decided([*named, mistake, before]), "N-18")[CHILD] == "open"
    assert states(decided([*named, mistake, gone, before]), "N-18") == {CHILD: "met"}


DECIDES = [
    fact("notification.decision", "notify", of=COUNCIL, at=LATER, by="decision"),
    fact("notification.decided_on", "2026-06-02", of=COUNCIL, at=LATER, by="decision"),
]
ELSEWHERE_OR_UNBORN: dict[str, dict[str, Value]] = {
    "N-02": {"incident.country": "scotland"},
    "N-16": {"child.unborn": "yes"},
    "N-16A": {"incident.country": "scotland", "child.unborn": "yes"},
}


def is_asked_for_a_decision(decision: Decision) -> bool:
    asked = [(each.in_words, each.of_whom) for each in decision.questions]
    return (f"notification.decision of {LEEDS}", COUNCIL) in asked


@pytest.mark.parametrize("rule", ["N-01", "N-02", "N-16", "N-16A"])
def test_the_panel_is_told_of_a_child_only_once_somebody_decided_who_knew_of_it(rule: str) -> None:
    changed = ELSEWHERE_OR_UNBORN.get(rule, {})
    told = [each for each in FIRST if each.name not in changed] + facts(changed)
    joined = [
        *JOINED,
        *(fact(name, value, subject=SECOND, at=AFTERWARDS, by="joined") for name, value in changed.items()),
    ]
    again = [replace(each, occurred_at=LAST, recorded_at=LAST, event_id=event("again")) for each in DECIDES]

    before, after = decided([*told, *DECIDES, *joined]), decided([*told, *DECIDES, *joined, *again])

    assert said_of(before, rule) == {CHILD: "to send", SECOND: "owed, awaiting a decision"}
    assert is_asked_for_a_decision(before)
    assert said_of(after, rule) == {CHILD: "to send", SECOND: "to send"}
    assert not is_asked_for_a_decision(after)


def test_a_decision_is_asked_for_no_more_once_every_child_is_notified() -> None:
    submitted = Happening("scsi.notification.submitted", COUNCIL, "incident", LAST, LAST, event("submitted"))

    assert not is_asked_for_a_decision(decided([*FIRST, *DECIDES, *JOINED], [submitted]))


AWARE_AGAIN = [
    fact("aware_on", "2026-06-03", of=COUNCIL, at=LAST, by="aware again"),
    fact("suspected_on", "2026-06-03", of=COUNCIL, at=LAST, by="suspects again"),
]


@pytest.mark.parametrize("rule", ["N-01", "N-03", "N-06P", "N-18", "N-18J"])
def test_a_later_child_is_counted_from_what_the_authority_said_since_it_was_known(rule: str) -> None:
    at_first, later = (counted_from(decided([*FIRST, *JOINED, *more]), rule) for more in ([], AWARE_AGAIN))

    assert at_first == {CHILD: "2026-06-01", SECOND: "2026-06-01"}  # at once, and visible: nobody said another day
    assert later == {CHILD: "2026-06-01", SECOND: "2026-06-03"}


def test_either_clock_fact_moves_the_date_of_a_later_child() -> None:
    for said in AWARE_AGAIN:
        assert counted_from(decided([*FIRST, *JOINED, said]), "N-01") == {CHILD: "2026-06-01", SECOND: "2026-06-03"}


def test_the_date_of_a_later_child_moves_with_a_correction() -> None:
    put_right = fact("aware_on", "2026-06-02", of=COUNCIL, at=LAST, by="right", corrects="aware again")
    old_put_right = fact("aware_on", "2026-05-20", of=COUNCIL, at=LAST, by="right", corrects="first")

    assert counted_from(decided([*FIRST, *JOINED, *AWARE_AGAIN, put_right]), "N-18")[SECOND] == "2026-06-02"
    assert counted_from(decided([*FIRST, *JOINED, *AWARE_AGAIN, old_put_right]), "N-18") == {
        CHILD: "2026-05-20",
        SECOND: "2026-06-03",
    }


def test_the_warning_of_a_later_child_moves_too_and_its_duties_keep_their_places() -> None:
    before, after = (decided([*FIRST, *JOINED, *more]) for more in ([], AWARE_AGAIN))
    warned = {each.slot.subject: str(each.dates.warn_on) for each in after.obligations if each.rule.id == "N-01"}

    assert warned == {CHILD: "2026-06-08", SECOND: "2026-06-10"}
    assert [each.slot for each in before.obligations] == [each.slot for each in after.obligations]
    assert [each for each in before.obligations if each.slot.subject == CHILD] == [
        each for each in after.obligations if each.slot.subject == CHILD
    ]


def test_an_authority_that_was_aware_before_is_told_of_a_later_child() -> None:
    abroad = [each for each in FIRST if each.name != "incident.country"] + facts({"incident.country": "scotland"})
    councils = [decided([*abroad, *JOINED, *more]) for more in ([], AWARE_AGAIN)]

    found = [
        {
            each.slot.subject: each.standing.state
            for each in decision.obligations
            if each.recipients == (COUNCIL,) and each.rule.id == "N-11A"
        }
        for decision in councils
    ]
    assert found == [{CHILD: "met", SECOND: "open"}, {CHILD: "met", SECOND: "met"}]


@pytest.mark.parametrize(
    ("rule", "stated"),
    [
        ("R-12", {"review.decision": "proceed", "review.decided_on": "2026-06-02"}),
        ("N-10", {"review.decision": "not_proceed", "review.decided_on": "2026-06-02"}),
        ("E-01", {"scr.decided_on": "2026-06-02"}),
    ],
)
def test_a_review_that_was_decided_on_is_of_the_whole_incident(rule: str, stated: dict[str, str]) -> None:
    told = [*FIRST, *JOINED]
    if rule == "R-12":
        told = [replace(each, value=BARNSLEY if each.value == LEEDS else each.value) for each in told]
        told = [replace(each, authority=f"la:{BARNSLEY}") if each.authority == COUNCIL else each for each in told]
    if rule == "N-10":
        told = [each for each in told if each.name != "abuse_or_neglect"]
        told.append(fact("abuse_or_neglect", "not_suspected", of=COUNCIL))
    if rule == "E-01":
        told = [replace(each, value=date(2017, 6, 1)) if each.name == "aware_on" else each for each in told]
        told.append(fact("scr.considered_on", "2017-06-01", of="lscp:leeds"))
    decision = [fact(name, value, of="lscp:leeds", at=LATER, by="review") for name, value in stated.items()]

    assert states(decided(told), rule) == {CHILD: "open", SECOND: "open"}
    assert states(decided([*told, *decision]), rule) == {CHILD: "met", SECOND: "met"}


@pytest.mark.parametrize("said", ["notification.decided_on", "threshold.discussed_on"])
def test_what_was_discussed_before_a_child_was_known_was_not_about_it(said: str) -> None:
    abroad = [each for each in FIRST if each.name != "incident.country"] + facts({"incident.country": "scotland"})
    before, again = (fact(said, "2026-06-02", of=COUNCIL, at=at, by=f"said {at}") for at in (LATER, LAST))

    assert states(decided([*abroad, *JOINED, before]), "N-13A") == {CHILD: "met", SECOND: "open"}
    assert states(decided([*abroad, *JOINED, before, again]), "N-13A") == {CHILD: "met", SECOND: "met"}


HOSPITAL = "icb:west-yorkshire"
SECOND_REPORT: dict[str, Value] = {"reporter.body": "health", "reporter.area": LEEDS, "reported_on": date(2026, 6, 2)}
NAMES_A_CHILD = [
    *(
        fact(name, value, of=HOSPITAL, subject="report-2", at=AFTERWARDS, by="joined")
        for name, value in SECOND_REPORT.items()
    ),
    *(replace(each, authority=HOSPITAL) for each in JOINED),
]
NAMES_NONE = [each for each in NAMES_A_CHILD if each.subject != SECOND]


def towards(decision: Decision, rule: str, recipient: str) -> dict[str, str]:
    return {
        each.slot.subject: each.standing.state
        for each in decision.obligations
        if each.rule.id == rule and each.recipients == (recipient,)
    }


def test_an_authority_that_was_aware_before_is_told_of_a_report_that_first_names_a_child() -> None:
    """Working Together 2023, chapter 5: partners are told "of any incident which they think should be considered"."""
    named, unnamed, again = (
        towards(decided([*FIRST, *said]), "N-11", COUNCIL)
        for said in (NAMES_A_CHILD, NAMES_NONE, [*NAMES_A_CHILD, *AWARE_AGAIN])
    )

    assert named == {REPORT: "met", "report-2": "open"}
    assert unnamed == again == {REPORT: "met", "report-2": "met"}


@pytest.mark.parametrize("said", ["notification.decided_on", "threshold.discussed_on"])
def test_what_was_discussed_before_a_report_first_named_a_child_was_not_about_it(said: str) -> None:
    before, again = (fact(said, "2026-06-02", of=COUNCIL, at=at, by=f"said {at}") for at in (LATER, LAST))

    assert states(decided([*FIRST, *NAMES_A_CHILD, before]), "N-13") == {REPORT: "met", "report-2": "open"}
    assert states(decided([*FIRST, *NAMES_NONE, before]), "N-13") == {REPORT: "met", "report-2": "met"}
    assert states(decided([*FIRST, *NAMES_A_CHILD, before, again]), "N-13") == {REPORT: "met", "report-2": "met"}


def test_no_agency_is_given_the_outcome_before_somebody_decided_on_the_child_that_it_was_the_first_to_name() -> None:
    refused = [replace(each, value="not_notify") if each.name == "notification.decision" else each for each in DECIDES]
    again = [replace(each, occurred_at=LAST, recorded_at=LAST, event_id=event("again")) for each in refused]
    told = [*FIRST, *refused]
    before = decided([*told, *NAMES_A_CHILD])

    assert states(before, "N-14") == {REPORT: "open"}
    assert "N-14" in before.undecided
    assert is_asked_for_a_decision(before)
    assert [(each.kind, each.says) for each in explain(before, HOSPITAL) if each.rule == "N-14"] == [
        ("cannot_decide", f"not known: notification.decision of {LEEDS} (asked of {COUNCIL})")
    ]
    assert states(decided([*told, *NAMES_NONE]), "N-14") == {REPORT: "open", "report-2": "open"}
    assert states(decided([*told, *NAMES_A_CHILD, *again]), "N-14") == {REPORT: "open", "report-2": "open"}


def counted_from(decision: Decision, rule: str) -> dict[str, str]:
    return {each.slot.subject: str(each.dates.from_on) for each in decision.obligations if each.rule.id == rule}


def said_of(decision: Decision, rule: str) -> dict[str, str]:
    return {each.slot.subject: each.in_words for each in decision.obligations if each.rule.id == rule}
