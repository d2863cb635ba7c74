"""Judge a played story from outside: the stubs' journals, the public APIs and the log's proofs, nothing else.

Each check compares two whole sets, so that anything more is as wrong as anything less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from handrail.demo.expected import Expected, Overdue, Told
from handrail.demo.player import Played
from handrail.installation.installation import AUDITOR, Installation
from handrail.installation.web import Web
from handrail.verify import verify_log
from schemas.topics import SERVICES

_AUTHORITY: Final = "la"


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


class Judge:
    """Looks at one installation after a story was played on it."""

    def __init__(self, installation: Installation, played: Played) -> None:
        self._installation = installation
        self._references = {key: reference for (_, reference), key in played.cases.items()}
        self._routing = installation.web("routing", AUDITOR)
        self._decided = {
            reference: self._routing.get(f"/v1/cases/{key}/decisions") for (_, reference), key in played.cases.items()
        }

    def judge(self, expected: Expected) -> list[Finding]:
        """Return one finding a check, in a fixed order."""
        references = {reference for _, reference in expected.cases}
        journal = list(self._journal())
        return [
            compare("each recipient got exactly its notices", _keys(expected.told), Counter(_noticed(journal))),
            compare("each duty has its date and state", expected.told + expected.never_told, self._owed(references)),
            compare(
                "every kind of recipient was told", Counter(expected.kinds), Counter({_kind(e) for e, _ in journal})
            ),
            compare("every signature was verified", Counter(), Counter(e for e, body in journal if not body)),
            compare("exactly these duties are overdue", expected.overdue, self._overdue()),
            compare("what cannot be read is in quarantine", Counter(expected.quarantined), self._quarantined()),
            compare("the log proves itself", Counter([expected.log]), Counter([self._log()])),
        ]

    def _journal(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (recipient, body) of every notice that a stub took; the body is empty if its signature was not good."""
        stubs = Web(self._installation.url("stubs"))
        for recipient in stubs.get("/recipients")["recipients"]:
            name = recipient["recipient"]
            for entry in stubs.get(f"/recipients/{quote(name, safe='')}/journal")["entries"]:
                if not entry["verified"]:
                    yield name, {}
                elif entry["outcome"] == "taken" and entry["body"]["type"] == "notice.v1":
                    yield name, {**entry["body"], "case": self._reference(entry["body"]["case_key"])}

    def _reference(self, case_key: str) -> str:
        return self._references.get(case_key, f"unknown case {case_key}")

    def _owed(self, references: set[str]) -> Counter[Told]:
        found: Counter[Told] = Counter()
        for reference in references:
            for duty in self._decided[reference]["obligations"]:
                by = "" if duty["state"] in ("withdrawn", "superseded") else duty["due_on"] or ""
                found.update(
                    Told(reference, notice["recipient"], duty["rule"], by, duty["state"]) for notice in duty["notices"]
                )
        return found

    def _overdue(self) -> Counter[Overdue]:
        duties = self._installation.web("deadlines").get("/v1/obligations?state=open&limit=500")["obligations"]
        return Counter(
            Overdue(self._reference(duty["case_key"]), duty["rule"], duty["due_on"])
            for duty in duties
            if duty["breached"] and duty["kind"] == "obligation"
        )

    def _quarantined(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for service in SERVICES:
            count = len(self._installation.web(service).get("/v1/quarantine")["items"])
            if count:
                found[service] = count
        return found

    def _log(self) -> str:
        report = verify_log(
            self._installation.url("audit"),
            self._installation.web("audit", AUDITOR).token,
            (self._installation.keys / "log.pub").read_bytes(),
        )
        return "verifies" if report.ok else f"does not verify: {'; '.join(report.problems[:3])}"


def compare(check: str, expected: Counter[Any], found: Counter[Any]) -> Finding:
    """Compare two multisets; what is missing and what is too much is shown as text, sorted."""
    return Finding(
        check,
        missing=tuple(sorted(_words(item) for item in (expected - found).elements())),
        surplus=tuple(sorted(_words(item) for item in (found - expected).elements())),
    )


def _keys(told: Counter[Told]) -> Counter[tuple[str, str, str]]:
    return Counter((item.case, item.who, item.under) for item in told.elements())


def _noticed(journal: list[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, str, str]]:
    return ((body["case"], recipient, body["rule"]) for recipient, body in journal if body)


def _kind(recipient: str) -> str:
    kind = recipient.split(":", 1)[0]
    return "authority" if kind == _AUTHORITY else kind


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
