"""Every invariant of the fault table can fail: on sound evidence none complains, on each planted wrong one does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from handrail.verify import Report
from tests.support.faults import invariants
from tests.support.faults.evidence import Evidence
from tests.support.faults.load import Sent
from tests.support.faults.rig import DidNotLand, wait_for

EVENT, RECEIPT, DECISION = UUID(int=1), UUID(int=2), UUID(int=3)
BY_KAFKA = UUID(int=4)
OWED = {UUID(int=11): (EVENT, "la:E08000035"), UUID(int=12): (EVENT, "lscp:E08000035")}
OWED |= {UUID(int=13): (BY_KAFKA, "la:E08000035"), UUID(int=14): (BY_KAFKA, "lscp:E08000035")}
POISON = b"\x01" * 32
DUE = datetime(2026, 6, 2, 23, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)

Rows = dict[str, list[dict[str, Any]]]


def sound() -> Evidence:
    """Return what a run leaves behind in which nothing went wrong."""
    sent = Sent("police")
    sent.tried = {EVENT, BY_KAFKA}
    sent.accepted, sent.produced, sent.poison = {EVENT: RECEIPT}, {BY_KAFKA}, {POISON}
    rows: Rows = {
        "submissions": [
            {"event_id": EVENT, "receipt_id": RECEIPT, "case_key": "a", "decided_at": NOW},
            {"event_id": BY_KAFKA, "receipt_id": UUID(int=5), "case_key": "b", "decided_at": NOW},
        ],
        "decisions": [
            {"event_id": EVENT, "case_key": "a", "revision": 1},
            {"event_id": BY_KAFKA, "case_key": "b", "revision": 1},
        ],
        "obligations": [{"obligation_id": duty, "event_id": event} for duty, (event, _) in OWED.items()],
        "deliveries": [
            {"delivery_id": duty, "kind": "notice", "recipient": to, "state": "delivered", "event_id": event}
            for duty, (event, to) in OWED.items()
        ],
        "duties": [{"duty_id": duty, "kind": "obligation"} for duty in OWED],
        "rungs": [rung(duty) for duty in OWED],
        "alerts": [{"kind": "deadline.breached", "reference": str(duty)} for duty in OWED],
        "case_entries": [entry("a", 1), entry("a", 2, "case.decided.v1", 1), entry("b", 1, "case.decided.v1", 1)],
        "quarantined": [{"sha256": POISON, "alerts": 1}],
        "said_twice": [],
        "unlogged": [],
        "unsaid": [],
    }
    journal = [{"webhook_id": str(duty), "sha256": "same", "outcome": "taken", "verified": True} for duty in OWED]
    page = {"status": "decided", "told": [{"recipient": to} for event, to in OWED.values() if event == EVENT]}
    return Evidence(sent, journal, Report(None, 1, []), [page], rows, NOW)


def rung(duty: UUID, **changed: Any) -> dict[str, Any]:
    row = {"duty_id": duty, "generation": 1, "present": 1, "kind": "breach", "days_left": -1, "due_at": DUE}
    row |= {"state": 1, "settled_at": NOW, "settled_on": date(2026, 11, 25)}
    return row | {"due_on": date(2026, 6, 2), "duty_state": "open"} | changed


def entry(case: str, seq: int, kind: str = "notice.owed.v1", revision: int | None = None) -> dict[str, Any]:
    return {"case_key": case, "case_seq": seq, "type": kind, "revision": revision, "topic": "t", "producer": "routing"}


def complaints(seen: Evidence) -> set[str]:
    return {each.__name__ for each in invariants.INVARIANTS if each(seen)}


def test_sound_evidence_satisfies_every_invariant() -> None:
    assert complaints(sound()) == set()


def drop(name: str) -> Callable[[Evidence], Evidence]:
    return lambda seen: replace(seen, rows={**seen.rows, name: seen[name][1:]})


def add(name: str, **row: Any) -> Callable[[Evidence], Evidence]:
    return lambda seen: replace(seen, rows={**seen.rows, name: [*seen[name], row]})


def change(name: str, **values: Any) -> Callable[[Evidence], Evidence]:
    return lambda seen: replace(seen, rows={**seen.rows, name: [{**seen[name][0], **values}, *seen[name][1:]]})


def journal(**values: Any) -> Callable[[Evidence], Evidence]:
    return lambda seen: replace(seen, journal=[*seen.journal, {**seen.journal[0], **values}])


def sent(**values: Any) -> Callable[[Evidence], Evidence]:
    return lambda seen: replace(seen, sent=replace(seen.sent, **values))


WRONGS: list[tuple[str, str, Callable[[Evidence], Evidence]]] = [
    ("an event without its row", "nothing_lost", drop("submissions")),
    ("another receipt than the one that was given", "nothing_lost", sent(accepted={EVENT: UUID(int=99)})),
    ("an event that was never decided", "nothing_lost", drop("decisions")),
    ("an event that intake shows as undecided", "nothing_lost", change("submissions", decided_at=None)),
    (
        "a receipt whose page names another recipient",
        "nothing_lost",
        lambda seen: replace(seen, pages=[{"status": "decided", "told": [{"recipient": "la:E08000016"}]}]),
    ),
    ("a webhook that nobody signed", "effects_once", journal(verified=False, outcome="rejected")),
    ("a notice that never came", "effects_once", lambda seen: replace(seen, journal=seen.journal[1:])),
    ("a notice taken twice", "effects_once", journal()),
    ("a repetition with other bytes", "effects_once", journal(sha256="other", outcome="repeat")),
    ("a message said twice", "effects_once", add("said_twice", event_id=EVENT)),
    ("an event decided twice", "effects_once", add("decisions", event_id=EVENT, case_key="a", revision=2)),
    ("a delivery that still waits", "effects_once", change("deliveries", state="due")),
    ("an obligation without a duty", "one_timer_each", drop("duties")),
    ("a duty without an obligation", "one_timer_each", add("duties", duty_id=UUID(int=99), kind="obligation")),
    ("a duty without a timer", "one_timer_each", drop("rungs")),
    ("a timer that stands twice", "one_timer_each", add("rungs", **rung(UUID(int=11)))),
    ("a timer that fired early", "never_early_never_late", change("rungs", settled_at=DUE - timedelta(seconds=1))),
    (
        "a breach timed by winter's clock in summer",
        "never_early_never_late",
        change("rungs", due_at=DUE + timedelta(hours=1)),
    ),
    ("a breach on the last day", "never_early_never_late", change("rungs", settled_on=date(2026, 6, 2))),
    ("a timer that is silently late", "never_early_never_late", change("rungs", state=0, settled_at=None)),
    (
        "a breach told twice",
        "never_early_never_late",
        add("alerts", kind="deadline.breached", reference=str(UUID(int=11))),
    ),
    (
        "a log that does not verify",
        "log_verifies",
        lambda seen: replace(seen, report=Report(None, 1, ["entry 3: wrong"])),
    ),
    ("a message that is not in the log", "log_is_what_was_said", add("unlogged", event_id=EVENT)),
    ("an entry that nobody said", "log_is_what_was_said", add("unsaid", seq=7)),
    ("a decision that is not in the log", "log_is_what_was_said", change("decisions", revision=7)),
    ("two messages of a case out of order", "cases_in_order", add("case_entries", **entry("a", 1))),
    ("poison that is not in quarantine", "poison_isolated", drop("quarantined")),
    ("poison without an alert", "poison_isolated", change("quarantined", alerts=0)),
    ("an answer 500", "refused_not_dropped", sent(wrong=["answered 500"])),
    ("an event that nobody sent", "refused_not_dropped", sent(tried={EVENT})),
]


@pytest.mark.parametrize(("invariant", "plant"), [wrong[1:] for wrong in WRONGS], ids=[wrong[0] for wrong in WRONGS])
def test_a_planted_wrong_is_named_by_its_invariant(invariant: str, plant: Callable[[Evidence], Evidence]) -> None:
    assert invariant in complaints(plant(sound()))


def test_every_invariant_has_a_planted_wrong() -> None:
    assert {wrong[1] for wrong in WRONGS} == {each.__name__ for each in invariants.INVARIANTS}


def test_a_fault_that_its_detector_did_not_see_has_not_landed() -> None:
    with pytest.raises(DidNotLand, match="a retry"):
        wait_for(lambda: 0, "a retry", within_s=0)
