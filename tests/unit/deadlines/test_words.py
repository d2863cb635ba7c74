"""What people read: plain, exact, and never about a person."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from schemas.calendar import Length, load_england
from schemas.words import body_words
from services.deadlines.domain.duty import Duty
from services.deadlines.domain.words import (
    breached_says,
    digest_says,
    due_soon_says,
    explained,
    missing_words,
    refused_says,
    restored_says,
    since_then_says,
    strictest_says,
)
from tests.support.deadlines import duty, period

ENGLAND = load_england()


def test_a_warning_names_the_duty_whose_it_is_its_date_and_the_working_days_left() -> None:
    now = datetime(2026, 12, 29, 9, tzinfo=UTC)  # Tuesday; 30, 31 and 4 January are worked, 1 January is not

    said = due_soon_says(duty(), date(2027, 1, 4), now, ENGLAND)

    assert said == "Tell the Panel (Leeds City Council): due Monday 4 January 2027, 3 working days left."


def test_a_breach_names_the_duty_whose_it_is_and_its_date() -> None:
    said = breached_says(duty(), date(2026, 11, 9))

    assert said == "Tell the Panel (Leeds City Council): was due Monday 9 November 2026 and is not met."


@pytest.mark.parametrize(
    ("became", "said"),
    [
        (duty(due_on=date(2026, 11, 16)), "It is due Monday 16 November 2026 now."),
        (duty(due_on=None), "It has no due date any more."),
        (replace(duty(), state="met", met_on=date(2026, 11, 13)), "It was met on Friday 13 November 2026."),
        (
            replace(duty(), state="withdrawn", reason="decided not to notify"),
            "The duty is withdrawn: decided not to notify.",
        ),
        (replace(duty(), state="superseded", reason="now on another"), "The duty is superseded: now on another."),
        (replace(duty(), kind="question", state="closed", reason="answered"), "The question is closed: answered."),
    ],
)
def test_beside_a_breach_it_says_what_has_become_of_the_duty_since(became: Duty, said: str) -> None:
    assert since_then_says(became) == said


def test_a_question_to_two_bodies_reads_apart_also_where_the_register_has_not_told_their_names() -> None:
    asked = replace(duty(), title="When did your authority become aware?", holder_name="")
    other = replace(asked, duty_holder="la:E09000032")

    assert [breached_says(one, date(2026, 11, 9)) for one in (asked, other)] == [
        f"When did your authority become aware? ({body}): was due Monday 9 November 2026 and is not met."
        for body in ("local authority E08000035", "local authority E09000032")
    ]


def test_a_warning_by_the_strictest_reading_says_so_and_which_date_counts() -> None:
    now = datetime(2026, 11, 5, 9, tzinfo=UTC)  # Thursday; Friday 6 and Monday 9 are worked

    said = strictest_says(duty(), date(2026, 11, 5), date(2026, 11, 9), now, ENGLAND)

    assert said == (
        "Tell the Panel (Leeds City Council): the strictest reading gives Thursday 5 November 2026; "
        "the date that counts is Monday 9 November 2026, 2 working days left."
    )


def test_a_digest_names_who_owes_its_duties() -> None:
    assert digest_says([duty(number) for number in range(12)]) == (
        "12 due dates of Leeds City Council came near at the same time. The desk lists them all."
    )


@pytest.mark.parametrize(
    ("recipient", "words"),
    [
        ("panel", "the Panel"),
        ("la:E08000035", "local authority E08000035"),
        ("police:west-yorkshire", "police West Yorkshire"),
        ("other:far-away", "other Far Away"),  # a kind that this version does not know reads as it stands
    ],
)
def test_a_body_is_named_for_people(recipient: str, words: str) -> None:
    assert body_words(recipient) == words


def test_a_notice_that_a_person_must_act_on_says_whose_and_why_and_nothing_of_its_own_about_trying() -> None:
    said = refused_says("police:west-yorkshire", 3, "answered 503; it is still being tried")

    assert said == "A notice to police West Yorkshire was not taken (attempt 3): answered 503; it is still being tried"


def test_an_undated_duty_shows_the_open_question_or_else_the_fact_that_is_missing() -> None:
    assert missing_words(duty(due_on=None), ["When did your authority become aware?"]) == (
        "When did your authority become aware?"
    )
    assert missing_words(duty(due_on=None), []) == "Not known yet: aware on, from local authority E08000035."


def test_a_date_is_explained_day_by_day_with_the_days_that_were_skipped() -> None:
    found = explained(duty(due_on=date(2027, 1, 4), from_on=date(2026, 12, 23)), ENGLAND)

    assert found is not None
    assert found.note == ""
    assert found.summary == (
        "5 working days after Wednesday 23 December 2026 (aware on). "
        "The period is should (statutory guidance): Working Together 2023, chapter 5."
    )
    assert [(day.on.isoformat(), day.number) for day in found.count.explanation if day.number is not None] == [
        ("2026-12-23", 0),
        ("2026-12-24", 1),
        ("2026-12-29", 2),  # 25 Christmas, 26/27 weekend, 28 Boxing Day substitute
        ("2026-12-30", 3),
        ("2026-12-31", 4),
        ("2027-01-04", 5),  # 1 January holiday, 2/3 weekend
    ]


def test_a_date_that_today_s_calendar_counts_otherwise_stands_and_says_so() -> None:
    known = duty(due_on=date(2026, 11, 10), from_on=date(2026, 11, 2))  # 5 days end on Mon 9
    found = explained(replace(known, dating=replace(known.dating, calendar="2026.10.0")), ENGLAND)

    assert found is not None
    assert found.note == (
        f"The date was counted with calendar 2026.10.0; calendar {ENGLAND.version} gives Monday 9 November 2026."
    )


@pytest.mark.parametrize(
    ("length", "days"),
    [
        (Length(1, "months"), ["2026-12-20"]),
        (
            Length(15),
            [
                "2026-12-20",
                *(f"2026-12-{day}" for day in range(21, 32)),
                *(f"2027-01-{day:02}" for day in range(1, 11)),
            ],
        ),
    ],
)
def test_a_date_that_a_last_day_cuts_is_explained_by_that_day_and_counted_no_further(
    length: Length, days: list[str]
) -> None:
    ends_on = date(2027, 1, 10)
    known = duty(due_on=ends_on, from_on=date(2026, 12, 20))
    cut = replace(period(5, date(2026, 12, 20)), length=length, ends_on=ends_on)
    found = explained(replace(known, dating=replace(known.dating, period=cut)), ENGLAND)

    assert found is not None
    assert found.note == "It ends with Sunday 10 January 2027, the last day of the period."
    assert [day.on.isoformat() for day in found.count.explanation] == days


def test_a_duty_without_a_date_has_no_count() -> None:
    assert explained(duty(due_on=None), ENGLAND) is None


@pytest.mark.parametrize(
    ("lacking", "moved", "begins"),
    [
        (
            12,
            False,
            "The database of intake was restored from a backup. It lacks 12 messages that were published after",
        ),
        (1, False, "The database of intake was restored from a backup. It lacks 1 message that was published after"),
        (0, True, "The database of intake was moved to another server. It has all it published. What was kept after"),
    ],
)
def test_a_restored_database_says_what_it_lacks_and_what_nobody_can_count(
    lacking: int, begins: str, *, moved: bool
) -> None:
    said = restored_says("intake", lacking, 40, moved=moved)

    assert said.startswith(begins)
    assert "not published yet is gone, and cannot be counted." in said
    assert said.endswith("Clients that were revoked since are let in again, and old tokens work again.")
    assert ("What a person took out of quarantine since is held again" in said) is (lacking > 0)


def test_a_restored_database_of_another_service_says_nothing_of_clients() -> None:
    assert "token" not in restored_says("routing", 12, 40, moved=False)
