"""What follows from the checks whether a publication is still there, during its year and after it.

SI 2018/789, regulation 17: "remains publicly available for a minimum of one year following publication".
"""

from __future__ import annotations

from datetime import date, timedelta

from services.routing.domain.facts_of import facts_of
from services.routing.domain.statements import Fact
from services.routing.outcome.published import period_of
from tests.support.routing import LSCP, MONDAY, acted, corrected
from tests.support.rulebooks import LEEDS_DEATH, VOCABULARY, decided, fact, facts

PUBLISHED = [*facts(LEEDS_DEATH), fact("review.published_on", "2026-01-12")]


def check(on: str, available: str | None) -> list[Fact]:
    said: dict[str, str | int] = {"publication.checked_on": on}
    said |= {"publication.available": available} if available else {}
    made = acted("publication.availability.checked.v1", said, at=MONDAY + (date.fromisoformat(on) - MONDAY.date()))
    return facts_of(made, VOCABULARY)


def owed(*stated: Fact) -> dict[str, tuple[str, date | None]]:
    """Return state and due date of P-05 and P-05R."""
    found = decided([*PUBLISHED, *stated]).obligations
    return {
        each.rule.id: (each.standing.state, each.dates.due_on) for each in found if each.rule.id in {"P-05", "P-05R"}
    }


def test_a_last_check_that_does_not_say_what_it_found_does_not_end_the_year() -> None:
    stated = [*check("2026-12-12", "yes"), *check("2027-01-12", None)]

    assert owed(*stated) == {"P-05": ("open", date(2027, 2, 12))}


def test_further_checks_do_not_move_the_day_by_which_it_has_to_be_there_again() -> None:
    missing = [*check("2026-06-01", "no"), *check("2026-06-09", "no"), *check("2026-06-10", None)]

    assert owed(*missing)["P-05R"] == ("open", date(2026, 6, 3))  # Monday 1 June + 2
    assert "P-05R" not in owed(*missing, *check("2026-06-11", "yes"))
    again = owed(*missing, *check("2026-06-11", "yes"), *check("2026-06-15", "no"))
    assert again["P-05R"] == ("open", date(2026, 6, 17))  # Monday 15 June + 2


def test_after_the_year_nothing_is_asked_any_more_and_what_was_met_stays_met() -> None:
    met = check("2027-01-12", "yes")

    for later in (check("2027-06-20", "no"), check("2027-06-20", None)):
        assert owed(*met, *later) == {"P-05": ("met", date(2027, 7, 20))}


def test_what_went_missing_during_the_year_and_was_not_found_since_is_owed_after_it_too() -> None:
    stated = [*check("2027-01-11", "no"), *check("2027-06-20", "no")]

    assert owed(*stated)["P-05R"] == ("open", date(2027, 1, 12))  # the last day; two working days would be the 13th
    assert owed(*stated)["P-05"][0] == "open"


def test_a_date_that_the_last_day_cuts_says_so_as_it_is_published() -> None:
    stated = check("2027-01-11", "no")  # Monday; two working days would be the 13th
    checked = check("2026-12-20", "yes")  # the same day of the next month would be the 20th

    assert ends(*stated) == {"P-05": date(2027, 1, 12), "P-05R": date(2027, 1, 12)}
    assert ends(*checked) == {"P-05": date(2027, 1, 12)}
    assert ends(*check("2026-06-01", "no")) == {"P-05": None, "P-05R": None}


def ends(*stated: Fact) -> dict[str, date | None]:
    """Return the last day that the published periods of P-05 and P-05R name."""
    found = {each.rule.id: period_of(each) for each in decided([*PUBLISHED, *stated]).obligations}
    return {rule: period.ends_on for rule, period in found.items() if period and rule in {"P-05", "P-05R"}}


def test_a_corrected_check_counts_as_what_it_is_now() -> None:
    first, second = check("2026-06-01", "no"), check("2026-06-09", "yes")
    in_the_end = check("2027-01-12", "yes")

    there = facts_of(corrected(first[0].event_id, "publication.available", "yes", LSCP), VOCABULARY)
    missing = facts_of(corrected(second[0].event_id, "publication.available", "no", LSCP), VOCABULARY)
    too_soon = facts_of(corrected(in_the_end[0].event_id, "publication.checked_on", "2027-01-11", LSCP), VOCABULARY)

    assert "P-05R" not in owed(*first, *there)
    assert owed(*first, *second, *missing)["P-05R"] == ("open", date(2026, 6, 3))
    assert owed(*in_the_end, *too_soon)["P-05"] == ("open", date(2027, 1, 12))


def test_a_check_that_is_corrected_to_not_found_asks_for_it_although_nobody_said_since_when() -> None:
    found = check("2026-06-01", "yes")
    missing = facts_of(
        corrected(found[0].event_id, "publication.available", "no", LSCP, at=MONDAY + timedelta(days=1)), VOCABULARY
    )

    assert owed(*found, *missing)["P-05R"][0] == "open"
