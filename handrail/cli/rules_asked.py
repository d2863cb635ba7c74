"""What the commands of `handrail rules` do: read files, or ask the routing that runs, hand over to the domain, print."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from datetime import date, datetime, time
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.markup import escape

from handrail.cli import rules_shown, rules_simulated
from handrail.cli.status import find_running
from schemas.calendar.london import LONDON, london_date
from schemas.vocabulary import Value
from services.kit.clock import SystemClock
from services.routing.checking import Played, check, play, scenario_files
from services.routing.domain.asking import ranked
from services.routing.domain.comparing import compare
from services.routing.domain.decide import Decision, Question
from services.routing.domain.rulebook.read_examples import CASE
from services.routing.domain.rulebook.render import render
from services.routing.domain.rulebook.suppose import read_facts
from services.routing.explaining import explanation
from services.routing.law import FOLDER, Law, read_law, text_of, versions
from services.routing.migrating import MigratedView
from services.routing.releasing import release
from services.routing.verifying import verify
from services.routing.views import ExplanationView

_CASE: Final = re.compile(r"[0-9a-f]{32}")


def check_all(console: Console, path: Path | None) -> int:
    """Check a folder of rulebooks or one rulebook; return the exit code."""
    found = check(path or _folder())
    rules_shown.report(console, found)
    return 1 if found.problems else 0


def run_scenarios(console: Console, path: Path, rulebook: str | None) -> int:
    """Run the scenarios of a file or a folder; return the exit code."""
    law = _law(rulebook)
    played: list[Played] = []
    for file in scenario_files(path):
        for each in play(file, law):
            rules_shown.scenario(console, each)
            played.append(each)
    failed = sum(not each.holds for each in played)
    console.print(f"{len(played)} scenarios on rulebook {law.book.book.version}: {failed or 'none'} failed")
    return 1 if failed else 0


def explain(
    console: Console, of: str, *, on: str | None, as_json: bool, rulebook: str | None, data: Path | None
) -> None:
    """Print why a decision is, or would be, as it is."""
    day = _day(on) if on else None
    if _CASE.fullmatch(of) and not Path(of).exists():
        if rulebook:
            raise typer.BadParameter(
                "a case is explained by the version that decides it: leave --rulebook out, or try the draft with `rules simulate`"
            )
        found = _of_case(of, day, data)
    else:
        found = _of_facts(Path(of), day, rulebook)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        rules_shown.explanation(console, found)


def ask(console: Console, file: Path, rulebook: str | None) -> None:
    """Print the open questions about supposed facts, best first."""
    law = _law(rulebook)
    stated = read_facts(text_of(file), str(file), law.vocabulary, law.register)
    decision = law.suppose(stated)

    def retry(question: Question, value: Value) -> Decision:
        return law.suppose({**stated, (question.owner or CASE, question.fact): value})

    rules_shown.questions(console, ranked(decision, retry), decision.words)


def render_pages(out: Path | None, rulebook: str | None) -> None:
    """Print the page of one rulebook, or write those of all versions."""
    laws = [read_law(file.stem, _folder()) for file in versions(_folder())]
    chosen = _law(rulebook)
    known = [law.book.book for law in laws]
    if chosen.rulebook.sha256 not in {book.sha256 for book in known}:
        known.append(chosen.book.book)
    pages = {
        book.version: (book, render(book, known[:place], chosen.vocabulary, chosen.register))
        for place, book in enumerate(known)
    }
    if out is None:
        typer.echo(pages[chosen.rulebook.version][1], nl=False)
        return
    out.mkdir(parents=True, exist_ok=True)
    for book, page in pages.values():
        file = out / f"{book.id}-{book.version}.md"
        file.write_text(page, "utf-8")
        typer.echo(f"wrote {file}")


def compare_rulebooks(console: Console, old: str, new: str, most: int, only: Collection[str]) -> None:
    """Print every pattern of facts whose outcome changes."""
    before, after = _law(old), _law(new)
    unknown = sorted(set(only) - {*before.book.rules, *after.book.rules})
    if unknown:
        raise typer.BadParameter(f"neither rulebook has a rule {' or '.join(unknown)}")
    found = compare(before.book, after.book, after.register, most, only)
    console.print(f"From {before.rulebook.version} to {after.rulebook.version}")
    rules_shown.comparison(console, found)


def simulate_rulebook(console: Console, new: str, since: str, *, as_json: bool, data: Path | None) -> None:
    """Print what a rulebook would change in the cases of the installation that runs."""
    found = rules_simulated.simulate(_law(new), _day(since), data)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        rules_simulated.show(console, found)


def release_version(console: Console, version: str, author: str, approver: str) -> None:
    """Release a version and say what follows."""
    found = release(version, author, approver, SystemClock().wall_now(), _folder())
    console.print(
        f"{escape(found.version)} is released: written by {escape(found.author)}, approved by {escape(found.approved_by)}"
    )
    console.print(f"sha256 {found.sha256}, {len(found.files)} files; the record is {escape(found.file)}")
    if found.supersedes:
        before = escape(found.supersedes[0])
        console.print(f"It supersedes {before}: cases that were decided by that keep it until they are migrated.")


def migrate_case(console: Console, case: str, to: str, reason: str, data: Path | None) -> None:
    """Move a case to another version of the rulebook and print what became of each duty."""
    if not _CASE.fullmatch(case):
        raise typer.BadParameter(f"`{case}` is not the key of a case (32 digits and letters a-f)")
    answer = find_running(data).web("routing").post(f"/v1/cases/{case}/rulebook", {"to": to, "reason": reason})
    rules_shown.migrated(console, MigratedView.model_validate(answer))


def verify_rule(console: Console, rule: str, by: str) -> None:
    """Record that a person verified a rule."""
    file = verify(rule, by, london_date(SystemClock().wall_now()), _folder())
    console.print(f"That {escape(rule)} was verified stands in {escape(str(file))}")


def _of_case(case_key: str, day: date | None, data: Path | None) -> ExplanationView:
    path = f"/v1/cases/{case_key}/explanation"
    if day is not None:
        path += f"?as_of={datetime.combine(day, time.max, LONDON).isoformat().replace('+', '%2B')}"
    return ExplanationView.model_validate(find_running(data).web("routing").get(path))


def _of_facts(file: Path, day: date | None, rulebook: str | None) -> ExplanationView:
    if not file.is_file():
        raise typer.BadParameter(
            f"`{file}` is neither a file of facts nor the key of a case (32 digits and letters a-f)"
        )
    law = _law(rulebook)
    stated = read_facts(text_of(file), str(file), law.vocabulary, law.register)
    return explanation(law.suppose(stated, day), law.rulebook)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"expected a date as YYYY-MM-DD, found `{text}`") from error


def _law(rulebook: str | None) -> Law:
    """Return the law with the rulebook that was named: a file if there is one, else a version."""
    return read_law(Path(rulebook) if rulebook and Path(rulebook).is_file() else rulebook, _folder())


def _folder() -> Path:
    """Return the folder of rulebooks: `HANDRAIL_RULEBOOKS`, or the one that is shipped."""
    return Path(os.environ.get("HANDRAIL_RULEBOOKS") or FOLDER)
