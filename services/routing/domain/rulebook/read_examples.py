"""Reads the `examples:` of a rulebook, or a scenario file of the same form, into `Example` values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from schemas.vocabulary import Value
from services.routing.domain.rulebook import tree
from services.routing.domain.rulebook.conditions import Words
from services.routing.domain.rulebook.model import Example, Tells, TellsNot
from services.routing.domain.rulebook.tree import Node

CASE: Final = ""  # owner of facts that are not one authority's
Stated = dict[tuple[str, str], Value]
"""Values by (owner, fact)."""
_GIVEN: Final = ("facts", "facts as in", "and", "decided on")
STATES: Final = ("to send", "owed, awaiting a decision")


def read_examples(node: Node, words: Words) -> tuple[Example, ...]:
    """Return the examples of a list, in order; each may take over the facts of an earlier one.

    Raises:
        RulebookRefused: With file and line: unknown fact, value, rule, recipient or state.
    """
    found: dict[str, Example] = {}
    for entry in node.items():
        example = _example(entry, words, found)
        if example.name in found:
            raise entry.refuse(f"two examples are called `{example.name}`")
        found[example.name] = example
    return tuple(found.values())


def _example(node: Node, words: Words, earlier: Mapping[str, Example]) -> Example:
    entry = node.fields(("name",), (*_GIVEN, "tells", "asks", "cannot decide", "does not tell"))
    facts: Stated = {}
    if ("facts" in entry) == ("facts as in" in entry) or ("and" in entry and "facts" in entry):
        raise node.refuse("expected either `facts:`, or `facts as in:` an earlier example with `and:` what differs")
    if "facts as in" in entry:
        facts |= earlier[entry["facts as in"].one_of(earlier)].facts
    for key in ("facts", "and"):
        if key in entry:
            facts |= read_stated(entry[key], words)
    return Example(
        name=entry["name"].text(),
        facts=facts,
        tells=tuple(_tells(each, words) for each in _listed(entry, "tells")),
        asks=tuple(each.text() for each in _listed(entry, "asks")),
        cannot_decide=tuple(words.rule(each.text(), each) for each in _listed(entry, "cannot decide")),
        tells_not=tuple(_tells_not(each) for each in _listed(entry, "does not tell")),
        line=node.line,
        decided_on=entry["decided on"].day() if "decided on" in entry else None,
    )


def _listed(entry: Mapping[str, Node], key: str) -> list[Node]:
    if key not in entry or (entry[key].is_text and entry[key].text() == "none"):
        return []
    return entry[key].items()


def read_stated(node: Node, words: Words) -> Stated:
    """Return the facts of a situation; those of an authority stand under `of` and its code.

    Raises:
        RulebookRefused: Unknown fact, value or area, or a fact of an authority in the wrong place.
    """
    found: Stated = {}
    for key, value in node.entries().items():
        if key.startswith("of "):
            code = key.removeprefix("of ")
            if code not in words.register.areas:
                raise value.refuse(f"`{code}` is no area of the register")
            for name, stated in value.entries().items():
                spec = words.fact(name, stated)
                if spec.scope != "authority":
                    raise stated.refuse(f"`{name}` is not one per authority: give it outside of `{key}`")
                found[f"la:{code}", name] = words.value(spec, stated)
        else:
            spec = words.fact(key, value)
            if spec.scope == "authority":
                raise value.refuse(f"`{key}` is one per authority: give it under `of` and the authority's code")
            found[CASE, key] = words.value(spec, value)
    return found


def _tells(node: Node, words: Words) -> Tells:
    entry = node.fields(("who", "under", "state"), ("by", "edition"))
    state = entry["state"].text()
    if state not in STATES and not state.startswith(("withdrawn, ", "met, ")):
        raise entry["state"].refuse(
            f"expected {', '.join(STATES)}, `withdrawn, REASON` or `met, REASON`, found `{state}`"
        )
    return Tells(
        who=entry["who"].text(),
        under=words.rule(entry["under"].text(), entry["under"]),
        by=entry["by"].day() if "by" in entry else None,
        state=state,
        line=node.line,
        edition=entry["edition"].text() if "edition" in entry else "",
    )


def _tells_not(node: Node) -> TellsNot:
    entry = node.fields(("who", "because"))
    return TellsNot(entry["who"].text(), entry["because"].text(), node.line)


def read_scenarios(text: str, file: str, words: Words) -> tuple[Example, ...]:
    """Return the scenarios of a file of its own, which has the one key `scenarios`.

    Raises:
        RulebookRefused: As `read_examples`.
    """
    return read_examples(tree.read(text, file).fields(("scenarios",))["scenarios"], words)
