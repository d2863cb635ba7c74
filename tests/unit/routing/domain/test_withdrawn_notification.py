"""What a withdrawn notification ends: what follows from it, if the criteria were not met, for the authority that withdrew it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

import pytest

from schemas.case_events import NotificationSubmitted
from services.routing.domain.changes import compare
from services.routing.domain.decide import Decision
from services.routing.domain.facts_of import facts_of
from services.routing.domain.happenings import Happening, Slot
from services.routing.domain.statements import Fact
from tests.support.routing import COUNCIL as COUNCIL_OF_LEEDS
from tests.support.routing import MONDAY, acted, corrected, submitted
from tests.support.rulebooks import LEEDS, LEEDS_DEATH, NOW, POLICE, VOCABULARY, WANDSWORTH, decided, fact, facts, known

COUNCIL, ELSEWHERE = f"la:{LEEDS}", f"la:{WANDSWORTH}"
FOLLOWS = ("R-01", "R-02", "R-07", "R-09", "R-10", "R-01A", "R-01B", "R-01E")
NOTIFIED = [
    *facts(LEEDS_DEATH),
    fact("aware_on", "2026-06-01", of=COUNCIL),
    fact("suspected_on", "2026-06-01", of=COUNCIL),
    fact("abuse_or_neglect", "suspected", of=COUNCIL),
    fact("notification.submitted_on", "2026-06-01", of=COUNCIL),
    fact("notification.submitted_by", LEEDS, of=COUNCIL),
    fact("rapid_review.submitted_on", "2026-06-09"),
    fact("rapid_review.improvements", "yes"),
    fact("rapid_review.single_agency", "yes"),
    fact("request.made_on", "2026-06-02"),
    fact("request.agency", POLICE),
    fact("request.due_on", "2026-06-12"),
]


def withdrawn(reason: str, of: str = COUNCIL, *, on: str = "2026-06-10", at: datetime = NOW) -> list[Fact]:
    said = {"notification.withdrawn": reason, "notification.withdrawn_on": on, "withdrawal.reason": reason}
    said |= {"withdrawal.made_on": on, "withdrawal.by": of.removeprefix("la:")}
    event = f"withdrawn by {of} on {on}"
    return [
        fact(name, value, of=of, by=event, subject=event if "withdrawal." in name else None, at=at)
        for name, value in said.items()
    ]


def called_off(*stated: Fact) -> set[str]:
    decision = decided([*NOTIFIED, *stated])
    return {each.rule.id for each in decision.obligations if each.standing.state == "withdrawn"}


@pytest.mark.parametrize("reason", ["duplicate", "wrong_authority"])
def test_a_duplicate_and_a_notification_of_the_wrong_authority_end_nothing(reason: str) -> None:
    assert called_off(*withdrawn(reason)) == set()


def test_what_met_no_criteria_ends_the_rapid_review_but_no_agencys_duty_to_answer() -> None:
    """Children Act 2004, section 16H(2), "must comply with the request", knows of no notification."""
    assert called_off(*withdrawn("criteria_not_met")) == set(FOLLOWS) - {"R-01"}  # R-01 is met: the review was sent


def test_an_authority_withdraws_nothing_of_anothers() -> None:
    assert called_off(*withdrawn("criteria_not_met", of=ELSEWHERE)) == set()
    assert called_off(*withdrawn("criteria_not_met"), *withdrawn("duplicate", of=ELSEWHERE)) >= {"R-02", "R-07"}


def test_the_panel_is_told_of_each_withdrawal_whatever_its_reason() -> None:
    """The Panel's frequently asked questions: "if it is later found that the criteria were not met, the Panel should be told"."""
    for reason in ("criteria_not_met", "duplicate", "wrong_authority"):
        told = [
            each.recipients for each in decided([*NOTIFIED, *withdrawn(reason)]).obligations if each.rule.id == "R-06"
        ]
        assert told == [("panel",)]


def test_the_panel_hears_of_a_withdrawal_from_the_authority_that_withdrew_whoever_else_notified() -> None:
    both = [fact("notification.submitted_by", WANDSWORTH, of=ELSEWHERE), *withdrawn("wrong_authority", of=ELSEWHERE)]
    put_right = [*NOTIFIED, *withdrawn("wrong_authority", of=ELSEWHERE)]

    for stated in ([*NOTIFIED, *both], put_right):
        told = [each for each in decided(stated).obligations if each.rule.id == "R-06"]
        assert [(each.slot.duty_holder, each.recipients) for each in told] == [(ELSEWHERE, ("panel",))]


def test_the_panel_is_told_of_a_second_withdrawal_by_a_duty_of_its_own_and_of_the_first_no_more() -> None:
    anew = submitted(when=NOW + timedelta(days=20), at=NOW + timedelta(days=20))
    again = withdrawn("duplicate", on="2026-06-29", at=NOW + timedelta(days=27))

    by_mistake = corrected(anew.id, "notification.submitted_on", None, at=NOW + timedelta(days=21))
    once, neither, again_once, both = (
        {(each.slot.subject, each.dates.due_on) for each in decided(stated).obligations if each.rule.id == "R-06"}
        for stated in (
            [*NOTIFIED, *withdrawn("duplicate")],
            [*NOTIFIED, *withdrawn("duplicate"), *facts_of(anew, VOCABULARY)],
            [*NOTIFIED, *withdrawn("duplicate"), *facts_of(anew, VOCABULARY), *again],
            [
                *NOTIFIED,
                *withdrawn("duplicate"),
                *facts_of(anew, VOCABULARY),
                *facts_of(by_mistake, VOCABULARY),
                *again,
            ],
        )
    )

    first, second = f"withdrawn by {COUNCIL} on 2026-06-10", f"withdrawn by {COUNCIL} on 2026-06-29"
    assert once == {(first, date(2026, 6, 11))}
    assert neither == set()
    assert again_once == {(second, date(2026, 6, 30))}
    assert both == {(first, date(2026, 6, 11)), (second, date(2026, 6, 30))}


def withdrew_and_notified_anew() -> tuple[list[Fact], NotificationSubmitted]:
    said: dict[str, str | int] = {
        "notification.withdrawn": "criteria_not_met",
        "notification.withdrawn_on": "2026-06-10",
    }
    withdrew = acted("scsi.notification.withdrawn.v1", said, submitted().data.reporter, at=MONDAY + timedelta(days=9))
    anew = submitted(when=NOW + timedelta(days=20), at=NOW + timedelta(days=20))
    return facts_of(withdrew, VOCABULARY), anew


def test_a_notification_that_is_made_anew_is_not_the_one_that_was_withdrawn() -> None:
    before, anew = withdrew_and_notified_anew()

    assert called_off(*before) == set(FOLLOWS) - {"R-01"}
    assert called_off(*before, *facts_of(anew, VOCABULARY)) == set()


def test_who_takes_a_notification_back_that_was_reported_by_mistake_has_withdrawn_the_first_all_the_same() -> None:
    before, anew = withdrew_and_notified_anew()
    by_mistake = corrected(anew.id, "notification.submitted_on", None, at=NOW + timedelta(days=21))

    stated = [*before, *facts_of(anew, VOCABULARY), *facts_of(by_mistake, VOCABULARY)]

    assert called_off(*stated) == set(FOLLOWS) - {"R-01"}


def test_a_notification_that_is_told_after_its_withdrawal_is_the_one_that_was_withdrawn() -> None:
    before, _ = withdrew_and_notified_anew()
    told_late = submitted(at=NOW + timedelta(days=20))

    assert called_off(*before, *facts_of(told_late, VOCABULARY)) == set(FOLLOWS) - {"R-01"}


def notified_by_both(reason: str, *stated: Fact) -> Decision:
    """Decide a case that Leeds notified on 1 June and Wandsworth on 15 June, of which the withdrawal says `reason`."""
    second = {"notification.submitted_on": "2026-06-15", "notification.submitted_by": WANDSWORTH}
    when = NOW + timedelta(days=14)
    by_wandsworth = [
        fact(name, value, of=ELSEWHERE, at=when, by="wandsworth notified") for name, value in second.items()
    ]
    return decided(
        [*NOTIFIED, *by_wandsworth, *withdrawn(reason, on="2026-06-16", at=when + timedelta(days=1)), *stated]
    )


def rapid_reviews(decision: Decision) -> set[tuple[str, str, date | None, str]]:
    return {
        (each.rule.id, each.slot.duty_holder, each.dates.due_on, each.in_words)
        for each in decision.obligations
        if each.rule.id in {"R-01", "R-02", "R-07", "R-09"}
    }


@pytest.mark.parametrize("reason", ["criteria_not_met", "wrong_authority"])
def test_of_two_that_notified_the_one_that_did_not_withdraw_owes_the_rapid_review_from_its_own_day(reason: str) -> None:
    decision = notified_by_both(reason)

    assert rapid_reviews(decision) == {
        ("R-01", f"lscp:{WANDSWORTH}", date(2026, 7, 6), "to send"),
        ("R-02", f"lscp:{WANDSWORTH}", date(2026, 7, 6), "owed, awaiting a decision"),
    }
    assert "notification.submitted_by" not in {each.fact for each in decision.questions}


def test_a_rapid_review_of_the_notification_that_stands_counts() -> None:
    sent = fact("rapid_review.submitted_on", "2026-06-20", at=NOW + timedelta(days=19), by="sent again")

    found = rapid_reviews(notified_by_both("wrong_authority", sent))

    assert ("R-01", f"lscp:{WANDSWORTH}", date(2026, 7, 6), "met, the rapid review is sent to the Panel") in found
    assert ("R-02", f"lscp:{WANDSWORTH}", date(2026, 7, 6), "to send") in found
    assert ("R-07", f"lscp:{WANDSWORTH}", date(2026, 7, 10), "to send") in found


def test_a_rapid_review_of_a_duplicate_is_one_of_what_it_is_a_duplicate_of() -> None:
    found = rapid_reviews(notified_by_both("duplicate"))

    assert ("R-01", f"lscp:{WANDSWORTH}", date(2026, 7, 6), "met, the rapid review is sent to the Panel") in found
    assert {holder for _, holder, _, _ in found} == {f"lscp:{WANDSWORTH}"}


BY_WANDSWORTH = COUNCIL_OF_LEEDS.model_copy(update={"area": WANDSWORTH, "recipient": ELSEWHERE})
CASE = [each for each in NOTIFIED if "notification." not in each.name]


@pytest.mark.parametrize("told", [(1, 2), (2, 1)], ids=["in their order", "the later one first"])
def test_while_neither_has_withdrawn_the_one_that_notified_first_owes_the_rapid_review(told: tuple[int, int]) -> None:
    by_leeds = submitted(when=MONDAY, at=MONDAY + timedelta(days=told[0]))
    by_wandsworth = submitted(BY_WANDSWORTH, when=MONDAY + timedelta(hours=1), at=MONDAY + timedelta(days=told[1]))

    decision = decided([*CASE, *facts_of(by_wandsworth, VOCABULARY), *facts_of(by_leeds, VOCABULARY)])

    assert rapid_reviews(decision) == {
        ("R-01", f"lscp:{LEEDS}", date(2026, 6, 22), "met, the rapid review is sent to the Panel"),
        ("R-02", f"lscp:{LEEDS}", date(2026, 6, 22), "to send"),
        ("R-07", f"lscp:{LEEDS}", date(2026, 6, 30), "to send"),
        ("R-09", f"lscp:{LEEDS}", date(2026, 6, 30), "to send"),
    }
    assert "notification.submitted_by" not in {each.fact for each in decision.questions}


def test_the_first_of_two_notifications_is_the_one_of_the_earlier_day_as_it_was_put_right() -> None:
    by_leeds, by_wandsworth = submitted(when=MONDAY), submitted(BY_WANDSWORTH, when=MONDAY + timedelta(days=1))
    put_right = corrected(by_leeds.id, "notification.submitted_on", "2026-06-03")
    told = [fact for each in (by_leeds, by_wandsworth, put_right) for fact in facts_of(each, VOCABULARY)]

    owing = {(rule, holder, due_on) for rule, holder, due_on, _ in rapid_reviews(decided([*CASE, *told]))}

    assert ("R-01", f"lscp:{WANDSWORTH}", date(2026, 6, 23)) in owing  # Tuesday 2 June + 15
    assert {holder for _, holder, _ in owing} == {f"lscp:{WANDSWORTH}"}


def test_of_two_notifications_one_that_was_reported_by_mistake_is_not_the_first() -> None:
    by_leeds, by_wandsworth = submitted(when=MONDAY), submitted(BY_WANDSWORTH, when=MONDAY + timedelta(days=14))
    mistaken = corrected(by_leeds.id, "notification.submitted_on", None)
    told = [fact for each in (by_leeds, by_wandsworth, mistaken) for fact in facts_of(each, VOCABULARY)]

    owing = {(rule, holder, due_on) for rule, holder, due_on, _ in rapid_reviews(decided([*CASE, *told]))}

    assert owing >= {("R-01", f"lscp:{WANDSWORTH}", date(2026, 7, 6)), ("R-02", f"lscp:{WANDSWORTH}", date(2026, 7, 6))}
    assert {holder for _, holder, _ in owing} == {f"lscp:{WANDSWORTH}"}


def test_a_duty_of_the_partners_of_who_notified_first_passes_on_once_that_is_withdrawn() -> None:
    first = decided(
        [*NOTIFIED, fact("notification.submitted_by", WANDSWORTH, of=ELSEWHERE, at=NOW + timedelta(days=14))]
    )

    changes = compare(known(first), notified_by_both("duplicate"))

    assert "R-02" in {each.rule.id for each in first.obligations if each.standing.state == "open"}
    assert {
        (each.slot.rule, each.by.duty_holder) for each in changes.lapsed if each.by and each.slot.rule == "R-02"
    } == {("R-02", f"lscp:{WANDSWORTH}")}


def test_who_notifies_anew_owes_another_rapid_review_from_the_new_day_whatever_was_sent_and_answered_before() -> None:
    before, anew = withdrew_and_notified_anew()
    answered = fact("panel.letter_on", "2026-06-09")

    decision = decided([*NOTIFIED, answered, *before, *facts_of(anew, VOCABULARY)])

    assert rapid_reviews(decision) == {
        ("R-01", f"lscp:{LEEDS}", date(2026, 7, 10), "to send"),
        ("R-02", f"lscp:{LEEDS}", date(2026, 7, 10), "owed, awaiting a decision"),
    }


def test_what_the_panel_accepted_of_the_rapid_review_before_is_not_that_it_has_the_second() -> None:
    before, anew = withdrew_and_notified_anew()
    sent_again = fact("rapid_review.submitted_on", "2026-06-30", at=NOW + timedelta(days=29), by="sent again")
    slot = Slot("R-02", 0, f"lscp:{LEEDS}", "incident", "notification.submitted_on of incident")

    def accepted(at: datetime) -> Happening:
        return Happening(
            "delivery.acknowledged", "panel", "incident", at, at, uuid5(NAMESPACE_OID, f"{at}"), slot, "panel"
        )

    first, second = accepted(NOW + timedelta(days=8)), accepted(NOW + timedelta(days=30))
    stated = [*NOTIFIED, *before, *facts_of(anew, VOCABULARY), sent_again]
    states = [
        {each.in_words for each in decided(facts, happenings=told).obligations if each.rule.id == "R-02"}
        for facts, told in ((NOTIFIED, [first]), (stated, [first]), (stated, [first, second]))
    ]

    assert states == [{"met, a named person has accepted it"}, {"to send"}, {"met, a named person has accepted it"}]
