"""Every invariant of the fault table can fail: on sound evidence none complains, on each planted wrong one does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from handrail.verify import Report
from tests.support.faults import invariants, law
from tests.support.faults.evidence import Evidence
from tests.support.faults.load import Sent
from tests.support.faults.rig import DidNotLand, wait_for

EVENT, RECEIPT, DECISION = UUID(int=1), UUID(int=2), UUID(int=3)
BY_KAFKA = UUID(int=4)
OWED = {UUID(int=11): (EVENT, "la:E08000035"), UUID(int=12): (EVENT, "lscp:E08000035")}
OWED |= {UUID(int=13): (BY_KAFKA, "la:E08000035"), UUID(int=14): (BY_KAFKA, "lscp:E08000035")}
NOTICE = UUID(int=21)
BOOK = min(law.in_force())
DUE_ON = date(2026, 6, 2)
POISON = b"\x01" * 32
DUE = datetime(2026, 6, 2, 23, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)

Rows = dict[str, list[dict[str, Any]]]


def sound() -> Evidence:
    """Return what a run leaves behind in which nothing went wrong."""
    sent = Sent("police")
    sent.tried = {EVENT, BY_KAFKA}
    sent.reports = {EVENT: ("a", "a", date(2026, 6, 1))}
    sent.accepted, sent.produced, sent.poison = {EVENT: RECEIPT}, {BY_KAFKA}, {POISON}
    rows: Rows = {
        "submissions": [
            {"event_id": EVENT, "receipt_id": RECEIPT, "case_key": "a", "decided_at": NOW},
            {"event_id": BY_KAFKA, "receipt_id": UUID(int=5), "case_key": "b", "decided_at": NOW},
        ],
        "decisions": [
            {"event_id": EVENT, "case_key": "a", "revision": 1, "rulebook": BOOK},
            {"event_id": BY_KAFKA, "case_key": "b", "revision": 1, "rulebook": BOOK},
        ],
        "revisions": [{"case_key": "a", "revision": 1}, {"case_key": "b", "revision": 1}],
        "obligations": [obligation(duty, event, to) for duty, (event, to) in OWED.items()],
        "deliveries": [delivery(duty, event, to) for duty, (event, to) in OWED.items()],
        "duties": [a_duty(duty) for duty in OWED],
        "rungs": [rung(duty) for duty in OWED],
        "alerts": [{"kind": "deadline.breached", "reference": str(duty)} for duty in OWED],
        "case_entries": [
            entry("a", 1),
            entry("a", 2, "case.decided.v1", revision=1, decides=[EVENT]),
            entry("b", 1, "case.decided.v1", revision=1, decides=[BY_KAFKA]),
            *(opened(duty, 3 + place, event) for place, (duty, (event, _)) in enumerate(OWED.items())),
        ],
        "quarantined": [{"sha256": POISON, "alerts": 1}],
        "reads": [
            {"notice_id": NOTICE, "recipient": "la:E08000035", "purpose": "p", "fields": ["harm"], "read_at": NOW}
        ],
        "said_aloud": [],
        "said_twice": [],
        "unlogged": [],
        "unsaid": [],
    }
    journal = [{"webhook_id": str(duty), "sha256": "same", "outcome": "taken", "verified": True} for duty in OWED]
    page = {"status": "decided", "told": [{"recipient": to} for event, to in OWED.values() if event == EVENT]}
    given = {"notice_id": NOTICE, "recipient": "la:E08000035", "purpose": "p", "fields": ["harm"]}
    given |= {"status": 200, "posted": True, "personal": True}
    strange = {"receipt_id": RECEIPT, "answer": (404, "Not found"), "nothing": (404, "Not found"), "listed": False}
    return Evidence(sent, journal, Report(None, 1, []), [page], [given], [strange], [], rows, NOW)


def obligation(duty: UUID, event: UUID, to: str) -> dict[str, Any]:
    row = {"obligation_id": duty, "event_id": event, "state": "open", "rule": law.RULE, "duty_holder": "police"}
    return row | {"due_on": str(DUE_ON), "recipients": [to]}


def a_duty(duty: UUID) -> dict[str, Any]:
    return {"duty_id": duty, "kind": "obligation", "state": "open", "due_on": DUE_ON}


def delivery(duty: UUID, event: UUID, to: str) -> dict[str, Any]:
    row = {"delivery_id": duty, "obligation_id": duty, "notice_id": NOTICE, "event_id": event, "kind": "notice"}
    return row | {"recipient": to, "state": "delivered", "rule": law.RULE, "rulebook": BOOK}


def rung(duty: UUID, **changed: Any) -> dict[str, Any]:
    row = {"duty_id": duty, "generation": 1, "present": 1, "kind": "breach", "days_left": -1, "due_at": DUE}
    row |= {"state": 1, "settled_at": NOW, "settled_on": date(2026, 11, 25)}
    return row | {"due_on": date(2026, 6, 2), "duty_state": "open"} | changed


def entry(case: str, seq: int, kind: str = "notice.owed.v1", **said: Any) -> dict[str, Any]:
    row = {"case_key": case, "case_seq": seq, "type": kind, "topic": "t", "producer": "routing", "revision": None}
    return row | {"obligation_id": None, "due_on": None, "decides": []} | said


def opened(duty: UUID, seq: int, event: UUID) -> dict[str, Any]:
    case = "a" if event == EVENT else "b"
    return entry(case, seq, "obligation.opened.v1", obligation_id=str(duty), due_on=str(DUE_ON))


def complaints(seen: Evidence) -> set[str]:
    return {each.__name__ for each in invariants.INVARIANTS if each(seen)}


def test_sound_evidence_satisfies_every_invariant() -> None:
    assert complaints(sound()) == set()


def drop(name: str) -> Callable[[Evidence], Evidence]:
    return lambda seen: replace(seen, rows={**seen.rows, name: seen[name][1:]})


def drop_entries(kind: str) -> Callable[[Evidence], Evidence]:
    return lambda seen: replace(
        seen, rows={**seen.rows, "case_entries": [row for row in seen["case_entries"] if row["type"] != kind]}
    )


def add(name: str, **row: Any) -> Callable[[Evidence], Evidence]:
    return lambda seen: replace(seen, rows={**seen.rows, name: [*seen[name], row]})


def change(name: str, **values: Any) -> Callable[[Evidence], Evidence]:
    return lambda seen: replace(seen, rows={**seen.rows, name: [{**seen[name][0], **values}, *seen[name][1:]]})


def journal(**values: Any) -> Callable[[Evidence], Evidence]:
    return lambda seen: replace(seen, journal=[*seen.journal, {**seen.journal[0], **values}])


def given(**values: Any) -> Callable[[Evidence], Evidence]:
    return lambda seen: replace(seen, given=[{**seen.given[0], **values}])


def strange(**values: Any) -> Callable[[Evidence], Evidence]:
    return lambda seen: replace(seen, strange=[{**seen.strange[0], **values}])


def one_case_two_answers(seen: Evidence) -> Evidence:
    """Have both reports in one case, and the first of them due on another day."""
    return change("obligations", due_on="2026-06-03")(change("submissions", case_key="b")(seen))


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
    (
        "an event decided twice",
        "effects_once",
        add("decisions", event_id=EVENT, case_key="a", revision=2, rulebook=BOOK),
    ),
    ("a delivery that still waits", "effects_once", change("deliveries", state="due")),
    ("an obligation without a duty", "one_timer_each", drop("duties")),
    ("a duty without an obligation", "one_timer_each", add("duties", **a_duty(UUID(int=99)))),
    ("a duty without a timer", "one_timer_each", drop("rungs")),
    ("a timer that stands twice", "one_timer_each", add("rungs", **rung(UUID(int=11)))),
    ("a timer that fired early", "never_early_never_late", change("rungs", settled_at=DUE - timedelta(seconds=1))),
    (
        "a breach timed by winter's clock in summer",
        "never_early_never_late",
        change("rungs", due_at=DUE + timedelta(hours=1)),
    ),
    ("an obligation due a day late", "never_early_never_late", change("obligations", due_on="2026-06-03")),
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
    ("a decision that is not in the log", "log_is_what_was_said", change("revisions", revision=7)),
    ("two messages of a case out of order", "cases_in_order", add("case_entries", **entry("a", 1))),
    ("poison that is not in quarantine", "poison_isolated", drop("quarantined")),
    ("poison without an alert", "poison_isolated", change("quarantined", alerts=0)),
    ("an answer 500", "refused_not_dropped", sent(wrong=["answered 500"])),
    ("an event that nobody sent", "refused_not_dropped", sent(tried={EVENT})),
    ("a notice under another rule", "right_basis", change("deliveries", rule="N-01")),
    ("a notice under a rulebook that is not in force", "right_basis", change("deliveries", rulebook="0" * 64)),
    ("a decision under another rulebook than its notice", "right_basis", change("decisions", rulebook="0" * 64)),
    ("a notice to somebody whom the duty does not name", "right_basis", change("deliveries", recipient="panel")),
    ("a field outside the profile", "right_basis", given(fields=["harm", "personal.child.name"])),
    ("another due date for whoever came first", "order_does_not_matter", one_case_two_answers),
    ("a duty of which the log says nothing", "replay_gives_the_same", drop_entries("obligation.opened.v1")),
    ("a duty that is not as the log says", "replay_gives_the_same", change("duties", state="met")),
    ("a due date that is not the log's", "replay_gives_the_same", change("duties", due_on=date(2026, 6, 3))),
    ("a decision shown of which the log says nothing", "replay_gives_the_same", drop_entries("case.decided.v1")),
    ("a receipt that another client may read", "nobody_elses", strange(answer=(200, "{}"))),
    ("a receipt whose existence is told in other words", "nobody_elses", strange(answer=(404, "Not yours"))),
    ("a receipt in another client's list", "nobody_elses", strange(listed=True)),
    ("a name in a log", "personal_data_kept", lambda seen: replace(seen, written=["logs/intake.log"])),
    ("a name in a message", "personal_data_kept", add("said_aloud", place="intake.outbox", count=1)),
    ("content without what is personal", "personal_data_kept", given(personal=False)),
    ("content that was refused", "reads_logged", given(status=401)),
    ("a read that nobody logged", "reads_logged", drop("reads")),
    ("a read logged without the time", "reads_logged", change("reads", read_at=None)),
    ("a read logged with other fields", "reads_logged", change("reads", fields=["harm", "incident.area"])),
    ("a logged read that nobody did", "reads_logged", lambda seen: replace(seen, given=[])),
]


@pytest.mark.parametrize(("invariant", "plant"), [wrong[1:] for wrong in WRONGS], ids=[wrong[0] for wrong in WRONGS])
def test_a_planted_wrong_is_named_by_its_invariant(invariant: str, plant: Callable[[Evidence], Evidence]) -> None:
    assert invariant in complaints(plant(sound()))


def test_every_invariant_has_a_planted_wrong() -> None:
    assert {wrong[1] for wrong in WRONGS} == {each.__name__ for each in invariants.INVARIANTS}


def test_a_webhook_that_came_again_without_a_reason_is_named() -> None:
    assert invariants.never_repeated(sound()) == []

    [problem] = invariants.never_repeated(journal(outcome="repeat")(sound()))
    assert problem.startswith("1 webhooks that came again without a reason: ")


def test_a_fault_that_its_detector_did_not_see_has_not_landed() -> None:
    with pytest.raises(DidNotLand, match="a retry"):
        wait_for(lambda: 0, "a retry", within_s=0)
