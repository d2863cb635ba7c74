"""Judge a played story from outside: the stubs' journals, the public APIs and the log's proofs, nothing else.

`observe` reads everything once; `judge` compares it with the expectations. Each check compares two whole multisets, so
that anything more is as wrong as anything less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from handrail.demo.expected import Expected, Overdue, Told
from handrail.demo.figures import NO_FIGURES, Figures, counted, how
from handrail.demo.player import ON_THE_WAY, Played, duties, raised, wait
from handrail.installation.running import AUDITOR, Running
from handrail.installation.web import Web
from handrail.verify import verify_log
from schemas.topics import SERVICES

Notice = tuple[str, str, str]
"""Case reference, recipient, rule."""
Dated = tuple[str, str, str, str]
"""The same, and the due date that the recipient was given last."""

_CLOSED: Final = frozenset({"withdrawn", "superseded"})


@dataclass(frozen=True, slots=True)
class Observed:
    """What can be seen from outside once a story was played; cases by the reference of their reporter.

    `figures`: the number of each figure of the story, in their order.
    """

    notices: Counter[Notice]
    dates: Counter[Dated]
    unverified: Counter[str]
    owed: Counter[Told]
    overdue: Counter[Overdue]
    late: Counter[Overdue]
    quarantined: Counter[str]
    log: str
    figures: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was there before the story was played, and is not its own: keys of cases, and what was in quarantine."""

    cases: frozenset[str] = frozenset()
    quarantined: Counter[str] = field(default_factory=Counter)

    def and_then(self, played: Played, observed: Observed) -> Earlier:
        """Return what was there before the next story."""
        return Earlier(self.cases | {*played.cases.values()}, self.quarantined + observed.quarantined)


NOTHING_EARLIER: Final = Earlier()


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was compared, and what was missing or too much (both empty when it holds)."""

    check: str
    missing: tuple[str, ...]
    surplus: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """True if nothing is missing and nothing is too much."""
        return not self.missing and not self.surplus


def judge(observed: Observed, expected: Expected) -> list[Finding]:
    """Return one finding a check, in a fixed order."""
    told = Counter((item.case, item.who, item.under) for item in expected.told.elements())
    dated = Counter((item.case, item.who, item.under, item.by) for item in expected.told.elements() if item.by)
    kinds = Counter({_kind(recipient) for _, recipient, _ in observed.notices})
    return [
        compare("each recipient got exactly its notices", told, observed.notices),
        compare("each recipient knows the date that counts", dated, observed.dates),
        compare("each duty has its date and state", expected.told + expected.never_told, observed.owed),
        compare(
            "every kind of recipient was told", kinds if expected.kinds is None else Counter(expected.kinds), kinds
        ),
        compare("every signature was verified", Counter(), observed.unverified),
        compare("exactly these duties are overdue", expected.overdue, observed.overdue),
        compare("exactly these duties were met late", expected.late, observed.late),
        compare("what cannot be read is in quarantine", Counter(expected.quarantined), observed.quarantined),
        compare("the log proves itself", Counter([expected.log]), Counter([observed.log])),
        compare("the figures are these", *_numbers(expected.figures, observed.figures)),
    ]


def compare(check: str, expected: Counter[Any], found: Counter[Any]) -> Finding:
    """Compare two multisets; what is missing and what is too much is shown as text, sorted."""
    return Finding(check, missing=_shown(expected - found), surplus=_shown(found - expected))


def _numbers(figures: Figures, found: Sequence[int]) -> tuple[Counter[str], Counter[str]]:
    return (
        Counter(f"{figure.says}: {figure.number}" for figure in figures.are),
        Counter(f"{figure.says}: {number}" for figure, number in zip(figures.are, found, strict=True)),
    )


def observe(
    running: Running, played: Played, figures: Figures = NO_FIGURES, earlier: Earlier = NOTHING_EARLIER
) -> Observed:
    """Read the journals, the APIs and the log of an installation on which a story was played.

    Args:
        running: The installation.
        played: What the player knows of the story.
        figures: What is counted as well.
        earlier: What is left out, because it was there before.

    Raises:
        CallFailed: A service refused or did not answer.
        StoryStuck: A notice is not delivered, an event does not come to stand in the log, or the deadlines do not come to know
            what routing decided.
    """
    names = {key: reference for (_, reference), key in played.cases.items()}
    owed = _delivered(running, names)
    entries = [entry for entry in _journal(Web(running.url("stubs"))) if _case_of(entry) not in earlier.cases]
    standing, withdrawn = told(entries)
    of = {body["notice_id"]: _notice(body, names) for body in standing}
    dated = _dated(running, owed, earlier)
    in_quarantine = Counter({service: _quarantined(running, service) for service in SERVICES})
    await_log(running.web("audit", AUDITOR), played)
    log = _log(running)
    return Observed(
        notices=Counter(of.values()),
        dates=Counter(
            (*of[body["notice_id"]], body["due_on"] or "") for body in standing if body["notice_id"] not in withdrawn
        ),
        unverified=Counter(entry["recipient"] for entry in entries if not entry["verified"]),
        owed=Counter(each for duty in owed for each in _told(duty, names)),
        overdue=Counter(_standing("overdue", filter(raised, dated), names)),  # what was raised with a person
        late=Counter(_standing("met late", dated, names)),
        quarantined=in_quarantine - earlier.quarantined,
        log=log,
        figures=tuple(counted(running, figures, dated, names)),
    )


def _case_of(entry: dict[str, Any]) -> str | None:
    body = entry["body"]
    return body.get("case_key") if isinstance(body, dict) else None


def told(entries: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], set[str]]:
    """Return the notices that recipients took, without those that a later one corrects, and the ids of the withdrawn."""
    taken = [entry["body"] for entry in entries if entry["outcome"] == "taken"]
    notices = [body for body in taken if body["type"] == "notice.v1"]
    corrected = {body["corrects"]["notice_id"] for body in notices if body["corrects"]}
    withdrawn = {body["notice_id"] for body in taken if body["type"] == "notice.withdrawn.v1"}
    return [body for body in notices if body["notice_id"] not in corrected], withdrawn


def _notice(body: dict[str, Any], names: dict[str, str]) -> Notice:
    return names.get(body["case_key"], "unknown case"), body["recipient"], body["rule"]


def _journal(stubs: Web) -> Iterator[dict[str, Any]]:
    for mailbox in stubs.get("/recipients")["recipients"]:
        yield from stubs.get(f"/recipients/{quote(mailbox['recipient'], safe='')}/journal")["entries"]


def _delivered(running: Running, names: dict[str, str]) -> list[dict[str, Any]]:
    """Return the obligations of the story's cases, once every notice that may go out has gone."""
    owed: list[dict[str, Any]] = []

    def gone() -> bool:
        owed[:] = _owed(running, names)
        return not any(notice["state"] in ON_THE_WAY for duty in owed for notice in duty["notices"])

    wait(gone, "the delivery of what was decided")
    return owed


def _owed(running: Running, names: dict[str, str]) -> list[dict[str, Any]]:
    """Return each obligation of the story's cases once, as routing has it."""
    routing, seen, owed = running.web("routing", AUDITOR), set[str](), dict[str, dict[str, Any]]()
    for key in names:
        if key not in seen:
            case = routing.get(f"/v1/cases/{key}/decisions")
            seen |= {key, *case["linked"]}
            owed |= {duty["obligation_id"]: duty for duty in case["obligations"]}
    return list(owed.values())


def _told(duty: dict[str, Any], names: dict[str, str]) -> Iterator[Told]:
    """Yield the recipients of an obligation, under the reference of the case that it was opened in."""
    by = "" if duty["state"] in _CLOSED else duty["due_on"] or ""
    corrected = {notice["corrects"] for notice in duty["notices"]}
    for notice in duty["notices"]:
        if notice["notice_id"] not in corrected:
            yield Told(names[duty["case_key"]], notice["recipient"], duty["rule"], by, duty["state"])


def _dated(running: Running, owed: Sequence[dict[str, Any]], earlier: Earlier) -> list[dict[str, Any]]:
    """Return the obligations as the deadlines have them, once these know the state in which each stands at routing."""
    deadlines, found = running.web("deadlines"), dict[str, dict[str, Any]]()

    def in_step() -> bool:
        found.clear()
        found.update(
            {duty["obligation_id"]: duty for duty in duties(deadlines) if duty["case_key"] not in earlier.cases}
        )
        return all(found.get(duty["obligation_id"], {}).get("state") == duty["state"] for duty in owed)

    wait(in_step, "the deadlines of what was decided")
    return list(found.values())


def _standing(wanted: str, dated: Iterable[dict[str, Any]], names: dict[str, str]) -> Iterator[Overdue]:
    for duty in dated:
        if how(duty) == wanted:
            yield Overdue(names.get(duty["case_key"], "unknown case"), duty["rule"], duty["due_on"])


def _quarantined(running: Running, service: str) -> int:
    total: int = running.web(service).get("/v1/quarantine")["total"]
    return total


def await_log(audit: Web, played: Played) -> None:
    """Wait until every event of the story can be found in the log: one that its proofs hold without may still be on its way.

    Raises:
        StoryStuck: One was not found in time.
    """
    reported = {receipt["event_id"] for receipt in played.receipts.values()}

    def found() -> bool:
        return reported <= {
            entry["record"]["id"]
            for case_key in set(played.cases.values())
            for page in audit.pages(f"/v1/entries?case={case_key}&limit=200", follows="next_after")
            for entry in page["entries"]
            if entry["record"]
        }

    wait(found, "the events of the story in the log")


def _log(running: Running) -> str:
    token = running.web("audit", AUDITOR).token
    report = verify_log(running.url("audit"), token, Path(running.log_public_key).read_bytes())
    return "verifies" if report.ok else f"does not verify: {'; '.join(report.problems[:3])}"


def _kind(recipient: str) -> str:
    kind = recipient.split(":", 1)[0]
    return "authority" if kind == "la" else kind


def _shown(items: Counter[Any]) -> tuple[str, ...]:
    return tuple(sorted(_words(item) for item in items.elements()))


def _words(item: object) -> str:
    match item:
        case Told(case=case, who=who, under=under, by=by, state=state):
            return f"{case}: {who} under {under}{f' by {by}' if by else ''}, {state}"
        case Overdue(case=case, under=under, due=due):
            return f"{case}: {under}, due {due}"
        case tuple():
            return " · ".join(map(str, item))
        case _:
            return str(item)
