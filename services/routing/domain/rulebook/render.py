"""Writes a rulebook as a page that a person reads: each rule with its source, conditions, dates, examples and history.

The page is Markdown, made from the values that were read and checked, in the words of the vocabulary and the register, so
it can say nothing that the rulebook does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from schemas.vocabulary import Vocabulary
from schemas.words import STRENGTH_WORDS, date_words
from services.routing.domain.register import Register
from services.routing.domain.rulebook.conditions import bodies
from services.routing.domain.rulebook.editions import counts_words
from services.routing.domain.rulebook.model import Combined, Duty, Meets, Profile, Rule, Rulebook, Tells, outline
from services.routing.domain.words import Words

_PARTS: Final = {
    "title": "title",
    "source": "source",
    "holder": "whose duty",
    "strength": "how strong",
    "in_force_from": "in force",
    "in_force_until": "in force",
    "judged_on": "judged on",
    "when": "when",
    "then": "then",
    "cancelled_when": "cancelled when",
    "layer": "layer",
    "excludes": "then",
    "reaches": "then",
    "explains": "then",
}
UNCHECKED: Final = "**Not yet checked against the full text.**"


def render(book: Rulebook, earlier: Sequence[Rulebook], vocabulary: Vocabulary, register: Register) -> str:
    """Return a rulebook as a Markdown page.

    Args:
        book: The rulebook.
        earlier: The versions before it, the oldest first: each rule says what became of it.
        vocabulary: Gives facts their words.
        register: Gives areas and bodies their names.
    """
    return "\n".join(_Page(book, earlier, vocabulary, register).lines()) + "\n"


class _Page:
    """One page; yields its lines."""

    def __init__(self, book: Rulebook, earlier: Sequence[Rulebook], vocabulary: Vocabulary, register: Register) -> None:
        self._book = book
        self._versions = (*earlier, book)
        self._vocabulary = vocabulary
        self._register = register
        self._words = Words(vocabulary, register)

    def lines(self) -> Iterator[str]:
        book = self._book
        approved = f"approved by {' and '.join(book.approved_by)}" if book.approved_by else "not approved"
        unchecked = sum(not rule.source.verified for rule in book.rules)
        yield f"# {book.title}"
        yield ""
        yield f"Version {book.version}, {approved}. Owner: {book.owner}. Made from `{book.file}`, sha256 `{book.sha256}`."
        yield f"{len(book.rules)} rules, of which {unchecked} are not yet checked against the full text."
        yield from self._editions()
        for rule in book.rules:
            yield from ("", f"## {rule.id} {rule.title}", "")
            yield from self._rule(rule)
        yield from ("", "## What each recipient may see", "", "Anything not listed is not sent.")
        for profile in book.profiles.values():
            yield from self._profile(profile)

    def _editions(self) -> Iterator[str]:
        yield from (
            "",
            "## Editions of the law",
            "",
            "A rule comes under the edition that counts on the day it is judged on.",
        )
        yield from ("", "| edition | counts | what changes | source |", "|---|---|---|---|")
        for each in self._book.editions:
            until = f" until {_day(each.ends)}" if each.ends else ""
            over = f" (over the others, for {', '.join(each.relaxes)})" if each.relaxes else ""
            unknown = f". Not known: {each.not_known}" if each.not_known else ""
            checked = f"Checked: {each.verified}." if each.verified else UNCHECKED
            yield f"| {each.id} | from {_day(each.begins)}{until}{over} | {each.says}{unknown} | [{each.cite}]({each.href}). {checked} |"

    def _rule(self, rule: Rule) -> Iterator[str]:
        source, defaults = rule.source, self._book.defaults
        checked = f"Checked: {source.verified}." if source.verified else UNCHECKED
        until = f" until {_day(rule.in_force_until)}" if rule.in_force_until else ""
        days = (
            "1 working day"
            if defaults.ask_within_working_days == 1
            else f"{defaults.ask_within_working_days} working days"
        )
        yield from ("| | |", "|---|---|")
        if rule.layer:
            yield f"| Layer | local: {rule.layer} |"
        yield f"| Whose duty | {self._words.holder(rule.holder)} |"
        yield f"| How strong | **{STRENGTH_WORDS[rule.strength]}** |"
        yield f'| Source | [{source.cite}]({source.href}): "{source.quote}". {checked} |'
        yield f"| In force | from {_day(rule.in_force_from)}{until}, judged on {self._words.label(rule.judged_on)} |"
        yield f"| Editions of the law | {counts_words(self._book.editions, rule.id, rule.in_force_from, rule.in_force_until)} |"
        if rule.cancelled_when is not None:
            yield f"| Cancelled | when {self._words.asked(rule.cancelled_when)} |"
        yield f"| If we cannot tell | ask the duty holder within {days}; then a person on the desk |"
        yield from ("", "When", "")
        for depth, condition in outline(rule.when):
            ends = ":" if isinstance(condition, Combined | Meets) else ""
            yield f"{'  ' * depth}- {self._words.asked(condition)}{ends}"
        yield from ("", "Then", "")
        for duty in rule.then:
            yield from self._duty(duty)
        for body in rule.reaches:
            yield f"- **{self._words.body(body)}** hears of it through another system; nothing is sent"
        for excluded in rule.excludes:
            yield f"- **{excluded}** does not apply, and this says why"
        for late in rule.explains:
            yield f"- where **{late}** is late, this gives the reasons"
        yield from self._examples(rule)
        yield from ("", "History", "")
        yield from self._history(rule)

    def _duty(self, duty: Duty) -> Iterator[str]:
        within = duty.within
        only_if = f"if {self._words.asked(duty.only_if)}: " if duty.only_if else ""
        yield f"- {only_if}tell **{self._words.recipients(duty.tell)}** {self._words.period(within)}"
        if within.warn_from:
            yield f"  - warn as if the period ran from {self._words.label(within.warn_from)}"
        if within.anew_from:
            yield f"  - {self._words.anew(within.anew_from)}"
        yield f"  - the period is **{STRENGTH_WORDS[within.strength]}**: {within.cite}"
        for area, sooner in duty.sooner.items():
            yield f"  - in {self._words.area(area)} {self._words.period(sooner)}: {sooner.cite}"
        if duty.release:
            release = " and ".join(map(self._words.asked, duty.release))
            yield f"  - sent when {release}; until then owed, awaiting a decision"
        else:
            yield "  - sent at once"
        yield f"  - the clock stops when {duty.stop.phrase}"
        yield f"  - they may see [{duty.profile}](#{duty.profile})"

    def _examples(self, rule: Rule) -> Iterator[str]:
        shown = []
        for example in self._book.examples:
            shown += [f"- {example.name} → {self._told(tells)}" for tells in example.tells if tells.under == rule.id]
            if rule.id in example.cannot_decide:
                shown.append(f"- {example.name} → cannot be decided yet; asked for: {', '.join(example.asks)}")
        if shown:
            yield from ("", "Examples", "", *shown)

    def _told(self, tells: Tells) -> str:
        names = [self._words.body(body) for body in bodies(tells.who, self._register) or (tells.who,)]
        due = f", due **{date_words(tells.by)}**" if tells.by else ""
        return f"{'; '.join(names)}: {tells.state}{due}"

    def _history(self, rule: Rule) -> Iterator[str]:
        before: Rule | None = None
        for version in self._versions:
            now = next((each for each in version.rules if each.id == rule.id), None)
            if now is None:
                if before is not None:
                    yield f"- {version.version}: not in it"
            elif before is None:
                yield f"- {version.version}: new"
            elif changed := changed_parts(before, now):
                yield f"- {version.version}: changed: {', '.join(changed)}"
            else:
                yield f"- {version.version}: unchanged"
            before = now

    def _profile(self, profile: Profile) -> Iterator[str]:
        yield from (
            "",
            f"### {profile.name}",
            "",
            f"For: {profile.purpose}. Lawful basis: {'; '.join(profile.lawful_basis)}.",
        )
        yield from ("", "| what | how much |", "|---|---|")
        for name, how in profile.give.items():
            yield f"| {self._words.field(name)} | {how} |"


def changed_parts(before: Rule, now: Rule) -> tuple[str, ...]:
    """Return which parts of a rule differ, in the order of the file; where in the file it stands is none."""
    then = replace(before, line=now.line)
    return tuple(dict.fromkeys(words for part, words in _PARTS.items() if getattr(then, part) != getattr(now, part)))


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
