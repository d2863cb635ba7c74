"""Local overlays: what the partners of an area have agreed on top of the national rules.

An overlay adds rules, each bound to its areas by a condition, and can shorten a limit of a national rule there. It has no
word for taking a duty away or changing one; what would do so is refused when it is read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.routing.domain.register import Register
from services.routing.domain.rulebook import conditions, tree
from services.routing.domain.rulebook.conditions import Words
from services.routing.domain.rulebook.model import Combined, Compared, Condition, Duty, Overlay, Rule, Within, numbers
from services.routing.domain.rulebook.tree import Node, Text

EVERY_AREA: Final = "every area"
_TOP: Final = ("overlay", "title", "adds to", "owner", "areas")
_TAKES_AWAY: Final = frozenset({"removes", "remove", "replaces", "replace", "overrides", "without", "except"})
NEVER: Final = "an overlay may add a rule or shorten a limit, never remove or change a national duty"


@dataclass(frozen=True, slots=True)
class Opened:
    """An overlay whose rules are not read yet: they may apply one another, so the ids of all of them come first."""

    overlay: Overlay
    rules: Sequence[Node]
    sooner: Sequence[Node]
    examples: Node | None


def open_overlay(text: Text, book: tuple[str, str], national: Collection[str], register: Register) -> Opened:
    """Return an overlay whose rules and limits are still to be read.

    Args:
        text: The file.
        book: Id and version of the national rulebook. An overlay adds to a version and, until it is itself changed, to
            those after it.
        national: Ids of its rules.
        register: Knows the areas.

    Raises:
        RulebookRefused: With file, line and what to do.
    """
    root = tree.read(text.text, text.file)
    for key, node in root.entries().items():
        if key in _TAKES_AWAY:
            raise node.refuse(NEVER)
    entry = root.fields(_TOP, ("rules", "sooner", "examples"))
    identifier, _, version = entry["adds to"].text().partition(" ")
    if identifier != book[0] or numbers(version) > numbers(book[1]) or not numbers(version):
        raise entry["adds to"].refuse(f"expected `{' '.join(book)}` or an earlier version of it")
    areas = _areas(entry["areas"], register)
    rules, sooner = (entry[key].items() if key in entry else [] for key in ("rules", "sooner"))
    for rule in rules:
        named = rule.entries().get("id")
        if named is not None and named.text() in national:
            raise named.refuse(f"`{named.text()}` is a national rule; {NEVER}: give it an id of its own")
    if sooner and not areas:
        raise entry["sooner"].refuse(f"a limit that is shorter in {EVERY_AREA} is a national rule's own")
    overlay = Overlay(entry["overlay"].text(), entry["title"].text(), entry["owner"].text(), areas, text.file)
    return Opened(overlay, rules, sooner, entry.get("examples"))


def check_bound(rule: Rule, areas: Collection[str], node: Node) -> None:
    """See that a rule counts in its overlay's areas only.

    Raises:
        RulebookRefused: It might count elsewhere.
    """
    if areas and not any(_binds(part, areas) for part in _all_of(rule.when)):
        area = next(iter(areas))
        raise node.refuse(
            f"a local rule counts in its areas only: begin `when` with `all of` and `incident.area is: {area}`"
        )


def shortened(rules: Sequence[Rule], opened: Opened, words: Words, within: Mapping[Node, Within]) -> tuple[Rule, ...]:
    """Return the rules with the limits that an overlay shortens in its areas.

    Args:
        rules: Those of the national rulebook.
        opened: The overlay.
        words: What its words may refer to.
        within: The periods of `opened.sooner`, read.

    Raises:
        RulebookRefused: There is no such duty, or the limit would not be shorter.
    """
    found = {rule.id: rule for rule in rules}
    for node, period in within.items():
        entry = node.fields(("rule", "tell", "within"))
        rule = found[entry["rule"].one_of(found)]
        tell = conditions.recipients(entry["tell"], words)
        place = next((place for place, duty in enumerate(rule.then) if duty.tell == tell), None)
        if place is None:
            raise entry["tell"].refuse(f"{rule.id} tells nobody in these words")
        duty = _shortened(rule.then[place], period, opened.overlay.areas, entry["within"])
        found[rule.id] = replace(rule, then=(*rule.then[:place], duty, *rule.then[place + 1 :]))
    return tuple(found.values())


def _areas(node: Node, register: Register) -> tuple[str, ...]:
    if node.is_text:
        node.one_of((EVERY_AREA,))
        return ()
    return tuple(each.one_of(register.areas) for each in node.items())


def _all_of(condition: Condition) -> tuple[Condition, ...]:
    return condition.parts if isinstance(condition, Combined) and condition.how == "all of" else (condition,)


def _binds(condition: Condition, areas: Collection[str]) -> bool:
    return (
        isinstance(condition, Compared)
        and condition.operator in {"is", "is one of"}
        and {*condition.values} <= {*areas}
    )


def _shortened(duty: Duty, period: Within, areas: Sequence[str], node: Node) -> Duty:
    national = duty.within
    alike = replace(period, length=national.length, strength=national.strength, cite=national.cite) == national
    shorter = replace(period.length, amount=national.length.amount) == national.length
    if not alike or not shorter or period.length.amount >= national.length.amount:
        unit = f"{national.length.unit}, counted as there"
        raise node.refuse(f"{NEVER}: expected fewer than {national.length.amount} {unit}")
    if taken := sorted({*areas} & {*duty.sooner}):
        raise node.refuse(f"another overlay has a limit of its own for {', '.join(taken)}")
    return replace(duty, sooner={**duty.sooner, **dict.fromkeys(areas, period)})
