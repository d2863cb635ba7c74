"""Facts and conditions as people read them: labels of the vocabulary and names of the register instead of ids."""

from __future__ import annotations

from datetime import date
from typing import Final

from schemas.vocabulary import Value, Vocabulary
from schemas.words import date_words
from services.routing.domain import reasons
from services.routing.domain.facts import AUTHORITY, REPORTER
from services.routing.domain.register import Register
from services.routing.domain.rulebook.classes import ValueClass
from services.routing.domain.rulebook.model import (
    AREAS_THAT_DIFFER,
    DUTY_HOLDER,
    Applies,
    AreaHolder,
    Combined,
    Compared,
    Condition,
    Holder,
    InFact,
    Meets,
    Named,
    Recipients,
    Recorded,
    ReporterHolder,
    SameArea,
    TheReporter,
    Within,
)

_OPERATORS = {"is not": "not ", "is not one of": "not ", "is at most": "at most ", "is at least": "at least "}
_GROUPS: Final = {
    "la": "the local authority",
    "lscp": "the safeguarding children partnership",
    "police": "each police force",
    "icb": "each integrated care board",
    "sab": "the safeguarding adults board",
    "csp": "the community safety partnership",
    "cdr": "the child death review partners",
    "safeguarding-partners": "each safeguarding partner",
}


class Words:
    """Words for what a rule says and a decision rests on. Pure."""

    def __init__(self, vocabulary: Vocabulary, register: Register) -> None:
        self._vocabulary = vocabulary
        self._register = register

    def label(self, fact: str) -> str:
        """Return what a fact is, such as "the country of the incident"."""
        return self._vocabulary[fact].label

    def field(self, name: str) -> str:
        """Return the label of a field of a disclosure profile, and of a personal one that it is personal."""
        personal = self._vocabulary.personal.get(name)
        return f"{personal.label} (personal)" if personal else self._vocabulary[name].label

    def value(self, fact: str, value: Value) -> str:
        """Return a fact's value: an area by its name, a day in words, a choice without its underscores."""
        spec = self._vocabulary[fact]
        if isinstance(value, date):
            return date_words(value)
        if isinstance(value, int):
            return str(value)
        if spec.kind == "area":
            return self.area(value)
        if spec.kind == "body":
            return self.body(value)
        return spec.said_as.get(value, value.replace("_", " "))

    def succession(self, ended: str) -> str:
        """Return since when which body stands in the place of another."""
        known = self._register.bodies.get(ended)
        until = f" on {date_words(known.until)}" if known and known.until else ""
        heir = self._register.successors.get(ended)
        return f"{self.body(ended)} ended{until}" + (f", and {self.body(heir)} stands in its place" if heir else "")

    def area(self, code: str) -> str:
        """Return an area's name."""
        area = self._register.areas.get(code)
        return area.name if area else code

    def alike(self, fact: str, values: ValueClass) -> str:
        """Return all values that stand together: "known or suspected", "18 to 150", "before Friday 15 December 2023"."""
        if values.values:
            return " or ".join(self.value(fact, each) for each in values.values)
        first, last = (None if each is None else self.value(fact, each) for each in (values.first, values.last))
        if isinstance(values.value, date):
            span = [f"from {first}" if first else "", f"until {last}" if last else ""]
            return " ".join(filter(None, span)) or "any day"
        if first is None:
            return self.value(fact, values.value)
        return first if first == last else f"{first} to {last}"

    def body(self, identifier: str) -> str:
        """Return a body's name; of supposed facts, the reporter has none."""
        return "the reporter" if identifier == REPORTER else self._register.name(identifier)

    def stated(self, fact: str, value: Value) -> str:
        """Return a fact with its value, such as "the country of the incident: England"."""
        return f"{self.label(fact)}: {self.value(fact, value)}"

    def found(self, found: reasons.Found) -> str:
        """Return what is known of a fact: "the country of the incident: England"; of one authority's, with its name; all that is said."""
        of = f" ({self.body(found.owner)})" if found.owner and found.owner.startswith(AUTHORITY) else ""
        said = [found.value] if found.value is not None else [each.value for each in found.statements]
        values = dict.fromkeys(self.value(found.fact, each) for each in said if each is not None)
        doubt = [found.doubt] if found.value is None else []
        return f"{self.label(found.fact)}{of}: {', '.join(filter(None, (' or '.join(values), *doubt)))}"

    def asked(self, condition: Condition) -> str:
        """Return a condition as one line of several, such as "the country of the incident: not England" or "any of"."""
        match condition:
            case Compared() | SameArea() | Recorded():
                return f"{self.label(condition.fact)}: {self.needed(condition)}"
            case Combined():
                return condition.how
            case _:
                return self.needed(condition)

    def needed(self, condition: Condition) -> str:
        """Return what a condition asks of its fact, such as "not England"; of any other all that it asks, in one line."""
        match condition:
            case Compared():
                values = " or ".join(self.value(condition.fact, each) for each in condition.values)
                return f"{_OPERATORS.get(condition.operator, '')}{values}"
            case SameArea():
                other = "the duty holder's area" if condition.other == DUTY_HOLDER else self.label(condition.other)
                return f"{'not ' if condition.negated else ''}the same as {other}"
            case Recorded():
                return "recorded"
            case Meets():
                return condition.says
            case Applies():
                return f"rule {condition.rule} applies"
            case Combined():
                return self._joined(condition)

    def _joined(self, combined: Combined) -> str:
        parts = combined.parts
        if combined.how == "all of":  # that a fact is recorded goes without saying where its value is said
            compared = {part.fact for part in parts if isinstance(part, Compared)}
            parts = tuple(part for part in parts if not (isinstance(part, Recorded) and part.fact in compared))
        said = [f"({self._joined(part)})" if isinstance(part, Combined) else self.asked(part) for part in parts]
        joined = (" and " if combined.how == "all of" else " or ").join(said)
        return f"none of: {joined}" if combined.how == "none of" else joined

    def recipients(self, tell: Recipients) -> str:
        """Return whom a duty names, such as "each safeguarding partner of the duty holder's area"."""
        if isinstance(tell, Named):
            return self.body(tell.body)
        if isinstance(tell, TheReporter):
            return "whoever reported"
        if isinstance(tell, InFact):
            return self.label(tell.fact)
        return f"{_GROUPS[tell.group]} of {self._area(tell.area)}"

    def holder(self, holder: Holder) -> str:
        """Return whose duty it is, such as "the local authority of the authority area of the incident"."""
        match holder:
            case AreaHolder():
                return f"{_GROUPS[holder.group]} of {', else of '.join(map(self._area, holder.facts))}"
            case ReporterHolder():
                return "whoever reports"
            case InFact():
                return self.label(holder.fact)
            case _:
                whose = f"the duty holder of {' or '.join(holder.rules)}"
                return f"{_GROUPS[holder.group]} of the area of {whose}" if holder.group else whose

    def period(self, within: Within) -> str:
        """Return a period: "within 5 working days of the later of A and B". The one place where a period gets its words."""
        several = "the latest known of " if within.as_known else "the later of " * (len(within.clock) > 1)
        clock = f"{several}{' and '.join(self.label(fact) for fact in within.clock)}"
        length = within.length
        match length.counted:
            case "after":
                period = f"within {length.in_words} of {clock}"
            case "before":
                period = f"no later than {length.in_words} before {clock}"
            case _:
                period = f"within {length} {clock}"
        return f"{period}, until {within.until.in_words} have gone by" if within.until else period

    def anew(self, fact: str) -> str:
        """Return from when a duty counts that stands again after a death: see `Within.anew_from`."""
        return f"where it was called off before the child died, from {self.label(fact)} if that is later"

    def _area(self, area: str) -> str:
        if area == DUTY_HOLDER:
            return "the duty holder's area"
        return area if area == AREAS_THAT_DIFFER else self.label(area)
