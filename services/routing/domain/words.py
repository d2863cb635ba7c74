"""Facts and conditions as people read them: labels of the vocabulary and names of the register instead of ids."""

from __future__ import annotations

from datetime import date

from schemas.vocabulary import Value
from schemas.words import date_words
from services.routing.domain import reasons
from services.routing.domain.facts import AUTHORITY
from services.routing.domain.register import Register
from services.routing.domain.rulebook.compile import CompiledRulebook
from services.routing.domain.rulebook.evaluate import Evaluation
from services.routing.domain.rulebook.model import DUTY_HOLDER, Applies, Compared, Condition, Meets, Recorded, SameArea

_OPERATORS = {"is not": "not ", "is not one of": "not ", "is at most": "at most ", "is at least": "at least "}


class Words:
    """Words for what a decision rests on. Pure."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._book: CompiledRulebook = evaluation.book
        self._register: Register = evaluation.register

    def label(self, fact: str) -> str:
        """Return what a fact is, such as "the country of the incident"."""
        return self._book.vocabulary[fact].label

    def value(self, fact: str, value: Value) -> str:
        """Return a fact's value: an area by its name, a day in words, a choice without its underscores."""
        spec = self._book.vocabulary[fact]
        if isinstance(value, date):
            return date_words(value)
        if isinstance(value, int):
            return str(value)
        if spec.kind == "area":
            area = self._register.areas.get(value)
            return area.name if area else value
        return spec.said_as.get(value, value.replace("_", " "))

    def body(self, identifier: str) -> str:
        """Return a body's name."""
        return self._register.name(identifier)

    def stated(self, fact: str, value: Value) -> str:
        """Return a fact with its value, such as "the country of the incident: England"."""
        return f"{self.label(fact)}: {self.value(fact, value)}"

    def found(self, found: reasons.Found) -> str:
        """Return what is known of a fact: "the country of the incident: England"; of one authority's, with its name."""
        of = f" ({self.body(found.owner)})" if found.owner and found.owner.startswith(AUTHORITY) else ""
        value = found.doubt if found.value is None else self.value(found.fact, found.value)
        return f"{self.label(found.fact)}{of}: {value}"

    def asked(self, condition: Condition) -> str:
        """Return a condition with what it is about, such as "the country of the incident: not England"."""
        match condition:
            case Compared() | SameArea() | Recorded():
                return f"{self.label(condition.fact)}: {self.needed(condition)}"
            case _:
                return self.needed(condition)

    def needed(self, condition: Condition) -> str:
        """Return what a condition asks of its fact, such as "not England"; of any other, what it asks at all."""
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
            case _:
                return reasons.says(condition)
