"""What a later decision changes about what was owed, and why."""

from __future__ import annotations

from datetime import date, timedelta

from services.routing.domain.changes import Changes, Known, compare
from services.routing.domain.decide import Decision
from services.routing.domain.facts import Fact
from services.routing.domain.happenings import Happening, Slot
from tests.support.rulebooks import HALTON, LEEDS, LEEDS_DEATH, NOW, decided, event, fact, facts

COUNCIL = f"la:{LEEDS}"
LATER = NOW + timedelta(days=1)
OWED = [
    *facts(LEEDS_DEATH),
    fact("aware_on", "2026-06-01", of=COUNCIL),
    fact("suspected_on", "2026-06-01", of=COUNCIL),
    fact("abuse_or_neglect", "suspected", of=COUNCIL),
]


def known(decision: Decision) -> dict[Slot, Known]:
    """Return what a shell would keep of a decision."""
    return {
        each.slot: Known(each.standing.state, each.dates.due_on, each.dates.warn_on, each.recipients, each.released)
        for each in decision.obligations
    }


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


def test_an_event_that_stops_the_clock_meets() -> None:
    reference = Happening("scsi.notification.submitted", COUNCIL, "incident", NOW, NOW, event("reference"))

    changes = after(happened=(reference,))

    assert [each.rule.id for each in changes.met] == ["N-01"]
    assert changes == Changes(met=changes.met)
