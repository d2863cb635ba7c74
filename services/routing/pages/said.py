"""What a rulebook says, in words: a rule's duties for its page, and part by part, to lay two versions side by side.

A part is a few lines. Two versions differ in a part where its values differ, whether or not the words show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final, Literal, TypeVar

from schemas.words import STRENGTH_WORDS, date_words
from services.routing.domain.rulebook.editions import Edition
from services.routing.domain.rulebook.model import Profile, Rule, Rulebook, outline
from services.routing.domain.rulebook.render import changed_parts
from services.routing.domain.words import Words

Became = Literal["added", "removed", "changed"]
Lines = tuple[str, ...]
Said = dict[str, Lines]
"""Parts by name."""
What = TypeVar("What", Edition, Profile)
_UNCHECKED: Final = "not checked against the full text"


@dataclass(frozen=True, slots=True)
class Then:
    """One duty of a rule, in words. `besides` has the day that warns and the areas in which the period is shorter."""

    tell: str
    period: str
    besides: Lines
    strength: str
    cite: str
    sent: str
    ends: str
    purpose: str


def thens(rule: Rule, book: Rulebook, words: Words) -> Iterator[Then]:
    """Yield the duties of a rule."""
    for duty in rule.then:
        within = duty.within
        only_if = f" (if {words.asked(duty.only_if)})" if duty.only_if else ""
        warned = [f"warned as if it ran from {words.label(within.warn_from)}"] if within.warn_from else []
        anew = [words.anew(within.anew_from)] if within.anew_from else []
        sooner = (f"in {words.area(area)} {words.period(there)}" for area, there in duty.sooner.items())
        yield Then(
            tell=words.recipients(duty.tell) + only_if,
            period=words.period(within),
            besides=(*warned, *anew, *sooner),
            strength=STRENGTH_WORDS[within.strength],
            cite=within.cite,
            sent=f"when {' and '.join(map(words.asked, duty.release))}; owed until then" if duty.release else "at once",
            ends=duty.stop.phrase,
            purpose=book.profiles[duty.profile].purpose,
        )


@dataclass(frozen=True, slots=True)
class Part:
    """One part of something that differs; a side on which it does not stand has no lines."""

    name: str
    before: Lines
    after: Lines

    @property
    def alike(self) -> bool:
        """Say whether both sides say the same in words, so that what a word stands for has changed."""
        return self.before == self.after


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a rule, an edition or a profile from one version to another."""

    id: str
    title: str
    became: Became
    parts: tuple[Part, ...]


def rule_changes(old: Rulebook, new: Rulebook, words: Words) -> Iterator[Change]:
    """Yield the rules that are not the same in both, those that were in the old one first, in its order."""
    before, after = ({rule.id: rule for rule in book.rules} for book in (old, new))
    for identifier in dict.fromkeys((*before, *after)):
        was, now = before.get(identifier), after.get(identifier)
        differing = changed_parts(was, now) if was and now else None
        if differing == ():
            continue
        said = _rule(was, old, words) if was else {}, _rule(now, new, words) if now else {}
        title = next(each.title for each in (now, was) if each)
        yield Change(identifier, title, _became(was, now), _parts(*said, differing))


def edition_changes(old: Rulebook, new: Rulebook) -> Iterator[Change]:
    """Yield the editions of the law that are not the same in both."""
    before, after = ({each.id: each for each in book.editions} for book in (old, new))
    return _changes(before, after, _edition, lambda _: "")


def profile_changes(old: Rulebook, new: Rulebook, words: Words) -> Iterator[Change]:
    """Yield the disclosure profiles that are not the same in both."""
    return _changes(old.profiles, new.profiles, partial(_profile, words=words), lambda profile: profile.purpose)


def _changes(
    before: Mapping[str, What], after: Mapping[str, What], say: Callable[[What], Said], title: Callable[[What], str]
) -> Iterator[Change]:
    for identifier in dict.fromkeys((*before, *after)):
        was, now = before.get(identifier), after.get(identifier)
        if was != now:
            said = say(was) if was else {}, say(now) if now else {}
            called = next(title(each) for each in (now, was) if each)
            yield Change(identifier, called, _became(was, now), _parts(*said))


def _became(was: object, now: object) -> Became:
    return "added" if was is None else "removed" if now is None else "changed"


def _parts(
    before: Mapping[str, Lines], after: Mapping[str, Lines], differing: Iterable[str] | None = None
) -> tuple[Part, ...]:
    """Return the parts that differ, by default those whose words do."""
    names = dict.fromkeys((*before, *after))
    parts = (Part(name, before.get(name, ()), after.get(name, ())) for name in names)
    kept = None if differing is None else {*differing}
    return tuple(part for part in parts if (not part.alike if kept is None else part.name in kept))


def _rule(rule: Rule, book: Rulebook, words: Words) -> Said:
    """Return a rule part by part, under the names that `changed_parts` gives them."""
    source = rule.source
    return {
        "title": (rule.title,),
        "source": (source.cite, f"“{source.quote}”", source.href, source.verified or _UNCHECKED),
        "whose duty": (words.holder(rule.holder),),
        "how strong": (STRENGTH_WORDS[rule.strength],),
        "in force": (_span(rule.in_force_from, rule.in_force_until),),
        "judged on": (words.label(rule.judged_on),),
        "when": tuple(f"{'· ' * depth}{words.asked(condition)}" for depth, condition in outline(rule.when)),
        "then": (*_then(rule, book, words), *_without_duty(rule, words)),
        "cancelled when": (words.asked(rule.cancelled_when),) if rule.cancelled_when else (),
        "layer": (rule.layer or "national",),
    }


def _then(rule: Rule, book: Rulebook, words: Words) -> Iterator[str]:
    for duty in thens(rule, book, words):
        yield f"tell {duty.tell} {duty.period}"
        yield from (f"· {each}" for each in duty.besides)
        yield f"· the period is {duty.strength}: {duty.cite}"
        yield f"· sent {duty.sent}"
        yield f"· ends when {duty.ends}"
        yield f"· they are told for: {duty.purpose}"


def _without_duty(rule: Rule, words: Words) -> Iterator[str]:
    yield from (f"{words.body(body)} hears of it through another system; nothing is sent" for body in rule.reaches)
    yield from (f"{excluded} does not apply, and this says why" for excluded in rule.excludes)
    yield from (f"where {late} is late, this gives the reasons" for late in rule.explains)


def _edition(edition: Edition) -> Said:
    return {
        "counts": (_span(edition.begins, edition.ends), *(f"over the others, for {each}" for each in edition.relaxes)),
        "what changes": (edition.says,),
        "not known": (edition.not_known,) if edition.not_known else (),
        "source": (edition.cite, edition.href, edition.verified or _UNCHECKED),
    }


def _profile(profile: Profile, words: Words) -> Said:
    return {
        "purpose": (profile.purpose,),
        "lawful basis": profile.lawful_basis,
        "delivery": (profile.delivery,),
        "what may be seen": tuple(f"{words.field(name)}: {how}" for name, how in profile.give.items()),
    }


def _span(begins: date, ends: date | None) -> str:
    return f"from {date_words(begins)}{f' until {date_words(ends)}' if ends else ''}"
