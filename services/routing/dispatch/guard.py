"""The independent check before each send: does the law name this recipient, and does nothing exceed the profile?

The recipient must exist on the day, be of the kind that the rule names and, unless it is a national body, serve an area that the
rule means in this case; the reporter must have made the report, and a body that a fact names must be named there. Written apart from
the engine on purpose: it reads the rulebook's text with nothing but a YAML parser, and shares no code with the compiler that
decided. An error in one of them is caught by the other. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import yaml

from services.routing.dispatch.areas import Areas, Matter, area_facts, area_in, body_fact

_GROUPS: Final[Mapping[str, frozenset[str]]] = {
    "la": frozenset({"la"}),
    "lscp": frozenset({"lscp"}),
    "police": frozenset({"police"}),
    "icb": frozenset({"icb", "ccg"}),  # what a clinical commissioning group did until July 2022
    "sab": frozenset({"sab"}),
    "csp": frozenset({"csp"}),
    "cdr": frozenset({"cdr"}),
    "safeguarding-partners": frozenset({"la", "police", "icb", "ccg"}),
}
"""Word before `-of(area)` in a rule, and the kinds of recipient id (the part before the colon) that it may mean."""
_TELL: Final = re.compile(
    r"^(?:each of )?(?:(?P<group>[a-z-]+)-of\(.+\)|(?P<named>[a-z]+)|(?P<case>the reporter|the body in .+))$"
)
GONE: Final = "the recipient does not exist on this day"
_THE_REPORTER: Final = "the reporter"
THIN_FIELDS: Final = frozenset(
    {
        "type",
        "notice_id",
        "obligation_id",
        "case_key",
        "recipient",
        "from_body",
        "rule",
        "title",
        "duty",
        "citation",
        "purpose",
        "lawful_basis",
        "due_on",
        "owed_since",
        "reply_wanted",
        "corrects",
        "content",
    }
)
"""Everything that a notice may carry besides the grant: nothing that tells of a child."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What is about to be sent, as the sender believes it to be.

    `fields` are the keys of the notice; `granted` maps each field of the content to how much of it is granted; `matter`
    is what the stored obligation is about, if there is such a one.
    """

    rulebook_sha256: str
    rule: str
    position: int
    recipient: str
    profile: str
    fields: Collection[str]
    granted: Mapping[str, str]
    matter: Matter | None


class Guard:
    """Checks claims against the texts of rulebooks that it was given, and of the register.

    `facts` are those that it needs to see: the ones by which rules name areas and bodies.
    """

    def __init__(self, texts: Iterable[str], register: str) -> None:
        self._areas = Areas(register)
        self._books: Final[dict[str, dict[str, Any]]] = {}
        self.facts: list[str] = []
        self.read(texts)

    def read(self, texts: Iterable[str]) -> None:
        """Check by the texts of further rulebooks, too; none is forgotten, because a notice may rest on it."""
        given = {hashlib.sha256(text.encode()).hexdigest(): text for text in texts}
        self._books.update({digest: _book(given[digest]) for digest in self.lacking(given)})
        self.facts = sorted({fact for book in self._books.values() for fact in area_facts(book)})

    def lacking(self, digests: Iterable[str]) -> set[str]:
        """Return the digests of rulebooks that it was not given."""
        return {*digests} - self._books.keys()

    def exists(self, recipient: str, on: date) -> bool:
        """Say whether there is such a recipient on a day."""
        return self._areas.exists(recipient, on)

    def objection(self, claim: Claim) -> str | None:
        """Return why the claim must not be sent, or None."""
        book = self._books.get(claim.rulebook_sha256)
        if book is None:
            return "the decision's rulebook is not one of ours"
        rule = next((rule for rule in book["rules"] if rule["id"] == claim.rule), None)
        if rule is None or not 0 <= claim.position < len(rule.get("then", [])):
            return "the decision's rulebook has no such duty"
        duty = rule["then"][claim.position]
        if not _names(duty["tell"], claim.recipient):
            return f"rule {claim.rule} does not name a recipient of this kind"
        if not self._serves(claim, rule, book):
            return f"rule {claim.rule} does not name a recipient of this area"
        if duty["send"] != claim.profile:
            return f"rule {claim.rule} sends another profile"
        allowed: Mapping[str, str] = book["disclosure"][claim.profile]["give"]
        return _excess(claim, allowed)

    def _serves(self, claim: Claim, rule: Mapping[str, Any], book: Mapping[str, Any]) -> bool:
        tell = rule["then"][claim.position]["tell"]
        served, area = self._areas.served_by(claim.recipient), area_in(tell)
        if served is None or claim.matter is None:
            return False
        if tell == _THE_REPORTER:
            return claim.recipient in self._areas.reporters(claim.matter)
        if (fact := body_fact(tell)) is not None:
            return claim.recipient in self._areas.bodies(fact, claim.matter)
        if area is None:
            return not served
        return not served.isdisjoint(self._areas.meant(area, rule, book, claim.matter))


def _book(text: str) -> dict[str, Any]:
    """Return a rulebook with the rules of its overlays, which are the further documents of its text."""
    national, *overlays = yaml.load_all(text, Loader=yaml.CBaseLoader)  # only text
    rules = [rule for each in (national, *overlays) for rule in each.get("rules", ())]
    return {**national, "rules": rules}


def _names(tell: str, recipient: str) -> bool:
    match = _TELL.match(tell)
    if match is None:
        return False
    kind, colon, _ = recipient.partition(":")
    if match["case"]:  # of any kind: who it is stands in the case
        return True
    if match["named"]:
        return recipient == match["named"]
    return bool(colon) and kind in _GROUPS.get(match["group"], frozenset())


def _excess(claim: Claim, allowed: Mapping[str, str]) -> str | None:
    extra = set(claim.fields) - THIN_FIELDS
    if extra:
        return "the notice has a field that no notice may have"
    if any(allowed.get(field) != amount for field, amount in claim.granted.items()):
        return f"the grant goes beyond the profile {claim.profile}"
    return None
