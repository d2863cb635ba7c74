"""Reads the text of a rulebook file into a `Rulebook`, or refuses it with the file, the line and what to do.

Everything that a rule mentions has to exist: facts and values in the vocabulary, bodies in the register, other rules,
definitions, disclosure profiles and stop phrases in the file itself. Pure: the text is passed in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Final, cast, get_args

from schemas.calendar import Counted, Length, Unit
from schemas.vocabulary import Vocabulary, nearest
from services.routing.domain.happenings import STOPPING_EVENTS
from services.routing.domain.register import Register
from services.routing.domain.rulebook import conditions, tree
from services.routing.domain.rulebook.conditions import Words
from services.routing.domain.rulebook.editions import read_editions
from services.routing.domain.rulebook.model import (
    AREAS_THAT_DIFFER,
    Defaults,
    Done,
    Duty,
    Meets,
    Overlay,
    Profile,
    Rule,
    Rulebook,
    SameArea,
    Serving,
    Source,
    Stop,
    Strength,
    Within,
    walk,
)
from services.routing.domain.rulebook.overlay import NEVER, check_bound, open_overlay, shortened
from services.routing.domain.rulebook.read_examples import read_examples
from services.routing.domain.rulebook.tree import Node, Text

_TOP: Final = ("rulebook", "title", "version", "owner", "facts", "defaults", "editions", "stops", "rules", "disclosure")
_RULE: Final = ("id", "title", "source", "duty on", "duty", "in force", "judged on", "when")
_CONSEQUENCES: Final = ("then", "excludes", "reaches")
_DUTY: Final = ("tell", "send", "release", "stops when")
_RECORDED: Final = " is recorded"
_UNITS: Final = get_args(Unit)
_CLOCKS: Final = ("from", "from the later of", "from the latest known of", "beginning with", "before")
_GIVEN: Final = (
    "in full",
    "in full under a grant to a named participant",
    "as month",
    "as age band",
    "as recipient pseudonym",
)
FACTS_FILE: Final = "schemas/vocabulary/facts.yaml"


def parse_rulebook(
    text: str, file: str, vocabulary: Vocabulary, register: Register, overlays: Sequence[Text] = ()
) -> Rulebook:
    """Return the rulebook that a file's text describes, with its local overlays. Its examples are read, not run.

    Raises:
        RulebookRefused: With file, line and what to do, at the first thing that is wrong.
    """
    root = tree.read(text, file).fields(_TOP, ("definitions", "examples"))
    root["facts"].one_of((FACTS_FILE,))
    rule_nodes = root["rules"].items()
    book = (root["rulebook"].text(), root["version"].text())
    national = _rule_ids(rule_nodes)
    opened = [open_overlay(each, book, national, register) for each in overlays]
    words = Words(vocabulary, register, national)
    for name, node in root["definitions"].entries().items() if "definitions" in root else ():
        entry = node.fields(("says", "when"))
        words.definitions[name] = Meets(name, entry["says"].text(), conditions.condition(entry["when"], words))
    profiles = {name: _profile(name, node, vocabulary) for name, node in root["disclosure"].entries().items()}
    stops = {phrase: _stop(phrase, node, words) for phrase, node in root["stops"].entries().items()}
    rules = tuple(_rule(node, words, profiles, stops) for node in rule_nodes)
    # What is local may name what is national, and not the other way round.
    local = replace(words, rules=_rule_ids([*rule_nodes, *(node for each in opened for node in each.rules)]))
    for each in opened:
        rules = shortened(rules, each, words, {node: _sooner(node, words) for node in each.sooner})
    for each in opened:
        rules += tuple(_local(node, each.overlay, _rule(node, local, profiles, stops)) for node in each.rules)
    return Rulebook(
        id=root["rulebook"].text(),
        title=root["title"].text(),
        version=root["version"].text(),
        owner=root["owner"].text(),
        sha256=hashlib.sha256(tree.whole((Text(file, text), *overlays)).encode()).hexdigest(),
        file=file,
        defaults=_defaults(root["defaults"], words),
        editions=read_editions(root["editions"], national),
        rules=_by_chapter(rules),
        profiles=profiles,
        examples=read_examples(root["examples"], words) if "examples" in root else (),
        overlays=tuple(
            replace(each.overlay, examples=read_examples(each.examples, local)) if each.examples else each.overlay
            for each in opened
        ),
    )


def _rule_ids(nodes: list[Node]) -> tuple[str, ...]:
    found: list[str] = []
    for node in nodes:
        entry = node.entries()
        identifier = entry["id"].text() if "id" in entry else ""
        if not identifier or identifier in found:
            raise node.refuse(f"every rule needs an `id:` of its own, found `{identifier or 'none'}`")
        found.append(identifier)
    return tuple(found)


def _stop(phrase: str, node: Node, words: Words) -> Stop:
    end, _, fact = node.text().partition(" in ")
    if end == "the end of the period":
        return Stop(phrase, (), at_the_end=words.fact(fact, node, "date").name if fact else None)
    either = node.text().split(" or ")
    named = [each.partition(" since ") for each in either if _RECORDED not in each]
    events = tuple(event for event, _, _ in named)
    if any(" is " in each for each in events):
        return Stop(phrase, (), holds=conditions.all_inline(node, words))
    since = {fact for _, _, fact in named}
    if len(since) > 1:
        raise node.refuse(f"expected the same `since FACT` after every event, or after none, found `{node.text()}`")
    recorded = tuple(_done(each, node, words) for each in either if _RECORDED in each)
    for event in events:
        if event not in STOPPING_EVENTS:
            close = nearest(event, STOPPING_EVENTS)
            hint = f", did you mean `{close}`?" if close else ""
            raise node.refuse(f"`{event}` stops nothing{hint}; known are: {', '.join(STOPPING_EVENTS)}")
    begins = next(iter(since), "")
    return Stop(phrase, events, recorded, since=words.fact(begins, node, "date").name if begins else None)


def _done(text: str, node: Node, words: Words) -> Done:
    recorded, _, unless = text.partition(" unless ")
    said, found, since = recorded.partition(" since ")
    if not said.endswith(_RECORDED):
        raise node.refuse(
            f"expected `FACT is recorded`, perhaps with `since FACT` or `unless FACT is VALUE`, found `{text}`"
        )
    return Done(
        words.fact(said.removesuffix(_RECORDED), node, "date").name,
        conditions.inline(node, words, unless) if unless else None,
        words.fact(since, node, "date").name if found else None,
    )


def _rule(node: Node, words: Words, profiles: Mapping[str, Profile], stops: Mapping[str, Stop]) -> Rule:
    entry = node.fields(_RULE, ("cancelled when", "explains", *_CONSEQUENCES))
    consequence = _the_one(node, entry, _CONSEQUENCES)
    in_force = entry["in force"].fields(("from",), ("until",))
    begins, ends = in_force["from"].day(), in_force["until"].day() if "until" in in_force else None
    if ends is not None and ends < begins:
        raise in_force["until"].refuse(f"expected {begins} or a later day, found {ends}: it would never be in force")
    when = conditions.condition(entry["when"], words)
    listed = entry[consequence].items()
    then = tuple(_duty(each, words, profiles, stops) for each in listed if consequence == "then")
    national = [body.id for body in words.register.bodies.values() if not body.areas]
    differs = any(isinstance(part, SameArea) and part.negated for part in walk(when))
    if not differs and any(isinstance(duty.tell, Serving) and duty.tell.area == AREAS_THAT_DIFFER for duty in then):
        raise entry[consequence].refuse(
            "`the areas that differ` needs a condition `is not the same as` in the rule's `when`"
        )
    return Rule(
        id=entry["id"].text(),
        title=entry["title"].text(),
        source=_source(entry["source"]),
        holder=conditions.holder(entry["duty on"], words),
        strength=_strength(entry["duty"]),
        in_force_from=begins,
        in_force_until=ends,
        judged_on=_clock(entry["judged on"], words),
        when=when,
        then=then,
        cancelled_when=conditions.inline(entry["cancelled when"], words) if "cancelled when" in entry else None,
        line=node.line,
        file=node.file,
        excludes=tuple(each.one_of(words.rules) for each in listed if consequence == "excludes"),
        explains=tuple(each.one_of(words.rules) for each in entry["explains"].items()) if "explains" in entry else (),
        reaches=tuple(each.one_of(national) for each in listed if consequence == "reaches"),
    )


def _local(node: Node, overlay: Overlay, rule: Rule) -> Rule:
    check_bound(rule, overlay.areas, node.entries()["when"])
    if rule.excludes:
        raise node.entries()["excludes"].refuse(NEVER)
    return replace(rule, layer=overlay.name)


def _by_chapter(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return the rules with the local ones of a chapter, the word before the hyphen, after its national ones."""
    chapters = [rule.id.partition("-")[0] for rule in rules]
    return tuple(rule for _, rule in sorted(zip(map(chapters.index, chapters), rules, strict=True), key=itemgetter(0)))


def _sooner(node: Node, words: Words) -> Within:
    return _within(node.fields(("rule", "tell", "within"))["within"], words, back=False)


def _source(node: Node) -> Source:
    entry = node.fields(("cite", "href", "quote", "verified"))
    verified = entry["verified"].text()
    if not entry["href"].text().startswith("https://"):
        raise entry["href"].refuse("expected a link that starts with https://")
    return Source(
        cite=entry["cite"].text(),
        href=entry["href"].text(),
        quote=entry["quote"].text(),
        verified="" if verified == "false" else verified,
    )


def _duty(node: Node, words: Words, profiles: Mapping[str, Profile], stops: Mapping[str, Stop]) -> Duty:
    entry = node.fields(_DUTY, ("if", "within", "no later than"))
    if ("within" in entry) == ("no later than" in entry):
        raise node.refuse("expected either `within:` a period or `no later than:` one that is counted back from a date")
    release = entry["release"]
    return Duty(
        tell=conditions.recipients(entry["tell"], words),
        profile=entry["send"].one_of(profiles),
        within=_within(
            entry["within"] if "within" in entry else entry["no later than"], words, back="within" not in entry
        ),
        release=() if release.text() == "at once" else conditions.all_inline(release, words),
        stop=stops[entry["stops when"].one_of(stops)],
        only_if=conditions.inline(entry["if"], words) if "if" in entry else None,
    )


def _within(node: Node, words: Words, *, back: bool) -> Within:
    entry = node.fields(("strength", "cite"), (*_UNITS, *_CLOCKS, "warn from", "until", "or anew from"))
    unit = _the_one(node, entry, _UNITS)
    key = _the_one(node, entry, ("before",) if back else _CLOCKS[:-1])
    facts = entry[key].items() if key in {"from the later of", "from the latest known of"} else [entry[key]]
    counted: Counted = "before" if back else "beginning with" if key == "beginning with" else "after"
    return Within(
        length=Length(entry[unit].number(), cast("Unit", unit), counted),
        clock=tuple(_clock(fact, words) for fact in facts),
        as_known=key == "from the latest known of",
        warn_from=_clock(entry["warn from"], words) if "warn from" in entry else None,
        strength=_strength(entry["strength"]),
        cite=entry["cite"].text(),
        until=_until(entry["until"]) if "until" in entry else None,
        anew_from=_clock(entry["or anew from"], words) if "or anew from" in entry else None,
    )


def _until(node: Node) -> Length:
    entry = node.fields((), _UNITS)
    unit = _the_one(node, entry, _UNITS)
    return Length(entry[unit].number(), cast("Unit", unit))


def _the_one(node: Node, entry: Mapping[str, Node], keys: tuple[str, ...]) -> str:
    found = [key for key in keys if key in entry]
    if len(found) != 1:
        expected = " or ".join(f"`{key}:`" for key in keys)
        raise node.refuse(f"expected {'one of ' if len(keys) > 1 else ''}{expected}, found {len(found) or 'none'}")
    return found[0]


def _defaults(node: Node, words: Words) -> Defaults:
    entry = node.fields(("if undetermined", "if a clock fact is missing"))
    undetermined = entry["if undetermined"].fields(("ask", "within", "then"))
    undetermined["ask"].one_of(("the duty holder",))
    undetermined["then"].one_of(("alert on the desk",))
    within = undetermined["within"].fields(("working days", "from"))
    within["from"].one_of(("recorded_at",))
    missing = entry["if a clock fact is missing"].fields(("count from",))
    return Defaults(within["working days"].number(), _clock(missing["count from"], words))


def _profile(name: str, node: Node, vocabulary: Vocabulary) -> Profile:
    entry = node.fields(("purpose", "lawful basis", "delivery", "give"))
    give = entry["give"].entries()
    fields = {*vocabulary, *vocabulary.personal}
    for key, how in give.items():
        if key not in fields:
            close = nearest(key, fields)
            raise how.refuse(
                f"`{key}` is neither a fact nor a personal field" + (f", did you mean `{close}`?" if close else "")
            )
    return Profile(
        name=name,
        purpose=entry["purpose"].text(),
        lawful_basis=tuple(tree.scalars(entry["lawful basis"])),
        delivery=entry["delivery"].one_of(("pointer",)),
        give={key: how.one_of(_GIVEN) for key, how in give.items()},
    )


def _strength(node: Node) -> Strength:
    return cast("Strength", node.one_of(get_args(Strength)))


def _clock(node: Node, words: Words) -> str:
    return words.fact(node.text(), node, "date").name
