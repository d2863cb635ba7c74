"""Settles the conditions to which every source that differs on a fact gives the same answer. Pure.

Where sources differ a fact is absent, so a condition on it is undecided. Whether a child of 5 or of 6 is under 18 is not in dispute,
though. A condition is asked with what each source says in turn; where all answers are one, it is that. What a rule asks to be
recorded is left as it is, not recorded (see `changes.lapsed` for what was owed), and so is whether two areas are the same: who is
told depends on which they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from schemas.vocabulary import Value
from services.routing.domain.rulebook.compile import UNDECIDED, Answers, combined
from services.routing.domain.rulebook.model import Combined, Compared, Condition, Meets

Supposed = Callable[[str, Value | None], Answers]
"""Gives the answers if a fact had a value and all else stayed as it is."""


def settled(
    conditions: Iterable[Condition], answers: Answers, disputed: Mapping[str, Iterable[Value | None]], ask: Supposed
) -> Answers:
    """Return the answers of conditions and all their parts, in the order of `answers`; those are settled to which all sources give one answer.

    Args:
        conditions: In the order in which they were asked.
        answers: What was found while each disputed fact is absent.
        disputed: The values that the sources give of each fact on which they differ.
        ask: Asks the same conditions.
    """
    supposed = {fact: [ask(fact, value) for value in values] for fact, values in disputed.items()}
    found = list(answers)
    at = 0
    for condition in conditions:
        at = _settle(condition, at, found, supposed)
    return tuple(found)


def _settle(condition: Condition, at: int, found: list[int], supposed: Mapping[str, list[Answers]]) -> int:
    """Put the answers of a condition and its parts in their places, from `at` on; return the place behind them."""
    behind = at + 1
    match condition:
        case Combined(how=how, parts=parts):
            places = []
            for part in parts:
                places.append(behind)
                behind = _settle(part, behind, found, supposed)
            found[at] = combined(how, (found[place] for place in places))
        case Meets(when=when):
            behind = _settle(when, behind, found, supposed)
            found[at] = found[at + 1]
        case Compared(fact=fact) if fact in supposed:
            each = {answers[at] for answers in supposed[fact]}
            found[at] = each.pop() if len(each) == 1 else UNDECIDED
        case _:
            pass
    return behind
