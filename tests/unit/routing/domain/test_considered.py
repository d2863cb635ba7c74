"""Pins what becomes of a case that was considered for notification: outcome, agreement, days, and whose facts count."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial

import pytest

from schemas import case_events as ce
from services.routing.domain.considered import Considered, Terms, agreement, considered, notifying_period, totals
from services.routing.domain.facts_of import facts_of
from services.routing.domain.register import Body, Register
from services.routing.domain.rulebook.model import Rulebook
from tests.support.routing import (
    CASE,
    COUNCIL,
    HALTON,
    LEEDS,
    LSCP,
    OTHER_CASE,
    acted,
    aware,
    corrected,
    decided,
    discussed,
    reported,
    submitted,
    suspects,
)
from tests.support.rulebooks import law

HALTON_COUNCIL = ce.Reporter(client="council-halton", body="local_authority", area=HALTON, recipient=f"la:{HALTON}")


def results(
    *events: ce.CaseEvent,
    register: Register | None = None,
    book: Rulebook | None = None,
    asked: frozenset[tuple[str, str]] = frozenset(),
) -> list[Considered]:
    terms = Terms(register or law().register, law().merge, law().calendar, book or law().book.book)
    facts = [fact for event in events for fact in facts_of(event, law().vocabulary)]
    return list(considered(facts, sorted({fact.case_key for fact in facts}), terms, asked))


def result(*events: ce.CaseEvent) -> Considered:
    (found,) = results(*events)
    return found


def on(day: int) -> datetime:
    return datetime(2026, 6, day, 9, tzinfo=UTC)


def test_a_case_that_nobody_considered_gives_nothing() -> None:
    assert results(reported(), aware(), suspects()) == []


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([discussed()], "open"),
        ([acted("referral.returned.v1", {"referral.returned_on": "2026-06-02"})], "open"),
        ([decided("defer")], "open"),
        ([decided("not_notify")], "not_notified"),
        ([decided("notify")], "to_notify"),
        ([decided("notify"), submitted()], "notified"),
        ([submitted()], "notified"),  # nobody recorded the decision, and yet it was notified
        ([decided("not_notify", at=on(1)), decided("notify", at=on(2))], "to_notify"),  # the later one counts
    ],
)
def test_what_was_decided_last_and_what_was_submitted_give_the_outcome(
    events: list[ce.CaseEvent], outcome: str
) -> None:
    assert result(*events).outcome == outcome


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([decided("not_notify")], "open"),
        ([decided("not_notify"), submitted()], "notified"),
        (
            [decided("not_notify", HALTON_COUNCIL)],
            "not_notified",
        ),  # another case of it, and another authority, are asked
    ],
)
def test_a_case_is_open_while_its_authority_is_asked_for_its_decision_again(
    events: list[ce.CaseEvent], outcome: str
) -> None:
    (found,) = results(*events, asked=frozenset({(OTHER_CASE, f"la:{HALTON}"), (CASE, f"la:{LEEDS}")}))

    assert found.outcome == outcome


def test_a_decision_that_was_withdrawn_is_as_if_it_had_never_been_made() -> None:
    decision = decided("not_notify", criterion="harm")
    withdrawn = corrected(decision.id, "notification.decision", None)

    assert results(decision, withdrawn) == []
    found = result(decision, withdrawn, discussed())
    assert (found.outcome, found.decided_on, found.criterion_not_met) == ("open", None, None)


def test_a_criterion_counts_only_for_the_decision_that_names_it() -> None:
    first = decided("not_notify", criterion="harm", at=on(1))

    assert result(first).criterion_not_met == "harm"
    assert result(first, decided("notify", at=on(2))).criterion_not_met is None
    assert result(first, decided("not_notify", at=on(2))).criterion_not_met is None


def test_the_rule_that_a_decision_departs_from_counts_only_for_that_decision() -> None:
    first = decided("not_notify", against="N-01", at=on(1))

    assert result(first).override_of_rule == "N-01"
    assert result(first, decided("not_notify", criterion="harm", at=on(2))).override_of_rule is None
    assert result(first, corrected(first.id, "notification.decision", "notify")).override_of_rule is None


def test_the_day_of_a_decision_and_the_criterion_can_be_corrected() -> None:
    decision = decided("not_notify", criterion="harm", on=date(2026, 6, 2))

    found = result(
        decision,
        corrected(decision.id, "notification.decided_on", "2026-06-04"),
        corrected(decision.id, "notification.criterion_not_met", "age"),
    )

    assert (found.decided_on, found.criterion_not_met) == (date(2026, 6, 4), "age")


DISCUSSED, SUBMITTED = discussed(on=date(2026, 6, 9)), submitted(when=on(10))
RETURNED = acted("referral.returned.v1", {"referral.returned_on": "2026-06-11"})


@pytest.mark.parametrize(
    ("events", "day"),
    [
        ([RETURNED, SUBMITTED, DISCUSSED, decided("notify", on=date(2026, 6, 12))], 12),
        ([RETURNED, SUBMITTED, DISCUSSED], 9),
        ([RETURNED, SUBMITTED], 10),
        ([RETURNED], 11),
    ],
)
def test_a_case_was_considered_on_the_day_of_the_decision_else_of_what_is_recorded(
    events: list[ce.CaseEvent], day: int
) -> None:
    assert result(*events).considered_on == date(2026, 6, day)


def test_a_decision_whose_day_was_not_kept_counts_for_the_day_on_which_it_was_recorded() -> None:
    decision = decided("not_notify", recorded_at=on(5))

    found = result(decision, corrected(decision.id, "notification.decided_on", None))

    assert (found.decided_on, found.considered_on) == (None, date(2026, 6, 5))


@pytest.mark.parametrize(
    ("decision", "views", "expected"),
    [
        ("not_notify", ("not_notify", "not_notify", "not_notify"), "unanimous"),
        ("not_notify", ("not_notify", "notify", "not_notify"), "not_unanimous"),
        ("not_notify", ("notify", "notify", "notify"), "not_unanimous"),  # all agree, but not with the decision
        ("notify", ("notify", "undecided", "notify"), "not_unanimous"),
        ("defer", ("notify", "notify", "notify"), "unanimous"),
        (None, ("undecided", "undecided", "undecided"), "not_unanimous"),
        (None, ("notify", "not_notify", None), "not_unanimous"),  # whatever the third thinks
        ("notify", ("notify", "notify", None), "not_recorded"),
        ("notify", (None, None, None), "not_recorded"),
    ],
)
def test_only_three_views_that_are_as_was_decided_are_unanimous(
    decision: str | None, views: tuple[str | None, ...], expected: str
) -> None:
    assert agreement(decision, views) == expected


def test_the_partnership_speaks_for_the_authority_of_its_area() -> None:
    found = result(aware(), discussed(("not_notify", "notify", "not_notify"), LSCP), decided("not_notify"))

    assert found.authority == f"la:{LEEDS}"
    assert found.views[1] == ("the integrated care board", "notify")
    assert (found.agreement, found.legal_advice) == ("not_unanimous", "yes")


def test_two_authorities_that_considered_a_case_give_two_results_each_with_its_own_facts() -> None:
    first, second = results(
        decided("not_notify", COUNCIL, case_key=CASE),
        discussed(("not_notify",) * 3, COUNCIL, case_key=CASE),
        decided("notify", HALTON_COUNCIL, case_key=OTHER_CASE),
    )

    assert (first.authority, first.outcome, first.agreement) == (f"la:{HALTON}", "to_notify", "not_recorded")
    assert (second.authority, second.outcome, second.agreement) == (f"la:{LEEDS}", "not_notified", "unanimous")
    assert (first.case_key, first.linked) == (OTHER_CASE, (CASE,))
    assert (second.case_key, second.linked) == (CASE, (OTHER_CASE,))


@pytest.mark.parametrize(
    ("acting", "expected"),
    [(aware(), [f"la:{LEEDS}"]), (aware(HALTON_COUNCIL), [f"la:{HALTON}"]), (None, [f"la:{HALTON}", f"la:{LEEDS}"])],
)
def test_a_partnership_of_two_areas_speaks_for_the_authority_that_acts_and_while_none_does_for_both(
    acting: ce.CaseEvent | None, expected: list[str]
) -> None:
    areas = (HALTON, LEEDS)
    joint = Body("lscp:joint", "Invented joint partnership", "lscp", areas, source="invented", verified=False)
    known = law().register
    register = Register(known.version, known.areas.values(), [*known.bodies.values(), joint])
    reporter = ce.Reporter(client="lscp", body="childrens_partnership", area=LEEDS, recipient=joint.id)

    found = results(*([acting] if acting else []), discussed(reporter=reporter), register=register)

    assert [each.authority for each in found] == expected


def test_a_partnership_that_is_in_no_register_speaks_for_whoever_acts_and_else_for_nobody_known() -> None:
    stranger = ce.Reporter(client="lscp-elsewhere", body="childrens_partnership", area=LEEDS)

    assert result(aware(), discussed(reporter=stranger)).authority == f"la:{LEEDS}"
    assert result(discussed(reporter=stranger)).authority == ""


@pytest.mark.parametrize(
    ("aware_on", "submitted_on", "days", "in_time"),
    [
        (1, 8, 5, True),  # Tuesday 2, 3, 4, 5, Monday 8
        (1, 9, 6, False),
        (5, 8, 1, True),  # Friday to Monday
        (8, 8, 0, True),
        (9, 8, -1, True),  # somebody recorded the awareness wrongly: shown, not mended
    ],
)
def test_the_days_from_awareness_are_working_days_and_the_limit_is_the_rulebook_s(
    aware_on: int, submitted_on: int, days: int, *, in_time: bool
) -> None:
    """Working Together 2023, chapter 5: within five working days of becoming aware that the incident has occurred."""
    found = result(aware(on=date(2026, 6, aware_on)), submitted(when=on(submitted_on)))

    assert (found.working_days, found.in_time) == (days, in_time)


def test_the_limit_runs_from_the_later_suspicion_but_the_days_are_counted_from_awareness() -> None:
    found = result(aware(), suspects(since=date(2026, 6, 3)), submitted(when=on(10)))

    assert (found.working_days, found.due_on, found.in_time) == (7, date(2026, 6, 10), True)


@pytest.mark.parametrize(("outcome", "due_on", "in_time"), [("not_notify", 17, True), ("notify", 8, False)])
def test_a_death_after_a_decision_not_to_notify_the_harm_is_in_time_by_the_day_of_its_own_awareness(
    *, outcome: str, due_on: int, in_time: bool
) -> None:
    of_death = aware(on=date(2026, 6, 10), at=on(10))
    of_death = of_death.model_copy(update={"data": of_death.data.model_copy(update={"of": "death"})})
    harmed, died = reported(), reported(harm="death", at=on(10))

    found = result(harmed, aware(), suspects(), decided(outcome, at=on(3)), died, of_death, submitted(when=on(16)))

    assert (found.due_on, found.in_time) == (date(2026, 6, due_on), in_time)


def test_an_area_with_a_shorter_period_of_its_own_is_judged_by_that_and_another_is_not() -> None:
    book = law().book.book
    national = notifying_period(book)
    assert national is not None
    shorter = replace(national, length=replace(national.length, amount=national.length.amount - 1))
    rules = tuple(
        replace(rule, then=tuple(replace(duty, sooner={LEEDS: shorter}) for duty in rule.then)) for rule in book.rules
    )

    of_leeds, of_halton = (
        results(aware(council), submitted(council, when=on(8)), book=replace(book, rules=rules))[0]
        for council in (COUNCIL, HALTON_COUNCIL)
    )

    assert (of_leeds.due_on, of_leeds.in_time) == (date(2026, 6, 5), False)
    assert (of_halton.due_on, of_halton.in_time) == (date(2026, 6, 8), True)


@pytest.mark.parametrize(("day", "authority"), [(30, f"la:{LEEDS}"), (31, "la:E06000099")])
def test_what_an_authority_that_has_ended_considered_is_its_successor_s_from_the_day_after(
    day: int, authority: str
) -> None:
    known = law().register
    last = replace(known.bodies[f"la:{LEEDS}"], until=date(2026, 7, 30), successor="la:E06000099")
    heir = replace(
        last, id="la:E06000099", name="Invented Council", since=date(2026, 7, 31), until=None, successor=None
    )
    register = Register(
        known.version, known.areas.values(), [*(known.bodies | {last.id: last, heir.id: heir}).values()]
    )
    now = datetime(2026, 7, day, 9, tzinfo=UTC)
    terms = Terms(
        register.on(now.date()),
        partial(replace(law(), register=register).merge, now=now),
        law().calendar,
        law().book.book,
    )
    told: list[ce.CaseEvent] = [aware(on=date(2026, 6, 1)), discussed(), decided("not_notify", criterion="harm")]
    facts = [fact for event in told for fact in facts_of(event, law().vocabulary)]

    (found,) = considered(facts, (CASE,), terms, ())
    (open_again,) = considered(facts, (CASE,), terms, {(CASE, last.id)})

    assert (found.authority, found.outcome, found.aware_on) == (authority, "not_notified", date(2026, 6, 1))
    assert (open_again.authority, open_again.outcome) == (authority, "open")


def test_without_awareness_no_time_is_known() -> None:
    found = result(decided("notify"), submitted())

    assert (found.working_days, found.due_on, found.in_time) == (None, None, None)


def test_the_report_that_was_recorded_first_says_who_raised_it() -> None:
    school = ce.Reporter(client="school", body="school", area=HALTON)

    found = result(reported(recorded_at=on(2)), reported(school, recorded_at=on(1)), decided("not_notify"))

    assert found.raised_by == ("school", HALTON)


def test_a_withdrawn_notification_was_made_all_the_same() -> None:
    facts: dict[str, str | int] = {
        "notification.withdrawn": "duplicate",
        "notification.withdrawn_on": "2026-06-09",
    }

    found = result(submitted(), acted("scsi.notification.withdrawn.v1", facts, COUNCIL))

    assert (found.outcome, found.withdrawn, found.withdrawn_on) == ("notified", "duplicate", date(2026, 6, 9))


def test_totals_count_outcomes_agreement_and_time() -> None:
    counted = totals(
        [
            result(aware(), discussed(), decided("notify"), submitted(when=on(3))),  # 2 working days
            result(aware(), decided("notify"), submitted(when=on(9))),  # 6
            result(aware(), decided("notify"), submitted(when=on(5))),  # 4
            result(decided("notify"), submitted()),  # from a day that nobody recorded
            result(decided("not_notify"), discussed(("not_notify", "notify", "notify"), legal_advice=None)),
        ]
    )

    assert counted.considered == 5
    assert counted.outcomes == {"notified": 4, "to_notify": 0, "not_notified": 1, "open": 0}
    assert counted.agreements == {"unanimous": 1, "not_unanimous": 1, "not_recorded": 3}
    assert counted.legal_advice == 1
    assert (counted.timed, counted.median_days, counted.longest_days) == (3, 4, 6)
    assert (counted.in_time, counted.late) == (2, 1)


def test_totals_of_nothing_have_no_times() -> None:
    counted = totals([])

    assert (counted.considered, counted.median_days, counted.longest_days) == (0, None, None)
