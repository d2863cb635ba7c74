"""A case is moved to another version of the rulebook: decided again, each duty with what became of it, and in the log."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from handrail.embedded.postgres import DatabaseAddress
from schemas import decisions as say
from schemas import deliveries as tell
from services.kit.errors import Conflict, NotFound
from services.kit.reach import EVERYTHING
from services.routing.law import Law
from services.routing.migrating import MigratedView, Migrator, NotReleasedHere
from services.routing.recorded import Recorder
from services.routing.service import Move, RoutingService
from services.routing.simulating import effect
from tests.support.releases import FIRST, LATER_REFERRAL, NO_PARTNERSHIP, SECOND, THIRD, national, released, rulebooks
from tests.support.road import Recipients, Road, laws, of
from tests.support.routing import CASE, LEEDS, OTHER_CASE, aware, decided, linked, reported, suspects
from tests.support.routing_app import app, client

OLD = national()
NEW = national(SECOND, NO_PARTNERSHIP, LATER_REFERRAL)
STRONGER = national(SECOND, ("duty on: the reporter\n    duty: should", "duty on: the reporter\n    duty: must"))
"""N-11 must be done, and need not only."""
OTHER_PROFILE = national(
    SECOND,
    (
        "tell: lscp-of(incident.area)\n        send: referral",
        "tell: lscp-of(incident.area)\n        send: partnership-notification",
    ),
)
NARROWER = national(
    SECOND,
    ("      personal.circumstances: in full\n      personal.agencies: in full\n  provider-notice", "  provider-notice"),
)
"""A referral gives less, under the name that it had."""
MOVE = Move(SECOND, "the guidance changed", "account-7")


async def moved(road: Road, to: Law, move: Move = MOVE) -> MigratedView:
    road.service = RoutingService(laws(OLD, to))
    return await Migrator(road.database, road.service).migrate(CASE, move)


def became(found: MigratedView) -> set[tuple[str, str, str, date | None, str | None]]:
    return {(duty.became, duty.rule, duty.recipients[0].id, duty.due_on, duty.reason) for duty in found.duties}


@pytest.fixture
async def decided_by_the_old(road: Road) -> Road:
    """Give a road with a case that was decided by the first version."""
    road.service = RoutingService(laws(OLD))
    await road.route(reported())
    return road


async def test_duties_come_out_withdrawn_with_the_reason_moved_and_unchanged(decided_by_the_old: Road) -> None:
    road = decided_by_the_old

    found = await moved(road, NEW)

    gone = f"rulebook {SECOND} no longer has this duty"
    assert became(found) == {
        ("moved", "N-11", f"la:{LEEDS}", date(2026, 6, 3), None),
        ("withdrawn", "N-11", f"lscp:{LEEDS}", None, gone),
    }
    assert (found.case_keys, found.before, found.rulebook.version) == ((CASE,), {CASE: FIRST}, SECOND)
    published = await road.published()
    [migrated] = of(say.RulebookMigrated, published)
    assert (migrated.data.before, migrated.data.rulebook.version) == (FIRST, SECOND)
    assert (migrated.data.reason, migrated.data.by) == ("the guidance changed", "account-7")
    [conclusion] = of(say.CaseDecided, published)
    assert (conclusion.data.revision, conclusion.data.rulebook.version) == (2, SECOND)
    assert conclusion.data.event_ids == (migrated.id,)
    assert conclusion.causation_id == migrated.id
    assert [each.data.reason for each in of(say.ObligationWithdrawn, published)] == [gone]
    [redated] = of(say.ObligationRedated, published)
    assert redated.data.reason == f"counted from reported_on: the case is now decided by rulebook {SECOND}"
    assert [each.data.recipient for each in of(tell.NoticeWithdrawn, published)] == [f"lscp:{LEEDS}"]


async def test_a_duty_that_the_other_version_adds_is_opened_and_its_notice_owed(road: Road) -> None:
    road.service = RoutingService(laws(NEW))
    await road.route(reported())
    road.service = RoutingService(laws(OLD, NEW))

    found = await Migrator(road.database, road.service).migrate(CASE, Move(FIRST, "moved by mistake", "account-7"))

    assert ("added", "N-11", f"lscp:{LEEDS}", date(2026, 6, 2), None) in became(found)
    assert f"lscp:{LEEDS}" in {each.data.recipient for each in of(tell.NoticeOwed, await road.published())}


async def test_a_migration_does_what_a_simulation_said(decided_by_the_old: Road) -> None:
    road = decided_by_the_old
    await road.route(aware(), suspects())
    page = await Recorder(road.database, laws(OLD)).page(EVERYTHING, date(2026, 1, 1))
    said = effect(page.cases[0], NEW, page.as_of)

    found = await moved(road, NEW)

    for name in ("added", "withdrawn", "moved"):
        expected = {(duty.rule, duty.recipients[0].id, duty.due_on) for duty in getattr(said, name)}
        assert {(d.rule, d.recipients[0].id, d.due_on) for d in found.duties if d.became == name} == expected
    assert said.withdrawn


async def test_from_then_on_the_case_is_decided_by_the_other_version(decided_by_the_old: Road) -> None:
    road = decided_by_the_old
    await moved(road, NEW)
    await road.published()

    later = await road.route(reported())

    assert [each.data.rulebook.version for each in of(say.CaseDecided, later)] == [SECOND]
    assert not of(say.RulebookMigrated, later)


async def test_what_the_other_version_only_says_otherwise_is_published_again_and_an_unsent_notice_replaced(
    decided_by_the_old: Road,
) -> None:
    road = decided_by_the_old

    found = await moved(road, OTHER_PROFILE)

    assert {each[0] for each in became(found)} == {"changed", "unchanged"}
    published = await road.published()
    [again] = of(say.ObligationOpened, published)
    assert (again.data.revision, again.data.profile) == (2, "partnership-notification")
    [owed], [withdrawn] = of(tell.NoticeOwed, published), of(tell.NoticeWithdrawn, published)
    assert (owed.data.revision, owed.data.profile) == (2, "partnership-notification")
    assert (withdrawn.data.revision, withdrawn.data.was_delivered) == (1, False)


async def granted(road: Road) -> set[tuple[str, bool]]:
    """Return the state of each notice, and whether the circumstances are given under it."""
    rows = await road.rows("SELECT state, payload FROM routing.delivery WHERE kind = 'notice'")
    return {(row["state"], "personal.circumstances" in row["payload"]["grant"]["give"]) for row in rows}


async def test_a_notice_that_waits_gives_no_more_than_the_version_by_which_its_case_is_decided(
    decided_by_the_old: Road,
) -> None:
    road = decided_by_the_old
    assert await granted(road) == {("due", True)}

    await moved(road, NARROWER)

    assert await granted(road) == {("withdrawn", True), ("due", False)}


async def test_a_notice_that_could_not_leave_is_replaced_by_what_the_new_version_says(
    decided_by_the_old: Road, recipients: Recipients
) -> None:
    road = decided_by_the_old
    addresses = recipients.file.read_text()
    recipients.register("")
    await recipients.send_all()
    assert await granted(road) == {("refused", True)}
    recipients.register(addresses)

    await moved(road, STRONGER)
    await recipients.send_all()

    [told] = await recipients.journal(f"lscp:{LEEDS}")
    assert (told["body"]["type"], told["body"]["duty"]) == ("notice.v1", "must")


async def test_what_was_sent_stays_as_it_was_sent(decided_by_the_old: Road, recipients: Recipients) -> None:
    road = decided_by_the_old
    await recipients.send_all()

    found = await moved(road, STRONGER)

    assert {each[0] for each in became(found)} == {"changed"}
    assert not of(tell.NoticeOwed, await road.published())


async def test_linked_cases_are_moved_together(decided_by_the_old: Road) -> None:
    road = decided_by_the_old
    await road.route(reported(case_key=OTHER_CASE))
    await road.route(linked())

    found = await moved(road, NEW)

    assert found.before == {CASE: FIRST, OTHER_CASE: FIRST}
    assert {each.case_key for each in of(say.RulebookMigrated, await road.published())} == {CASE, OTHER_CASE}


async def test_a_link_to_a_case_of_a_newer_version_moves_a_case_and_says_so(decided_by_the_old: Road) -> None:
    road = decided_by_the_old
    road.service = RoutingService(laws(OLD, NEW))
    await road.route(reported(case_key=OTHER_CASE))

    published = await road.route(linked())

    [migrated] = of(say.RulebookMigrated, published)
    assert (migrated.case_key, migrated.data.before) == (CASE, FIRST)
    assert (migrated.data.reason, migrated.data.by) == ("linked with a case that is decided by it", None)


async def test_what_cannot_be_moved_is_refused_and_changes_nothing(decided_by_the_old: Road) -> None:
    road = decided_by_the_old
    await road.published()

    with pytest.raises(NotReleasedHere, match=f"{THIRD} is not released; versions that count: {FIRST}, {SECOND}"):
        await moved(road, NEW, Move(THIRD, "why not", "account-7"))
    with pytest.raises(Conflict, match=r"is decided by rulebook .* already"):
        await moved(road, NEW, Move(FIRST, "why not", "account-7"))
    with pytest.raises(NotFound):
        await Migrator(road.database, road.service).migrate(OTHER_CASE, MOVE)

    assert await road.published() == []


@pytest.mark.parametrize(
    ("role", "status"), [(None, 401), ("partner", 403), ("review_officer", 403), ("auditor", 403), ("service", 403)]
)
async def test_only_operations_moves_a_case(role: str | None, status: int, address: DatabaseAddress) -> None:
    async with client(app(address), role) as http:
        response = await http.post(f"/v1/cases/{CASE}/rulebook", json={"to": SECOND, "reason": "why not"})

    assert response.status_code == status


async def test_a_migration_stands_on_the_page_of_the_case_and_in_its_explanation_as_at_any_time(
    road: Road, address: DatabaseAddress, tmp_path: Path
) -> None:
    folder = rulebooks(tmp_path)
    await road.route(reported(), aware(), suspects())
    await road.route(decided("notify"))
    before = datetime.now(UTC).isoformat()
    released(folder)
    body = {"to": SECOND, "reason": "the guidance changed"}

    async with client(app(address, rulebooks=folder), "operations") as http:
        answer = await http.post(f"/v1/cases/{CASE}/rulebook", json=body)
        again = await http.post(f"/v1/cases/{CASE}/rulebook", json=body)
        page = await http.get(f"/case/{CASE}")
        explained = (await http.get(f"/v1/cases/{CASE}/explanation")).json()
        rules = [(await http.get(f"/rules?version={each}")).text for each in (FIRST, SECOND)]
        rule = (await http.get(f"/rules/N-01?version={FIRST}")).text
        unknown = await http.get(f"/rules?version={THIRD}")
        earlier = (await http.get(f"/v1/cases/{CASE}/explanation", params={"as_of": before})).json()

    assert (answer.status_code, again.status_code) == (200, 409), answer.text + again.text
    assert {duty["became"] for duty in answer.json()["duties"]} == {"unchanged"}
    assert f"Moved from rulebook {FIRST} to {SECOND}" in page.text
    assert "by account-7: the guidance changed" in page.text
    assert [f"version {each}" in shown for each, shown in zip((FIRST, SECOND), rules, strict=True)] == [True, True]
    assert f'href="/rules/N-01?version={FIRST}"' in rules[0]
    assert f"Rulebook {FIRST}." in rule
    assert unknown.status_code == 404
    [each] = explained["migrations"]
    assert (each["from_version"], each["to_version"], each["by"]) == (FIRST, SECOND, "account-7")
    assert explained["rulebook"]["version"] == SECOND
    assert (earlier["rulebook"]["version"], earlier["migrations"]) == (FIRST, [])
