"""An authority gets another code, or ends and another body stands in its place: its duties pass on as they stand.

Barnsley's code was E08000016 until 2025. See docs/decisions/0015.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from services.routing.domain import ledger
from services.routing.domain.decide import Decision
from services.routing.domain.diff import diff, homes
from services.routing.domain.facts_of import facts_of
from services.routing.domain.happenings_of import told_by
from services.routing.domain.register import Register, parse_register
from services.routing.law import Law
from tests.support.routing import CASE, COUNCIL, POLICE, aware, decided, reported, submitted, suspects
from tests.support.rulebooks import law

FORMER, PRESENT, NEW = "E08000016", "E08000038", "la:barnsley-and-beyond"
NOW = datetime(2026, 6, 3, tzinfo=UTC)
AFTER = datetime(2026, 7, 3, tzinfo=UTC)
HOME = homes([("incident", CASE)])
SUCCEEDED = f"""    until: 2026-06-30
    succeeded by: {NEW}
    source: GOV.UK list of councils
    verified: false
  - id: {NEW}
    name: Barnsley and Beyond Council
    kind: authority
    from: 2026-07-01
    areas:
      - {PRESENT}
"""


def with_register(text: str) -> Law:
    return replace(law(), register=register(text), register_text=text)


def register(text: str) -> Register:
    return parse_register(text, "areas.yaml")


def before_the_change() -> Law:
    text = law().register_text.replace(f"\n    formerly:\n      - {FORMER} ", "\n    #")
    return with_register(text.replace(PRESENT, FORMER))


def with_a_successor() -> Law:
    council = f"  - id: la:{PRESENT}\n"
    start = law().register_text.index(council)
    end = law().register_text.index("    source:", start)
    text = law().register_text
    return with_register(text[:end] + SUCCEEDED + text[end:])


def decision(laws: Law, events: list[Any], known: ledger.Known, now: datetime) -> Decision:
    facts = tuple(fact for event in events for fact in facts_of(event, laws.vocabulary))
    told = {event.id: each for event in events if (each := told_by(event)) is not None}
    return laws.decide(facts, told, known, now)


def standing(found: Decision) -> ledger.Known:
    """Return what stands once a decision was carried out, all its notices delivered."""
    return ledger.Known(
        tuple(
            ledger.KnownObligation(
                *(UUID(int=place), CASE, each.slot, 1, each.standing.state, NOW, each.recipients, each.dates),
                each.released,
                met_on=each.standing.met_on,
            )
            for place, each in enumerate(found.obligations)
        )
    )


@pytest.mark.parametrize(
    ("earlier", "later", "code", "heir"),
    [
        (before_the_change, law, FORMER, f"la:{PRESENT}"),
        (with_a_successor, with_a_successor, PRESENT, NEW),
    ],
)
def test_what_an_authority_owes_and_has_done_passes_on_as_it_stands(
    earlier: Any, later: Any, code: str, heir: str
) -> None:
    council = COUNCIL.model_copy(update={"area": code, "recipient": f"la:{code}"})
    told = reported(POLICE.model_copy(update={"area": code}), area=code, concerns=("yes", "no", "no"))
    events = [told, aware(council), suspects(reporter=council), decided("notify", council), submitted(council)]
    first = decision(earlier(), events, ledger.Known(), NOW)
    known = standing(first)
    found = decision(later(), events, known, AFTER)

    changes = diff(known, found, HOME)

    opened = [change for change in changes if isinstance(change, ledger.Opened)]
    states = {(each.slot.rule, each.slot.position, each.standing.state) for each in first.obligations}
    assert {("N-01", 0, "met"), ("N-03", 0, "open"), ("N-13", 0, "met"), ("R-01", 0, "open")} <= states
    assert {(each.slot.rule, each.slot.position, each.standing.state) for each in found.obligations} == states
    assert [change for change in changes if isinstance(change, ledger.Closed | ledger.Met)] == []
    assert {change.revision for change in opened} <= {2}
    assert [each.slot.duty_holder for each in found.obligations if each.rule.id == "N-03"] == [heir]
    assert {change.obligation_id for change in opened} <= {each.obligation_id for each in known.obligations}
