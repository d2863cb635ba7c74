"""How `handrail rules` prints what it found. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape

from schemas.words import STRENGTH_WORDS, date_words
from services.routing.checking import Played, Report
from services.routing.domain.asking import Ranked
from services.routing.domain.comparing import Comparison
from services.routing.domain.facts import INCIDENT
from services.routing.domain.outcomes import OPEN
from services.routing.domain.rulebook.suppose import CHILD, REPORT
from services.routing.domain.words import Words
from services.routing.migrating import MigratedView
from services.routing.views import (
    AnswerView,
    DutyView,
    ExplanationView,
    RecipientView,
    RuleView,
    StatementView,
)

_ANSWERS: Final = {
    "yes": "[green]YES[/green]",
    "no": "[red]NO[/red]",
    "undecided": "[yellow]CANNOT DECIDE YET[/yellow]",
}
_MARKS: Final = {"yes": "[green]✓[/green]", "no": "[red]✗[/red]", "undecided": "[yellow]?[/yellow]"}


def report(console: Console, found: Report) -> None:
    """Print what a check found: counts, the rules that nobody has verified, and what is wrong."""
    say(console, "vocabulary", f"{found.facts} facts, {found.personal} personal fields that no rule can use")
    say(console, "register", f"{found.areas} areas, {found.bodies} bodies")
    say(
        console,
        "provisions",
        f"{len(found.instruments)}, {sum(bool(each.verified) for each in found.instruments)} verified",
    )
    for compiled in found.books:
        book = compiled.book
        approved = f"approved by {' and '.join(book.approved_by)}" if book.approved_by else "not approved"
        say(console, "rulebook", f"{book.version}: {len(book.rules)} rules, {len(book.examples)} examples, {approved}")
        unverified = [rule.id for rule in book.rules if not rule.source.verified]
        say(console, "  verified", f"{len(book.rules) - len(unverified)}")
        say(console, "  unverified", f"{len(unverified)}: {', '.join(unverified)}" if unverified else "0")
        verified = sum(bool(each.verified) for each in book.editions)
        if compiled is found.books[-1]:
            quoted = f"{found.quoting} of {len(book.rules)} stand in a provision whose words are kept here"
            say(console, "  quotes", quoted)
        say(console, "  editions", f"{len(book.editions)} of the law, {verified} verified")
    if found.rows:
        left = [row.id for row in found.rows if not row.rules]
        encoded = f"{len(found.rows)} rows of the law, {len(found.rows) - len(left)} encoded"
        say(console, "coverage", f"{encoded}, {len(left)} not: {', '.join(left)}" if left else encoded)
    if found.played:
        files = {played.file for played in found.played}
        say(console, "scenarios", f"{len(found.played)} in {len(files)} files")
    for problem in found.problems:
        console.print(f"[red]wrong[/red] {escape(problem)}")
    console.print(f"{len(found.problems)} errors")


def scenario(console: Console, played: Played) -> None:
    """Print a scenario with what it expects and what came out."""
    verdict = "[green]ok  [/green]" if played.holds else "[red]FAIL[/red]"
    where = f"{played.file}:{played.scenario.line}"
    console.print(f"{verdict} {escape(where)} {escape(played.scenario.name)}")
    for each in played.checked:
        if each.holds:
            console.print(f"       as expected: {escape(each.got)}")
        else:
            console.print(f"       [red]line {each.line} expected[/red]: {escape(each.expected)}")
            console.print(f"       [red]line {each.line} came out[/red]: {escape(each.got)}")


def say(console: Console, what: str, text: str) -> None:
    """Print one line with its name in a column of its own."""
    console.print(f"{what:<14}{escape(text)}")


def explanation(console: Console, found: ExplanationView) -> None:
    """Print every rule and then every recipient."""
    book = found.rulebook
    of = f"case {found.case_key}, as known {found.as_of:%Y-%m-%d %H:%M}" if found.as_of else "supposed facts"
    console.print(f"Rulebook {book.version}{'' if book.approved else ', not approved'}; {of}")
    for each in found.migrations:
        by = f" by {each.by}" if each.by else ""
        moved = f"Case {each.case_key} moved from {each.from_version} to {each.to_version}"
        console.print(escape(f"{moved}, {each.migrated_at:%Y-%m-%d %H:%M}{by}: {each.reason}"))
    for conflict in found.conflicts:
        console.print(f"Sources disagree on {escape(conflict)}: only what all of them lead to is decided.")
    for rule in found.rules:
        _rule(console, rule)
    console.print("\n[bold]Who is told[/bold]")
    _recipients(console, found.told)
    console.print("\n[bold]Who is left out, and why[/bold]")
    _recipients(console, found.left_out)
    if found.unnamed:
        names = ", ".join(each.id for each in found.unnamed)
        console.print(f"  No rule names in this situation: {escape(names)}")


def _rule(console: Console, rule: RuleView) -> None:
    console.print(f"\n[bold]{rule.rule}[/bold] {_ANSWERS[rule.answer]} {escape(rule.title + _about(rule.subject))}")
    verified = "" if rule.citation.verified else " Not yet checked against the full text."
    console.print(f'  {escape(rule.citation.cite)}: "{escape(rule.citation.quote)}".{verified}')
    holder = f"Duty of {rule.duty_holder.name}" if rule.duty_holder else "Duty holder not known yet"
    console.print(f"  {escape(holder)}: {escape(STRENGTH_WORDS[rule.strength])}")
    console.print(f"  {_MARKS[rule.in_force_answer]} {escape(rule.in_force)}")
    for edition in rule.editions:
        checked = "" if edition.verified else ", not yet checked against the full text"
        console.print(f"  edition of the law: {escape(edition.id)}{checked}; {escape(edition.cite)}")
    for condition in rule.conditions:
        known = "; ".join(f"{each.fact} is {each.in_words}{_by(each.statements)}" for each in condition.found)
        console.print(
            f"  {'  ' * condition.depth}{_MARKS[condition.answer]} {escape(condition.says)}"
            f"{escape(f'   [{known}]' if known else '')}"
        )
    for duty in rule.duties:
        _duty(console, duty)
    for question in rule.questions:
        console.print(f"  Ask {escape(question.name)}: {escape(question.ask)} ({escape(question.fact)})")


def _by(statements: Iterable[StatementView]) -> str:
    said = [
        f"{each.name}, recorded {each.recorded_at:%Y-%m-%d %H:%M}" if each.recorded_at else each.name
        for each in statements
    ]
    return f", said by {' and '.join(said)}" if said else ""


def _duty(console: Console, duty: DutyView) -> None:
    names = ", ".join(each.name for each in duty.recipients) or duty.tell
    console.print(f"  → tell {escape(names)}: {escape(duty.state)}")
    due = (
        f"due {date_words(duty.due_on)}"
        if duty.due_on
        else "no due date while it is not open or its clock is not known"
    )
    warn = f"; warn on {date_words(duty.warn_on)}" if duty.warn_on and duty.warn_on != duty.due_on else ""
    provisional = "; provisional, beyond the verified calendar" if duty.provisional else ""
    console.print(f"    {due}{warn}{provisional}")
    console.print(f"    {escape(duty.period)}: {escape(STRENGTH_WORDS[duty.strength])}, {escape(duty.period_cite)}")
    console.print(f"    sent {escape(_when(duty.release))}; ends when {escape(duty.stops_when)}")
    for area in duty.unserved_areas:
        console.print(f"    [red]nobody in the register serves {escape(area)}: a person must tell them[/red]")


def _when(release: str) -> str:
    return release if release == "at once" else f"when {release}"


def _recipients(console: Console, recipients: Iterable[RecipientView]) -> None:
    """Print recipients, those with the same reasons together."""
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for each in recipients:
        reasons = tuple(f"{answer.rule or ''} {_answer(answer)}" for answer in each.answers)
        alike.setdefault((each.state_in_words, reasons), []).append(f"{each.name} ({each.recipient})")
    for (state, reasons), names in alike.items():
        console.print(f"  [bold]{escape('; '.join(names))}[/bold]: {escape(state)}")
        for reason in reasons:
            console.print(f"    {escape(reason)}")


def _answer(answer: AnswerView) -> str:
    needed = f"; the rule needs {answer.condition}" if answer.condition else ""
    due = f"; due {date_words(answer.due_on)}" if answer.due_on else ""
    return f"{answer.says}{_by(answer.statements)}{needed}{due}{_about(answer.subject)}"


def _about(subject: str) -> str:
    """Return whom it is about, where there may be several: a child or a report of a case."""
    return "" if subject in {INCIDENT, CHILD, REPORT} else f" (about {subject})"


def migrated(console: Console, found: MigratedView) -> None:
    """Print what became of each duty of cases that were moved to another version."""
    for case, before in found.before.items():
        console.print(f"Case {case} was decided by {escape(before)} and is now by {escape(found.rulebook.version)}")
    for duty in found.duties:
        told = ", ".join(each.name for each in duty.recipients) or "nobody who is registered"
        due = f", due {date_words(duty.due_on)}" if duty.due_on else ""
        why = f": {duty.reason}" if duty.reason else ""
        console.print(escape(f"  {duty.became:<10} {duty.rule} {duty.duty_holder.name} tells {told}{due}{why}"))


def questions(console: Console, found: Sequence[Ranked], words: Words) -> None:
    """Print questions in their order, with what each answer settles."""
    if not found:
        console.print("Nothing is open: every duty is decided and has its date.")
        return
    console.print(f"{found[0].open_duties} duties cannot be decided yet; {len(found)} questions are open, best first")
    for place, each in enumerate(found, 1):
        question, of_whom = each.question, " or ".join(map(words.body, each.of_whom))
        console.print(f"{place}. {escape(of_whom)}: {escape(question.ask)} ({escape(question.in_words)})")
        settles = f"settles {each.mean:.1f} on average, {each.worst} at worst, {each.best} at best"
        console.print(f"   {settles}; wanted by {', '.join(each.rules)}")
        for tried in each.tried:
            console.print(f"     {tried.settles} if {escape(words.alike(question.fact, tried.answer))}")


def comparison(console: Console, found: Comparison) -> None:
    """Print for each rule that changed the patterns whose outcome changes."""
    for change in found.changes:
        parts = ", ".join(change.parts) or "a rule or definition that it rests on"
        console.print(f"\n[bold]{change.rule}[/bold] changed: {parts}")
        if change.sampled:
            console.print(
                f"  sampled: {change.examined} random patterns of more were tried; with 95 % confidence at most "
                f"{change.missed_at_most:.3%} of such patterns change and are not listed (--most tries more)"
            )
        else:
            console.print(f"  all {change.examined} patterns were tried; in {len(change.patterns)} the outcome changes")
        for pattern in sorted(change.patterns, key=lambda each: OPEN in each.before + each.after):
            known = "; ".join(f"{each.fact}: {' or '.join(each.values)}" for each in pattern.known)
            console.print(f"  if {escape(known or 'anything')}")
            console.print(f"    before: {escape(' | '.join(pattern.before))}")
            console.print(f"    after:  {escape(' | '.join(pattern.after))}")
    if found.profiles:
        console.print(f"\nWhat may be seen changed: {', '.join(found.profiles)}")
    if found.editions:
        console.print(f"\nEditions of the law changed: {', '.join(found.editions)}")
    if found.defaults_differ:
        console.print("\nThe defaults for missing facts changed.")
    console.print(f"\nUnchanged: {', '.join(found.unchanged) or 'none'}")
