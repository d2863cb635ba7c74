"""What must hold after any fault, one function each: evidence in, problems out, in words; none is good.

Names and numbers follow the promise: nothing lost, effects once, one timer, never early or silently late, provable
afterwards. None of them reads a service's own opinion of whether all is well.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from tests.support.faults import law
from tests.support.faults.evidence import Evidence, Row
from tests.support.reports import TOLD

LATE: Final = timedelta(seconds=60)
FIRED: Final = 1
PENDING: Final = 0
OPENS: Final = frozenset({"obligation.opened.v1", "obligation.redated.v1"})
CLOSES: Final = {f"obligation.{how}.v1": how for how in ("met", "withdrawn", "superseded")}
OK: Final = 200
_NAMED: Final = 5  # how many examples a problem names


def nothing_lost(seen: Evidence) -> list[str]:
    """Each receipt and each record that Kafka acknowledged is one event, kept and decided; nobody's event is there."""
    kept = {row["event_id"]: row for row in seen["submissions"]}
    receipts = {
        event for event, receipt in seen.sent.accepted.items() if kept.get(event, {}).get("receipt_id") == receipt
    }
    routed = {row["event_id"] for row in seen["decisions"]}
    return [
        *_missing("events without their row at intake", seen.events, kept),
        *_missing("receipts that intake does not know", seen.sent.accepted, receipts),
        *_missing("events that routing never decided", seen.events, routed),
        *_missing("events that intake does not show as decided", seen.events, _decided(seen)),
        *_missing("kept events that were never decided", kept, routed),
        *_some("receipts whose page does not say who was told", (page for page in seen.pages if not _tells(page))),
    ]


def effects_once(seen: Evidence) -> list[str]:
    """Each event tells its two recipients, once; what comes again has the same id and the same bytes."""
    bodies: dict[str, set[str]] = defaultdict(set)
    for entry in seen.journal:
        bodies[entry["webhook_id"]].add(entry["sha256"])
    taken = Counter(entry["webhook_id"] for entry in seen.journal if entry["outcome"] == "taken")
    told: dict[UUID, list[str]] = defaultdict(list)
    for row in seen["deliveries"]:
        if row["kind"] == "notice" and taken[str(row["delivery_id"])]:
            told[row["event_id"]].append(row["recipient"])
    expected = sorted(TOLD)
    return [
        *_some("webhooks that nobody signed", (entry for entry in seen.journal if not entry["verified"])),
        *_some("notices whose repetition had other bytes", (key for key, each in bodies.items() if len(each) > 1)),
        *_some("notices taken more than once", (key for key, times in taken.items() if times > 1)),
        *_some("events not told to exactly their recipients", (e for e in seen.events if sorted(told[e]) != expected)),
        *_some("deliveries not settled", (row for row in seen["deliveries"] if row["state"] != "delivered")),
        *_some("messages said twice", seen["said_twice"]),
        # Linked cases are decided together, each for what came of either (a restore can split a case: `evidence._CASES`).
        *_some("events decided twice", _repeated((row["case_key"], row["event_id"]) for row in seen["decisions"])),
    ]


def one_timer_each(seen: Evidence) -> list[str]:
    """Each obligation of routing is one duty of deadlines with one timer of each kind, and the other way round."""
    obligations = {row["obligation_id"] for row in seen["obligations"]}
    duties = {row["duty_id"] for row in seen["duties"] if row["kind"] == "obligation"}
    timers = [
        (row["duty_id"], row["kind"], row["days_left"]) for row in seen["rungs"] if row["generation"] == row["present"]
    ]
    breaches = {duty for duty, kind, _ in timers if kind == "breach"}
    per_event = Counter(row["event_id"] for row in seen["obligations"])
    return [
        *_missing("obligations without a duty", obligations, duties),
        *_missing("duties without an obligation", duties, obligations),
        *_missing("duties without a timer", duties, breaches),
        *_some("timers that stand twice", _repeated(timers)),
        *_some("events without exactly two obligations", (e for e in seen.events if per_event[e] != len(TOLD))),
    ]


def never_early_never_late(seen: Evidence) -> list[str]:
    """Due dates are those counted by hand, and a breach is timed for the end of the day; no timer fired before its moment, none whose moment has passed waits."""
    fired = [row for row in seen["rungs"] if row["state"] == FIRED]
    breaches = Counter(row["reference"] for row in seen["alerts"] if row["kind"] == "deadline.breached")
    late = [
        row
        for row in seen["rungs"]
        if row["state"] == PENDING and row["generation"] == row["present"] and row["duty_state"] == "open"
        if row["due_at"] < seen.at - LATE
    ]
    days = {event: on for event, (_, _, on) in seen.sent.reports.items()}
    misdated = [
        row
        for row in seen["obligations"]
        if str(row["due_on"]) != str(law.DUE_ON.get(days.get(row["event_id"]), row["due_on"]))
    ]
    mistimed = [row for row in seen["rungs"] if row["kind"] == "breach" and row["due_at"] != _end_of_day(row["due_on"])]
    return [
        *_some("timers that fired early", (row for row in fired if row["settled_at"] < row["due_at"])),
        *_some(
            "breaches said before the last day was over",
            (row for row in fired if row["kind"] == "breach" and row["settled_on"] <= row["due_on"]),
        ),
        *_some("breaches timed for another moment than the end of their last day", mistimed),
        *_some("obligations due on another day than by hand", misdated),
        *_some("timers that are silently late", late),
        *_some("duties whose breach was told twice", (duty for duty, times in breaches.items() if times > 1)),
    ]


def log_verifies(seen: Evidence) -> list[str]:
    """The log is whole, in order, and continues everything that was ever signed; the offline verifier says so."""
    return list(seen.report.problems)


def log_is_what_was_said(seen: Evidence) -> list[str]:
    """Every message that a service committed is one entry of the log, and every entry is such a message."""
    decisions = {(row["case_key"], row["revision"]) for row in seen["revisions"]}
    logged = [(row["case_key"], row["revision"]) for row in seen["case_entries"] if row["type"] == "case.decided.v1"]
    return [
        *_some("messages that are not in the log", seen["unlogged"]),
        *_some("entries that nobody said", seen["unsaid"]),
        *_missing("decisions that are not in the log", decisions, set(logged)),
        *_missing("logged decisions that routing does not have", set(logged), decisions),
        *_some("decisions logged twice", _repeated(logged)),
    ]


def cases_in_order(seen: Evidence) -> list[str]:
    """On each topic, the messages of a case come in the order in which their transactions held the case."""
    last: dict[tuple[str, str, str], int] = {}
    wrong = []
    for row in seen["case_entries"]:
        place = (row["topic"], row["producer"], row["case_key"])
        if row["case_seq"] <= last.get(place, 0):
            wrong.append((*place, row["case_seq"], last[place]))
        last[place] = row["case_seq"]
    return _some("messages of a case out of order", wrong)


def poison_isolated(seen: Evidence) -> list[str]:
    """Each unreadable record is in quarantine, once, with one alert; nothing readable is there."""
    held = {row["sha256"]: row for row in seen["quarantined"] if row["sha256"] in seen.sent.poison}
    unread = [row["event_id"] for row in seen["submissions"] if row["event_id"] in seen.sent.produced]
    return [
        *_missing("unreadable records that are not in quarantine", seen.sent.poison, held),
        *_some("records in quarantine without exactly one alert", (row for row in held.values() if row["alerts"] != 1)),
        *_missing("records beside them that were not read", seen.sent.produced, unread),
    ]


def refused_not_dropped(seen: Evidence) -> list[str]:
    """No 2xx but for what is durable; everything else asked to come back later."""
    kept = {row["event_id"] for row in seen["submissions"]}
    return [
        *_some("answers that are neither a receipt nor a promise to take it later", seen.sent.wrong),
        *_missing("receipts for what is not kept", seen.sent.accepted, kept),
        *_missing("events that nobody sent", kept, seen.sent.tried),
    ]


def right_basis(seen: Evidence) -> list[str]:
    """Each notice rests on the law in force and on the decision about its event; nobody is given more than its profile."""
    decided = {row["event_id"]: row["rulebook"] for row in seen["decisions"]}
    owed = {row["obligation_id"]: row["recipients"] for row in seen["obligations"]}
    notices = [row for row in seen["deliveries"] if row["kind"] == "notice"]
    given = [(one["recipient"], field) for one in seen.given for field in one["fields"]]
    return [
        *_some(
            "notices under another rule than the one for what was reported",
            (r for r in notices if r["rule"] != law.RULE),
        ),
        *_some("notices under no rulebook in force", (row for row in notices if row["rulebook"] not in law.in_force())),
        *_some(
            "notices under another rulebook than their decision's",
            (row for row in notices if row["rulebook"] != decided.get(row["event_id"])),
        ),
        *_some(
            "notices to others than their duty names",
            (r for r in notices if r["recipient"] not in owed.get(r["obligation_id"], ())),
        ),
        *_some("fields outside the profile", (each for each in given if each[1] not in law.given())),
    ]


def order_does_not_matter(seen: Evidence) -> list[str]:
    """The reports of a case bring the same duties, whichever came first."""
    duties: dict[UUID, set[tuple[Any, ...]]] = defaultdict(set)
    for row in seen["obligations"]:
        told = tuple(row["recipients"])
        duties[row["event_id"]].add((row["rule"], row["duty_holder"], told, row["due_on"], row["state"]))
    shapes: dict[str, set[frozenset[tuple[Any, ...]]]] = defaultdict(set)
    for row in seen["submissions"]:
        shapes[row["case_key"]].add(frozenset(duties[row["event_id"]]))
    return _some("cases whose reports bring different duties", (case for case, each in shapes.items() if len(each) > 1))


def replay_gives_the_same(seen: Evidence) -> list[str]:
    """What deadlines and intake hold is what the messages in the log say, read again from the first."""
    state: dict[UUID, tuple[str, str | None]] = {}
    for row in seen["case_entries"]:
        if row["type"] in OPENS:
            state[UUID(row["obligation_id"])] = ("open", row["due_on"])
        elif row["type"] in CLOSES:
            _, due_on = state.get(UUID(row["obligation_id"]), ("", None))
            state[UUID(row["obligation_id"])] = (CLOSES[row["type"]], due_on)
    held = {row["duty_id"]: (row["state"], str(row["due_on"])) for row in seen["duties"] if row["kind"] == "obligation"}
    decided = {event for row in seen["case_entries"] if row["type"] == "case.decided.v1" for event in row["decides"]}
    return [
        *_missing("duties that are not as the log says", state.items(), held.items()),
        *_missing("duties of which the log says nothing", held, state),
        *_missing("events shown as decided of which the log says nothing", _decided(seen), decided),
    ]


def nobody_elses(seen: Evidence) -> list[str]:
    """Another client is answered about a receipt what it is answered about one that there is not, and is shown none."""
    return [
        *_some("receipts that another client is shown", (one for one in seen.strange if one["listed"])),
        *_some(
            "receipts whose existence another client is told", (o for o in seen.strange if o["answer"] != o["nothing"])
        ),
    ]


def personal_data_kept(seen: Evidence) -> list[str]:
    """What is personal was read under a grant that gives it, and stands in no message, log, metric or webhook."""
    posted = [one for one in seen.given if one["posted"]]
    unread = posted and not any(one["personal"] for one in posted)
    return [
        *(["nobody could read what is personal, so that nothing is shown by its absence"] if unread else []),
        *_some("places that tell what is personal", seen.written),
        *_some("tables of messages that tell what is personal", seen["said_aloud"]),
    ]


def reads_logged(seen: Evidence) -> list[str]:
    """Each read of a notice's content is in the log of reads once, with who read which fields when and why."""
    read = Counter((one["notice_id"], one["recipient"], one["purpose"], *one["fields"]) for one in seen.given)
    logged = Counter(
        (row["notice_id"], row["recipient"], row["purpose"], *row["fields"]) for row in seen["reads"] if row["read_at"]
    )
    return [
        *_some("contents that a recipient was not given", (one for one in seen.given if one["status"] != OK)),
        *_some("reads that are not in the log of reads", (read - logged).elements()),
        *_some("logged reads that nobody did", (logged - read).elements()),
    ]


def never_repeated(seen: Evidence) -> list[str]:
    """No webhook came again: asked only after a fault that gives none a reason to."""
    again = (entry["webhook_id"] for entry in seen.journal if entry["outcome"] == "repeat")
    return _some("webhooks that came again without a reason", again)


INVARIANTS: Final[Sequence[Callable[[Evidence], list[str]]]] = (
    nothing_lost,
    effects_once,
    one_timer_each,
    never_early_never_late,
    log_verifies,
    log_is_what_was_said,
    cases_in_order,
    poison_isolated,
    refused_not_dropped,
    right_basis,
    order_does_not_matter,
    replay_gives_the_same,
    nobody_elses,
    personal_data_kept,
    reads_logged,
)


def _end_of_day(day: date) -> datetime:
    """Return the midnight in England at which a day is over."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo("Europe/London"))


def _decided(seen: Evidence) -> set[UUID]:
    return {row["event_id"] for row in seen["submissions"] if row["decided_at"]}


def _tells(page: Row) -> bool:
    return page["status"] == "decided" and {told["recipient"] for told in page["told"]} == TOLD


def _missing(what: str, wanted: Iterable[Any], found: Iterable[Any]) -> list[str]:
    return _some(what, set(wanted) - set(found))


def _repeated(things: Iterable[Any]) -> list[Any]:
    return [thing for thing, times in Counter(things).items() if times > 1]


def _some(what: str, things: Iterable[Any]) -> list[str]:
    """Return one problem that counts the things and names a few, or none."""
    found = [str(dict(thing)) if hasattr(thing, "keys") else str(thing) for thing in things]
    return [f"{len(found)} {what}: {', '.join(sorted(found)[:_NAMED])}"] if found else []
