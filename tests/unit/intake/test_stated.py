"""What stands of the facts that events state: the same as routing decides on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from schemas.case_events import CaseData, ChildFacts, Reporter
from schemas.identity import only_item
from schemas.vocabulary import load
from services.intake.domain.stated import Told, standing
from services.routing.domain.facts import INCIDENT, FactBase
from services.routing.domain.facts_of import facts_of, rooted
from services.routing.domain.held_since import HELD_SINCE
from tests.support.routing import (
    CHILD,
    COUNCIL,
    LEEDS,
    LSCP,
    MONDAY,
    POLICE,
    acted,
    aware,
    corrected,
    decided,
    referred,
    reported,
    submitted,
    suspects,
)

VOCABULARY = load()
DAY = timedelta(days=1)
HEIRS = {"ccg:leeds": "icb:west-yorkshire"}
VIEW = "abuse_or_neglect"
VIEWS = ["known", "suspected", "not_suspected", None]
DAYS = [date(2026, 5, 30), date(2026, 5, 31)]
REPORTER = [name for name, spec in VOCABULARY.items() if spec.scope == "reporter"]
DATES = [*(day.isoformat() for day in DAYS), None]
CORRECTED: dict[str, list[Any]] = {
    "harm": ["death", "other", None],
    VIEW: VIEWS,
    "child.age_at_incident": [3, 4, None],
    "reporter.body": ["health", None],
    "reported_on": DATES,
    "referral.submitted_on": DATES,
    "notification.submitted_on": DATES,
    "review.decision": ["proceed", "not_proceed", None],
    "review.decided_on": DATES,
    "publication.checked_on": DATES,
    "publication.available": ["yes", "no", None],
    "action.due_on": DATES,
}


def told(*events: Any) -> list[Told]:
    return [Told(each.case_key, each.id, each.type, each.time, each.recorded_at, each.data) for each in events]


def unread(event: Any) -> Any:
    """Return an event as intake knows it once what was encrypted in it cannot be decrypted."""
    return event.model_copy(update={"data": CaseData(reporter=event.data.reporter)})


def values(*events: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for one in standing(told(*events), VOCABULARY, lambda body: HEIRS.get(body, body)):
        found.setdefault(one.field, []).append(one.value)
    return found


def test_a_statement_about_an_earlier_time_that_is_recorded_later_does_not_replace_a_later_one() -> None:
    view = suspects("suspected", at=MONDAY + 9 * DAY)
    earlier = suspects("not_suspected", at=MONDAY, recorded_at=MONDAY + 10 * DAY)

    assert values(view, earlier)[VIEW] == ["suspected"]


@pytest.mark.parametrize("value", ["other", None])
def test_a_correction_takes_the_place_in_time_of_what_it_corrects(value: str | None) -> None:
    first, second = reported(harm="serious_harm"), reported(harm="death", at=MONDAY + DAY)
    put_right = corrected(first.id, "harm", value, POLICE, at=MONDAY + 2 * DAY)

    assert values(first, second, put_right)["harm"] == ["death"]


def test_a_correction_can_be_corrected_and_of_two_of_one_event_the_later_stands() -> None:
    report = reported(harm="other")
    one, two = (corrected(report.id, "harm", each, POLICE, at=MONDAY + DAY) for each in ("serious_harm", "death"))
    again = corrected(two.id, "harm", "serious_harm", POLICE, at=MONDAY + DAY)

    assert values(two, one, report)["harm"] == ["death"]
    assert values(again, two, one, report)["harm"] == ["serious_harm"]


def test_a_successor_that_corrects_what_the_ended_body_said_speaks_for_it() -> None:
    ended = Reporter(client="group-leeds", body="health", area=LEEDS, recipient="ccg:leeds")
    heir = Reporter(client="board-leeds", body="health", area=LEEDS, recipient="icb:west-yorkshire")
    first, second = reported(ended, harm="serious_harm"), reported(ended, harm="death", at=MONDAY + DAY)
    put_right = corrected(first.id, "harm", "other", heir, at=MONDAY + 2 * DAY)

    assert values(first, put_right)["harm"] == ["other"]
    assert values(first, second, put_right)["harm"] == ["death"]


def test_a_withdrawn_statement_was_never_said_and_one_of_not_knowing_was() -> None:
    suspicion, unsure = suspects("suspected"), suspects(None, at=MONDAY + DAY)
    withdrawn = corrected(unsure.id, VIEW, None, at=MONDAY + 2 * DAY)

    assert VIEW not in values(suspicion, unsure)
    assert values(suspicion, unsure, withdrawn)[VIEW] == ["suspected"]


def test_a_later_report_that_does_not_say_takes_nothing_back() -> None:
    later = reported(harm=None, area=None, children=(), at=MONDAY + DAY)

    found = values(reported(harm="death"), later)

    assert (found["harm"], found["child.looked_after"]) == (["death"], ["no"])


def test_a_correction_of_what_its_event_did_not_state_counts_for_nothing() -> None:
    view = suspects("suspected")

    assert "harm" not in values(view, corrected(view.id, "harm", "death"))


def test_a_correction_of_an_event_that_cannot_be_read_any_more_counts_at_the_time_of_that_event() -> None:
    first, later = unread(reported()), reported(harm="death", at=MONDAY + DAY)
    put_right = corrected(first.id, "harm", "other", POLICE, at=MONDAY + 2 * DAY)
    again = corrected(put_right.id, "harm", "serious_harm", POLICE, at=MONDAY + 2 * DAY)

    assert values(first, put_right)["harm"] == ["other"]
    assert values(first, put_right, again)["harm"] == ["serious_harm"]
    assert values(first, put_right, later)["harm"] == ["death"]


def test_a_withdrawal_from_an_event_that_cannot_be_read_any_more_leaves_nothing_of_it() -> None:
    earlier, lost = reported(harm="death"), unread(reported(at=MONDAY + DAY))
    withdrawn = corrected(lost.id, "harm", None, POLICE, at=MONDAY + 2 * DAY)

    assert values(earlier, lost, withdrawn)["harm"] == ["death"]


@pytest.mark.parametrize(
    "second", [False, True], ids=["a correction", "a correction of one that cannot be read either"]
)
def test_a_correction_of_an_act_that_cannot_be_read_any_more_is_about_what_the_act_was_about_and_nothing_else(
    *, second: bool
) -> None:
    action = unread(acted("action.updated.v1", {"action.due_on": "2026-09-30"}, about="a" * 32))
    put_right = corrected(action.id, "action.due_on", "2026-10-30", LSCP)
    again = corrected(put_right.id, "action.due_on", "2026-11-30", LSCP)
    events = (action, unread(put_right), again) if second else (action, put_right)
    known = [replace(each, kept_about="a" * 32) for each in told(*events)]

    def given_about(item: str) -> list[tuple[str, Any]]:
        return [(one.field, one.value) for one in standing(known, VOCABULARY, str, item)]

    assert given_about("a" * 32) == [("action.due_on", "2026-11-30" if second else "2026-10-30")]
    assert given_about("b" * 32) == given_about("incident") == []


@pytest.mark.parametrize("kept", [None, "a" * 32])
def test_what_an_act_was_about_before_a_case_could_have_several_is_found_by_the_key_of_the_only_one(
    kept: str | None,
) -> None:
    delay = acted("review.delayed.v1", {"delay.cause": "inquest"}, about="a" * 32)
    [known] = [replace(each, kept_about=kept) for each in told(delay)]

    found = [one.value for one in standing([known], VOCABULARY, str, only_item("delay"))]

    assert found == ([] if kept else ["inquest"])
    assert [one.value for one in standing([known], VOCABULARY, str, "a" * 32)] == ["inquest"]


def test_a_view_that_is_corrected_to_no_suspicion_takes_back_its_first_day() -> None:
    view = suspects("suspected", since=date(2026, 5, 1))
    again = suspects("known", since=date(2026, 6, 3), at=MONDAY + DAY)

    assert values(view, again)["suspected_on"] == ["2026-05-01"]
    assert values(view, again, corrected(view.id, VIEW, "not_suspected"))["suspected_on"] == ["2026-06-03"]


def test_what_an_act_states_is_given_but_nothing_of_an_item_and_what_it_takes_back_no_longer() -> None:
    appointed = acted("reviewer.appointed.v1", {"review.reviewer_appointed_on": "2026-06-10"})
    removed = acted("reviewer.removed.v1", {"review.reviewer_removed_on": "2026-06-22"}, at=MONDAY + DAY)
    action = acted("action.updated.v1", {"action.due_on": "2026-09-30"}, about="a" * 32)

    assert values(appointed)["review.reviewer_appointed_on"] == ["2026-06-10"]
    assert "review.reviewer_appointed_on" not in values(appointed, removed)
    assert values(action) == {}


def test_what_another_body_takes_back_is_given_no_longer() -> None:
    appointed = acted("reviewer.appointed.v1", {"review.reviewer_appointed_on": "2026-05-30"}, LSCP)
    removed = acted("reviewer.removed.v1", {"review.reviewer_removed_on": "2026-06-02"}, COUNCIL)

    assert values(appointed) == {"review.reviewer_appointed_on": ["2026-05-30"]}
    assert values(appointed, removed) == {"review.reviewer_removed_on": ["2026-06-02"]}


def test_a_decision_and_a_notification_give_their_day_in_england_and_a_notification_who_made_it() -> None:
    found = values(decided("notify", on=date(2026, 6, 2)), submitted(when=datetime(2026, 6, 2, 23, 30, tzinfo=UTC)))

    assert found["notification.decided_on"] == ["2026-06-02"]
    assert found["notification.submitted_on"] == ["2026-06-03"]
    assert found["notification.submitted_by"] == [LEEDS]
    assert values(acted("lcspr.decision.made.v1", {"review.decision": "proceed"}))["review.decided_by"] == [LEEDS]


def test_a_referral_gives_its_day_and_the_review_that_it_proposes_and_a_plain_report_neither() -> None:
    of_referral = {"referral.submitted_on": ["2026-06-01"], "referral.proposed_route": ["alternative_review"]}

    assert values(referred("alternative_review")) == values(reported()) | of_referral


@pytest.mark.parametrize("report", [reported(), unread(reported())])
def test_who_reports_is_who_made_a_report_and_not_who_told_anything_else(report: Any) -> None:
    found = values(report, aware(), suspects(), decided("notify"), submitted())

    assert (found["reporter.body"], found["reporter.area"]) == (["police"], [LEEDS])


def test_two_systems_of_one_authority_are_one_source_and_two_agencies_both_have_their_say() -> None:
    other = COUNCIL.model_copy(update={"client": "council-other"})

    assert values(suspects("suspected"), suspects("known", other, case_key="b" * 32, at=MONDAY + DAY))[VIEW] == [
        "known"
    ]
    assert values(reported(harm="death"), reported(COUNCIL, harm="other", case_key="b" * 32))["harm"] == [
        "death",
        "other",
    ]


@pytest.mark.parametrize(
    ("was", "put_right", "children", "died"),
    [
        ("serious_harm", "death", [CHILD], ["yes"]),
        ("serious_harm", "death", [CHILD, "d" * 32], []),
        ("death", "serious_harm", [CHILD], []),
        ("death", None, [CHILD], []),
        ("other", "serious_harm", [CHILD], []),
    ],
)
def test_of_who_died_a_report_says_what_its_harm_as_it_is_put_right_would_have_said(
    was: str, put_right: str | None, children: list[str], died: list[str]
) -> None:
    report = reported(harm=was, children=tuple(ChildFacts(child=each, age_at_incident=3) for each in children))
    harm = corrected(report.id, "harm", put_right, POLICE, at=MONDAY + DAY)

    assert values(report, harm).get("child.died", []) == died


@pytest.mark.parametrize("was", ["serious_harm", "death"])
def test_who_says_itself_whether_the_child_died_is_heard_however_the_harm_is_put_right(was: str) -> None:
    report = reported(harm=was, children=(ChildFacts(child=CHILD, age_at_incident=3),))
    harm = corrected(report.id, "harm", "death" if was == "serious_harm" else "serious_harm", POLICE, at=MONDAY + DAY)
    of = harm.id if was == "serious_harm" else report.id

    assert values(report, harm, corrected(of, "child.died", "no", POLICE, child=CHILD))["child.died"] == ["no"]


@st.composite
def histories(draw: DrawFn) -> list[Any]:
    """Draw events of three clients at few times, in any order of being recorded; some correct an earlier one of their own."""
    history: list[Any] = []
    for number in range(1, draw(st.integers(2, 8)) + 1):
        reporter = draw(st.sampled_from([POLICE, COUNCIL, LSCP]))
        common: dict[str, Any] = {
            "reporter": reporter,
            "case_key": {POLICE.client: "a", COUNCIL.client: "b", LSCP.client: "c"}[reporter.client] * 32,
            "at": MONDAY + draw(st.integers(0, 2)) * DAY,
            "recorded_at": MONDAY + draw(st.integers(3, 5)) * DAY,
            "event_id": UUID(int=draw(st.integers(0, 2**64)) << 16 | number),
        }
        own = [each for each in history if each.data.reporter == reporter]
        wrong = draw(st.sampled_from([None, *((each.id, fact) for each in own for fact in correctable(each))]))
        kinds = said(draw, reporter) if wrong is None else [correction(draw, *wrong)]
        history.append(draw(st.sampled_from(kinds))(**common))
    return draw(st.permutations(history))


def said(draw: DrawFn, reporter: Reporter) -> list[partial[Any]]:
    """Return one event of each kind that states facts in a way of its own."""
    day = draw(st.sampled_from(DAYS))
    harm = draw(st.sampled_from(["death", "serious_harm", None]))
    known = (ChildFacts(child=CHILD, age_at_incident=draw(st.sampled_from([3, 4, None]))),)
    route = draw(st.sampled_from(["local_review", "alternative_review", None]))
    looked = draw(st.sampled_from([{"publication.available": "yes"}, {"publication.available": "no"}, {}]))
    outcome = draw(st.sampled_from(["proceed", "not_proceed"]))
    information = draw(st.sampled_from([{"publication.information": "none"}, {}]))
    form = draw(st.sampled_from([{"publication.form": "full"}, {"publication.form": "improvements_only"}]))
    kinds: list[partial[Any]] = [
        partial(reported, harm=harm, on=day, children=known),
        partial(referred, route, harm=harm, on=day, children=known),
        partial(acted, "lcspr.decision.made.v1", {"review.decision": outcome, "review.decided_on": day.isoformat()}),
        partial(acted, "reviewer.appointed.v1", {"review.reviewer_appointed_on": day.isoformat()}),
        partial(acted, "reviewer.removed.v1", {"review.reviewer_removed_on": day.isoformat()}),
        partial(acted, "publication.declined.v1", {"publication.declined_on": day.isoformat(), **information}),
        partial(acted, "publication.planned.v1", {"publication.planned_on": day.isoformat(), **form}),
        partial(acted, "publication.availability.checked.v1", {"publication.checked_on": day.isoformat(), **looked}),
        partial(acted, "action.updated.v1", {"action.due_on": day.isoformat()}, about="d" * 32),
    ]
    if reporter is COUNCIL:
        criterion = draw(st.sampled_from(["harm", None]))
        against = draw(st.sampled_from(["N-01", None]))
        kinds += [
            partial(aware, on=day),
            partial(suspects, draw(st.sampled_from(VIEWS)), since=day),
            partial(decided, "not_notify", on=day, criterion=criterion, against=against),
            partial(acted, "scsi.notification.withdrawn.v1", {"notification.withdrawn": "criteria_not_met"}),
            partial(submitted, when=datetime.combine(day, time(23, 30), UTC)),
        ]
    return kinds


def correctable(event: Any) -> list[str]:
    """Return the facts of an event that are corrected here: those that take another way than the others."""
    return sorted({fact.name for fact in facts_of(event, VOCABULARY)} & CORRECTED.keys())


def correction(draw: DrawFn, event: UUID, fact: str) -> partial[Any]:
    child = CHILD if VOCABULARY[fact].scope == "child" else None
    value = draw(st.sampled_from(CORRECTED[fact]))
    return partial(corrected, event, fact, value, child=child, reason="wrong_person")


def as_routing_has_it(events: Sequence[Any], lost: Collection[UUID | None]) -> set[tuple[str, str, str, str]]:
    """Return field, child, source and value of every statement that stands for routing, of the lost ones the corrected."""
    stated = [fact for each in events for fact in facts_of(each, VOCABULARY)]
    put_right = {(each.data.corrects, each.data.fact) for each in events if each.type == "fact.corrected.v1"}
    found = [
        fact
        for fact in stated
        if fact.event_id not in lost
        or (fact.event_id, fact.name) in put_right
        or fact.name in {"reporter.body", "reporter.area"}
    ]
    facts = FactBase(rooted(found, VOCABULARY), VOCABULARY)
    owners = {"incident": [INCIDENT], "child": facts.children, "authority": ["la:E08000035"]}
    stands = {
        (name, owner if spec.scope == "child" else "", fact.authority): str(fact.value)
        for name, spec in VOCABULARY.items()
        for owner in owners.get(spec.scope, [])
        for fact in facts.standing(name, owner)
        if name != HELD_SINCE  # it follows from what is stated, and no profile gives it
    }
    # Routing has the reporter once for each report; given is what its source said in the latest.
    for report in sorted(events, key=lambda each: (each.time, each.recorded_at, each.id)):
        for name in REPORTER:
            for fact in facts.standing(name, str(report.id)):
                stands[name, "", fact.authority] = str(fact.value)
    return {(*place, value) for place, value in stands.items()}


@given(histories(), st.data())
def test_what_is_given_is_what_routing_decides_on(events: list[Any], data: st.DataObject) -> None:
    first_said = {each.id for each in events if each.type != "fact.corrected.v1"}
    put_right = {each.data.corrects for each in events if each.id not in first_said}
    lost = {data.draw(st.sampled_from([None, *sorted(first_said & put_right or first_said)]))}
    known = [unread(each) if each.id in lost else each for each in events]

    given = {(one.field, one.child, one.told.source, str(one.value)) for one in standing(told(*known), VOCABULARY, str)}

    assert given == as_routing_has_it(events, lost)
