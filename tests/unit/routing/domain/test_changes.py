"""What a later decision changes about what was owed, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Literal

import pytest

from schemas.vocabulary import Value
from services.routing.domain.changes import Changes, compare
from services.routing.domain.happenings import Happening
from services.routing.domain.statements import Fact
from tests.support.rulebooks import HALTON, LEEDS, LEEDS_DEATH, NOW, WANDSWORTH, decided, event, fact, facts, known

COUNCIL, HOSPITAL = f"la:{LEEDS}", "icb:west-yorkshire"
LATER = NOW + timedelta(days=1)
OWED = [
    *facts(LEEDS_DEATH),
    fact("aware_on", "2026-06-01", of=COUNCIL),
    fact("suspected_on", "2026-06-01", of=COUNCIL),
    fact("abuse_or_neglect", "suspected", of=COUNCIL),
]


def after(*more: Fact, before: list[Fact] = OWED, happened: tuple[Happening, ...] = ()) -> Changes:
    return compare(known(decided(before)), decided([*before, *more], happened))


def test_the_first_decision_opens_everything_and_closes_what_is_already_met() -> None:
    changes = compare({}, decided(OWED))

    assert [each.rule.id for each in changes.opened] == ["N-01", "N-03", "N-11", "N-11", "N-13", "N-18"]
    assert [each.recipients for each in changes.met] == [(COUNCIL,)]


def test_the_same_decision_again_changes_nothing() -> None:
    assert not after()


def test_a_corrected_date_re_dates_the_duty_and_makes_no_second_one() -> None:
    corrected = [
        fact(name, "2026-06-02", of=COUNCIL, by="second", corrects="first", at=LATER)
        for name in ("aware_on", "suspected_on")
    ]

    changes = after(*corrected)

    assert {(each.rule.id, each.dates.due_on) for each in changes.redated} == {
        ("N-01", date(2026, 6, 9)),
        ("N-03", date(2026, 6, 9)),
        ("N-18", date(2026, 6, 3)),
    }
    assert changes == Changes(redated=changes.redated)


def test_a_decision_to_notify_releases() -> None:
    changes = after(fact("notification.decision", "notify", of=COUNCIL, by="second"))

    assert [each.rule.id for each in changes.released] == ["N-01"]
    assert changes == Changes(released=changes.released)


def test_a_decision_not_to_notify_withdraws_and_its_correction_opens_again() -> None:
    refused = fact("notification.decision", "not_notify", of=COUNCIL, by="second")
    withdrawn = after(refused)

    again = after(
        fact("notification.decision", "notify", of=COUNCIL, by="third", corrects="second", at=LATER),
        before=[*OWED, refused],
    )

    assert [each.standing.reason for each in withdrawn.withdrawn] == ["decision not to notify"]
    assert [each.rule.id for each in again.opened] == ["N-01"]


def test_a_changed_fact_withdraws_with_the_condition_that_is_no_longer_so() -> None:
    changes = after(fact("abuse_or_neglect", "not_suspected", of=COUNCIL, by="second", at=LATER))

    found = "the authority's own view on abuse or neglect (Leeds City Council): not suspected"
    assert [(each.slot.rule, each.reason, each.by) for each in changes.lapsed] == [
        ("N-01", found, None),
        ("N-03", found, None),
    ]


def test_doubt_withdraws_nothing() -> None:
    changes = after(fact("harm", "other", of=COUNCIL, by="second"))

    assert changes.lapsed == ()


@pytest.mark.parametrize(
    ("name", "rule", "rest"),
    [
        ("incident.unexpected_death", "N-18J", {}),
        ("child.unborn", "N-16", {"child.age_at_incident": None}),
    ],
)
def test_what_is_recorded_and_in_dispute_withdraws_nothing_until_it_is_settled(
    name: str, rule: str, rest: dict[str, None]
) -> None:
    owed = [*(each for each in OWED if each.name not in rest), fact(name, "yes")]
    no = fact(name, "no", of=HOSPITAL, by="second", at=LATER)
    settled = fact(name, "no", by="third", corrects="first", at=LATER)

    before = {each.rule.id: each.standing.state for each in decided(owed).obligations}
    disputed = after(no, before=owed)
    ended = compare(known(decided(owed)), decided([*owed, no, settled]))

    assert before[rule] == "open"
    assert disputed.lapsed == ()
    assert rule in [each.slot.rule for each in ended.lapsed]


@pytest.mark.parametrize(
    ("name", "excludes", "rule"), [("concern.child_review", "no", "N-13"), ("child.unborn", "yes", "N-01")]
)
def test_what_excludes_a_duty_and_is_in_dispute_does_not_keep_it_from_opening(
    name: str, excludes: str, rule: str
) -> None:
    """What "unless" asks for is recorded in two ways then, and a notice too many harms less than one too few."""
    excluded = [*OWED, fact(name, excludes)]
    contradicted = fact(name, {"no": "yes", "yes": "no"}[excludes], of=HOSPITAL, by="second", at=LATER)

    assert rule not in {each.rule.id for each in decided(excluded).obligations}
    assert rule in {each.rule.id for each in after(contradicted, before=excluded).opened}


NOTIFIED = [
    *OWED,
    fact("notification.submitted_on", "2026-06-01", of=COUNCIL, by="notified"),
    fact("notification.submitted_by", LEEDS, of=COUNCIL, by="notified"),
]
TAKEN_BACK = fact("notification.withdrawn", None, of=COUNCIL, by="taken back", corrects="withdrew", at=LATER)
NOTIFIED_ANEW = fact("notification.withdrawn", None, of=COUNCIL, by="notified anew", at=LATER)


def withdrew(of: str = COUNCIL, by: str = "withdrew") -> list[Fact]:
    stated = {
        "notification.withdrawn": "duplicate",
        "withdrawal.reason": "duplicate",
        "withdrawal.made_on": "2026-06-02",
    }
    stated |= {"withdrawal.by": of.removeprefix("la:")}
    return [
        fact(name, value, of=of, by=by, subject=by if "withdrawal." in name else None) for name, value in stated.items()
    ]


@pytest.mark.parametrize("ends", [TAKEN_BACK, NOTIFIED_ANEW], ids=["taken back", "notified anew"])
@pytest.mark.parametrize(
    "others", [[], withdrew(f"la:{WANDSWORTH}", "another withdrew")], ids=["alone", "with another"]
)
def test_a_notification_that_is_no_longer_withdrawn_is_not_to_be_told_as_withdrawn(
    ends: Fact, others: list[Fact]
) -> None:
    changes = after(ends, before=[*NOTIFIED, *withdrew(), *others])

    assert [(each.slot.rule, each.slot.duty_holder, each.reason, each.by) for each in changes.lapsed] == [
        ("R-06", COUNCIL, "the notification was withdrawn (Leeds City Council): not recorded", None)
    ]


def test_a_dispute_about_whose_duty_it_is_withdraws_none_that_goes_by_what_the_holder_has_recorded() -> None:
    in_care: dict[str, Value] = {
        **LEEDS_DEATH,
        "child.looked_after": "yes",
        "child.looked_after_by": LEEDS,
        "child.placed_in": LEEDS,
        "child.age_at_death": 9,
    }
    owed = [
        *facts(in_care),
        fact("aware_on", "2026-06-01", of=COUNCIL),
        fact("abuse_or_neglect", "not_suspected", of=COUNCIL),
    ]
    before = decided(owed)

    changes = after(fact("child.looked_after_by", HALTON, of=HOSPITAL, by="second", at=LATER), before=owed)

    assert "N-10" in {each.rule.id for each in before.obligations}
    assert changes.lapsed == ()


def test_a_duty_that_moves_to_another_authority_names_the_one_in_its_place() -> None:
    halton = [fact(each.name, each.value, of=f"la:{HALTON}", by="third") for each in OWED if each.authority == COUNCIL]
    moved = fact("incident.area", HALTON, by="second", corrects="first", at=LATER)

    changes = compare(known(decided(OWED)), decided([*OWED, *halton, moved]))

    lapsed = {each.slot.rule: each for each in changes.lapsed}
    assert lapsed["N-01"].reason == "the duty is now on Halton Borough Council"
    assert lapsed["N-01"].by is not None
    assert lapsed["N-01"].by.duty_holder == f"la:{HALTON}"
    # The referral is still the reporter's duty, to somebody else.
    assert [each.recipients for each in changes.readdressed] == [(f"lscp:{HALTON}",)]


def test_a_dispute_about_who_is_to_be_told_withdraws_no_duty() -> None:
    elsewhere = fact("child.home_area", HALTON, of=HOSPITAL, by="second", at=LATER)

    assert "N-18" not in {each.rule.id for each in decided([*OWED, elsewhere]).obligations}
    assert after(elsewhere).lapsed == ()


def test_doubt_about_one_child_keeps_no_duty_about_another() -> None:
    """The second child may be looked after, too: that says nothing of who looks after the first."""
    other = "child-2"
    in_care: dict[str, Value] = {
        **LEEDS_DEATH,
        "child.looked_after": "yes",
        "child.looked_after_by": WANDSWORTH,
        "child.placed_in": LEEDS,
        "child.age_at_death": 9,
    }
    of_other = {"child.age_at_incident": 8, "child.home_area": LEEDS, "child.care_leaver": "no"}
    viewed = {"aware_on": "2026-06-01", "abuse_or_neglect": "not_suspected"}
    owed = [*facts(in_care), *(fact(name, value, subject=other) for name, value in of_other.items())]
    owed += [fact(name, viewed[name], of=f"la:{each}") for each in (LEEDS, HALTON, WANDSWORTH) for name in viewed]
    put_right = fact("child.looked_after_by", HALTON, by="second", corrects="first", at=LATER)

    in_doubt = after(put_right, before=owed)
    settled = after(put_right, before=[*owed, fact("child.looked_after", "no", subject=other)])

    assert "N-06" in decided([*owed, put_right]).undecided
    assert {each.slot.rule for each in in_doubt.lapsed} == {"N-06", "N-06P", "N-06H", "N-10"}
    assert in_doubt.lapsed == settled.lapsed


@pytest.mark.parametrize("told", [{"reporter.body": "health"}, {}], ids=["another duty", "doubt"])
def test_a_duty_of_one_report_is_neither_taken_over_nor_kept_by_another_report_of_the_same_child(
    told: dict[str, str],
) -> None:
    elsewhere: dict[str, Value] = {**LEEDS_DEATH, "incident.country": "scotland"}
    of_hospital = {"reporter.area": LEEDS, "reported_on": "2026-06-01", **told}
    reports = [*facts(elsewhere), *(fact(n, v, of=HOSPITAL, subject="report-2") for n, v in of_hospital.items())]

    changes = after(fact("reporter.body", "local_authority", by="second", corrects="first"), before=reports)

    found = {(each.slot.rule, each.slot.anchor, each.reason, each.by) for each in changes.lapsed}
    assert found == {
        (rule, "reported_on of report-1", "what kind of body reports: local authority", None)
        for rule in ("N-11A", "N-13A")
    }


def test_an_event_that_stops_the_clock_meets() -> None:
    reference = Happening("scsi.notification.submitted", COUNCIL, "incident", NOW, NOW, event("reference"))

    changes = after(happened=(reference,))

    assert [each.rule.id for each in changes.met] == ["N-01"]
    assert changes == Changes(met=changes.met)


AWARE_EARLIER = [
    fact(name, "2026-05-20", of=COUNCIL, by="second", corrects="first", at=LATER)
    for name in ("aware_on", "suspected_on")
]


def met_on(at: datetime) -> tuple[Happening, ...]:
    return (Happening("scsi.notification.submitted", COUNCIL, "incident", at, NOW, event("reference")),)


def test_a_met_duty_that_counts_from_another_day_is_dated_anew_and_met_again() -> None:
    in_time = met_on(NOW + timedelta(days=3))
    before = decided(OWED, in_time)

    changes = compare(known(before), decided([*OWED, *AWARE_EARLIER], in_time))

    (met,) = changes.met
    assert met.rule.id == "N-01"
    assert met in changes.redated
    assert met.standing.met_on is not None
    assert met.dates.due_on is not None
    assert met.dates.due_on < met.standing.met_on
    assert not changes.opened


@pytest.mark.parametrize("state", ["open", "withdrawn", "superseded"])
def test_a_duty_that_is_met_together_with_its_other_date_or_after_it_did_not_stand_is_dated_anew(
    state: Literal["open", "withdrawn", "superseded"],
) -> None:
    late = met_on(NOW + timedelta(days=3))
    before = {slot: replace(each, state=state) for slot, each in known(decided(OWED)).items() if slot.rule == "N-01"}

    changes = compare(known(decided(OWED)) | before, decided([*OWED, *AWARE_EARLIER], late))

    (met,) = changes.met
    assert met in changes.redated
    assert met.dates.due_on == date(2026, 5, 28)
    assert met.rule.id not in [each.rule.id for each in changes.opened]


def test_a_duty_that_was_met_on_another_day_is_met_again() -> None:
    before = decided(OWED, met_on(NOW + timedelta(days=3)))

    changes = compare(known(before), decided(OWED, met_on(NOW + timedelta(days=12))))

    assert [each.rule.id for each in changes.met] == ["N-01"]
    assert changes == Changes(met=changes.met)


def test_another_calendar_alone_leaves_a_met_duty_as_it_is() -> None:
    before = decided(OWED, met_on(NOW))
    counted = {
        slot: replace(each, due_on=each.due_on and each.due_on + timedelta(days=1))
        for slot, each in known(before).items()
        if each.state == "met"
    }

    changes = compare(known(before) | counted, before)

    assert not changes


def test_a_later_decision_is_not_when_the_first_was_made() -> None:
    """The decision to notify is told once more: the duty to consider it was met by the first."""
    first = fact("notification.decided_on", "2026-06-02", of=COUNCIL, by="decision")
    second = fact("notification.decided_on", "2026-06-20", of=COUNCIL, by="again", at=LATER)
    before = decided([*OWED, first])

    changes = compare(known(before), decided([*OWED, first, second]))

    assert {each.rule.id for each in before.obligations if each.standing.state == "met"} >= {"N-13"}
    assert "N-13" not in [each.rule.id for each in changes.met]


def met_with_authors(day: str, by: str, days: int, corrects: str | None = None) -> Fact:
    at = NOW + timedelta(days=days)
    return fact("rapid_review.met_with_authors_on", day, of=f"lscp:{LEEDS}", by=by, at=at, corrects=corrects)


MET_ONCE, MET_AGAIN = met_with_authors("2026-06-20", "first", 20), met_with_authors("2026-07-20", "second", 50)


def test_a_corrected_day_of_a_later_act_is_not_when_the_first_was_done() -> None:
    corrected = met_with_authors("2026-07-21", "correction", 51, corrects="second")
    before = decided([*NOTIFIED, MET_ONCE])

    changes = compare(known(before), decided([*NOTIFIED, MET_ONCE, MET_AGAIN, corrected]))

    assert "R-01A" in {each.rule.id for each in before.obligations if each.standing.state == "met"}
    assert not changes


@pytest.mark.parametrize("beside", [[], [MET_AGAIN]], ids=["the only one", "beside one that was withdrawn"])
def test_a_corrected_day_of_the_only_act_is_when_it_was_done(beside: list[Fact]) -> None:
    by_mistake = [replace(each, value=None, event_id=event("mistake"), corrects=each.event_id) for each in beside]
    corrected = met_with_authors("2026-07-21", "correction", 51, corrects="first")

    changes = compare(
        known(decided([*NOTIFIED, MET_ONCE])), decided([*NOTIFIED, MET_ONCE, *beside, *by_mistake, corrected])
    )

    assert [(each.rule.id, each.standing.met_on) for each in changes.met] == [("R-01A", date(2026, 7, 21))]


def test_a_correction_of_what_was_said_again_is_not_when_it_first_held() -> None:
    owed = [
        *OWED,
        fact("review.report_final_on", "2026-06-01"),
        fact("review.decided_by", LEEDS),
        fact("actions.all_closed", "yes", by="closed", at=NOW + timedelta(days=10)),
    ]
    again = fact("actions.all_closed", "yes", by="again", at=NOW + timedelta(days=120))
    corrected = fact("actions.all_closed", "yes", by="third", corrects="again", at=NOW + timedelta(days=121))
    before = decided(owed)

    changes = compare(known(before), decided([*owed, again, corrected]))

    met = {each.rule.title for each in before.obligations if each.standing.state == "met"}
    assert "Audit the progress of the actions that follow from the recommendations" in met
    assert not changes


def test_an_audit_that_is_told_after_the_last_action_was_closed_moves_nothing() -> None:
    owed = [
        *OWED,
        fact("review.report_final_on", "2026-06-01"),
        fact("review.decided_by", LEEDS),
        fact("actions.all_closed", "yes", by="closed", at=NOW + timedelta(days=60)),
    ]
    audited = fact("actions.audited_on", "2026-07-01", by="audited", at=NOW + timedelta(days=61))
    before = decided(owed)

    changes = compare(known(before), decided([*owed, audited]))

    assert "A-03" in {each.rule.id for each in before.obligations if each.standing.state == "met"}
    assert not changes


def test_a_referral_that_was_returned_was_answered_then_though_it_is_accepted_later() -> None:
    partnership = f"lscp:{HALTON}"
    referred = [*facts({**LEEDS_DEATH, "incident.area": HALTON})]
    returned = fact("referral.returned_on", "2026-06-02", of=partnership, by="returned", at=LATER)
    accepted = fact("referral.accepted_on", "2026-06-20", of=partnership, by="accepted", at=NOW + timedelta(days=20))
    before = decided([*referred, returned])

    changes = compare(known(before), decided([*referred, returned, accepted]))

    assert "N-12" in {each.rule.id for each in before.obligations if each.standing.state == "met"}
    assert "N-12" not in {each.rule.id for each in changes.met}
