"""Judge a played story from outside: the stubs' journals, the public APIs and the log's proofs, nothing else.

`observe` reads everything once; `judge` compares it with the expectations. Each check compares two whole multisets, so
that anything more is as wrong as anything less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from handrail.demo.expected import Expected, Overdue, Told
from handrail.demo.player import Played, breached, overdue
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
    """What can be seen from outside once a story was played; cases by the reference of their reporter."""

    notices: Counter[Notice]
    dates: Counter[Dated]
    unverified: Counter[str]
    owed: Counter[Told]
    overdue: Counter[Overdue]
    quarantined: Counter[str]
    log: str


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
    kinds = {_kind(recipient) for _, recipient, _ in observed.notices}
    return [
        compare("each recipient got exactly its notices", told, observed.notices),
        compare("each recipient knows the date that counts", dated, observed.dates),
        compare("each duty has its date and state", expected.told + expected.never_told, observed.owed),
        compare("every kind of recipient was told", Counter(expected.kinds), Counter(kinds)),
        compare("every signature was verified", Counter(), observed.unverified),
        compare("exactly these duties are overdue", expected.overdue, observed.overdue),
        compare("what cannot be read is in quarantine", Counter(expected.quarantined), observed.quarantined),
        compare("the log proves itself", Counter([expected.log]), Counter([observed.log])),
    ]


def compare(check: str, expected: Counter[Any], found: Counter[Any]) -> Finding:
    """Compare two multisets; what is missing and what is too much is shown as text, sorted."""
    return Finding(check, missing=_shown(expected - found), surplus=_shown(found - expected))


def observe(running: Running, played: Played) -> Observed:
    """Read the journals, the APIs and the log of an installation on which a story was played.

    Raises:
        CallFailed: A service refused or did not answer.
    """
    names = {key: reference for (_, reference), key in played.cases.items()}
    entries = list(_journal(Web(running.url("stubs"))))
    standing, withdrawn = told(entries)
    of = {body["notice_id"]: _notice(body, names) for body in standing}
    return Observed(
        notices=Counter(of.values()),
        dates=Counter(
            (*of[body["notice_id"]], body["due_on"] or "") for body in standing if body["notice_id"] not in withdrawn
        ),
        unverified=Counter(entry["recipient"] for entry in entries if not entry["verified"]),
        owed=Counter(_owed(running, played)),
        overdue=Counter(_overdue(running, names)),
        quarantined=Counter({service: n for service in SERVICES if (n := _quarantined(running, service))}),
        log=_log(running),
    )


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


def _owed(running: Running, played: Played) -> Iterator[Told]:
    """Yield each obligation's recipients once, under the reference of the case that the obligation was opened in."""
    routing = running.web("routing", AUDITOR)
    names = {key: reference for (_, reference), key in played.cases.items()}
    seen: set[str] = set()
    for key in names:
        for duty in routing.get(f"/v1/cases/{key}/decisions")["obligations"]:
            if duty["obligation_id"] not in seen:
                seen.add(duty["obligation_id"])
                by = "" if duty["state"] in _CLOSED else duty["due_on"] or ""
                corrected = {notice["corrects"] for notice in duty["notices"]}
                for notice in duty["notices"]:
                    if notice["notice_id"] not in corrected:
                        yield Told(names[duty["case_key"]], notice["recipient"], duty["rule"], by, duty["state"])


def _overdue(running: Running, names: dict[str, str]) -> Iterator[Overdue]:
    deadlines = running.web("deadlines")
    raised = breached(deadlines)
    for duty in overdue(deadlines):
        if duty["kind"] == "obligation" and duty["obligation_id"] in raised:
            yield Overdue(names.get(duty["case_key"], "unknown case"), duty["rule"], duty["due_on"])


def _quarantined(running: Running, service: str) -> int:
    return len(running.web(service).get("/v1/quarantine"))


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
