"""`handrail rules simulate`: reads what was recorded from the installation that runs, and decides it here under a draft."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from handrail.cli.status import find_running
from handrail.installation.web import Web
from schemas.words import date_words
from services.routing.domain.facts import INCIDENT
from services.routing.law import Law
from services.routing.recorded import RecordedCases
from services.routing.simulating import CaseEffectView, DutyEffectView, SimulationView, effect, summed


def simulate(law: Law, since: date, data: Path | None) -> SimulationView:
    """Return what a law would change in the cases of the running installation; the bar is for whoever watches."""
    routing = find_running(data).web("routing")
    effects: list[CaseEffectView] = []
    as_of = None
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with progress if progress.console.is_terminal else nullcontext():
        task = progress.add_task("Deciding cases", total=None)
        for page in _pages(routing, since):
            as_of = page.as_of
            progress.update(task, total=page.total)
            for case in page.cases:
                effects.append(effect(case, law, page.as_of))
                progress.advance(task)
    return summed(law, since, as_of, effects)


def _pages(routing: Web, since: date) -> Iterator[RecordedCases]:
    return map(RecordedCases.model_validate, routing.pages(f"/v1/recorded-cases?since={since.isoformat()}"))


def show(console: Console, found: SimulationView) -> None:
    """Print what would change, case by case, and how much that is."""
    book = found.rulebook
    approved = "" if book.approved else ", not approved"
    console.print(
        f"Rulebook {book.version}{approved}, on every case in which something was recorded since "
        f"{date_words(found.since)}. Nothing is stored or sent."
    )
    for case in found.cases:
        console.print(f"\n[bold]case {' and '.join(case.case_keys)}[/bold], decided by {escape(case.rulebook)}")
        for sign, duties in (("+", case.added), ("-", case.withdrawn), ("→", case.moved), ("~", case.changed)):
            for duty in duties:
                _duty(console, sign, duty)
    console.print(
        f"\n{found.cases_read} cases read, {found.cases_changed} would change: {found.added} duties added, "
        f"{found.withdrawn} withdrawn, {found.moved} moved, {found.changed} otherwise changed"
    )


def _duty(console: Console, sign: str, duty: DutyEffectView) -> None:
    about = "" if duty.subject == INCIDENT else f" (about {duty.subject[:8]})"
    told = ", ".join(each.name for each in duty.recipients) or "nobody who is registered"
    console.print(
        f"  {sign} {duty.rule} {escape(duty.duty_holder.name)} tells {escape(told)}{escape(about)}: {_what(sign, duty)}"
    )


def _what(sign: str, duty: DutyEffectView) -> str:
    due = f"due {date_words(duty.due_on)}" if duty.due_on else "no due date yet"
    match sign:
        case "-":
            return f"withdrawn, {escape(duty.reason or '')}"
        case "→":
            before = date_words(duty.before) if duty.before else "no due date yet"
            return f"{due}, before {before}"
        case _:
            return escape(duty.reason or due)
