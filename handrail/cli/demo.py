"""`handrail demo`: a story of invented cases, live; with `--check`, played without a person and judged from outside."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from handrail.cli.status import demo_folder, find_running
from handrail.cli.up import FirstPort, stay, stop_on_sigterm
from handrail.demo.areas import Script, areas, load_area
from handrail.demo.expected import load_expected
from handrail.demo.figures import Figures
from handrail.demo.judge import NOTHING_EARLIER, Finding, judge, observe
from handrail.demo.player import Player
from handrail.demo.story import Step, StoryError, load_story
from handrail.embedded.places import REPOSITORY
from handrail.installation.installation import BASE_PORT, Installation, Options
from handrail.installation.running import Running

EVENTS = REPOSITORY / "examples" / "events"
STORIES = REPOSITORY / "examples" / "stories"


def demo(
    check: Annotated[
        bool, typer.Option("--check", help="Play without a person, judge from outside, exit 0 or 1.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="With --check: this story and those of every area, one after the other.")
    ] = False,
    area: Annotated[
        str | None,
        typer.Option(help=f"The story of an area in its place: {', '.join(areas(STORIES))}. Leeds tells a whole year."),
    ] = None,
    events: Annotated[Path, typer.Option(help="Folder with story.yaml, expected.yaml and the event files.")] = EVENTS,
    data: Annotated[
        Path | None,
        typer.Option(help="With --check: the folder of an installation that runs and is still empty, to play on."),
    ] = None,
    port: FirstPort = BASE_PORT,
) -> None:
    """Start everything, play a story with invented people, and show who was told, why, and by when."""
    console = Console(highlight=False)
    if not check and (data or everything):
        raise StoryError(f"{'--data' if data else '--all'} goes with --check")
    if area and everything:
        raise StoryError("choose --area or --all")
    scripts = [load_area(STORIES, area) if area else _script(events)]
    if everything:
        scripts += [load_area(STORIES, name) for name in areas(STORIES)]
    if check:
        raise typer.Exit(_check(console, scripts, data))
    _live(console, scripts[0], port)


def _script(events: Path) -> Script:
    return Script("The demo's own story", load_story(events), load_expected(events / "expected.yaml"))


def _check(console: Console, scripts: Sequence[Script], data: Path | None) -> int:
    stop_on_sigterm()
    failed, earlier = 0, NOTHING_EARLIER
    with _installation(console, data) as running:
        for script in scripts:
            console.print(f"[bold]{script.title}[/bold]")
            played = Player(running, script.story, lambda step, _receipts: console.print(f"  {step.title}")).play()
            observed = observe(running, played, script.expected.figures, earlier)
            failed += report(console, judge(observed, script.expected))
            _close(console, script, observed.figures)
            earlier = earlier.and_then(played, observed)
    return 1 if failed else 0


@contextmanager
def _installation(console: Console, data: Path | None) -> Iterator[Running]:
    """Give the installation to play on: that in `data`, or one of its own that is gone afterwards."""
    if data:
        running = find_running(data)
        if not running.demo:
            raise StoryError(f"the installation in {data} is for real cases; a story would be told to real recipients")
        yield running
        return
    with tempfile.TemporaryDirectory(prefix="handrail-check-") as folder:
        options = Options(demo=True, clock_movable=True, base_port=None, keep=False)
        with Installation(Path(folder) / "data", options, progress=lambda text: console.print(f"  {text}")) as started:
            console.print(f"  {started.stack.description()}")
            yield started.running


def _live(console: Console, script: Script, port: int) -> None:
    folder = demo_folder()
    stop_on_sigterm()
    options = Options(demo=True, clock_movable=True, keep=False, base_port=port or None)
    with Installation(folder, options, progress=lambda text: console.print(f"  {text}")) as started:
        console.print(f"  {started.stack.description()}\n")
        running = started.running
        played = Player(running, script.story, _Narrator(console, running)).play()
        figures = script.expected.figures
        _close(console, script, observe(running, played, figures).figures if figures.are else ())
        console.print("\n[bold]The story is played. Everything stays up; look around:[/bold]")
        console.print(f"  The road       {running.url('front')}/")
        console.print(f"  The desk       {running.url('deadlines')}/desk")
        console.print(f"  The cases      {running.url('routing')}/case")
        considered = f"{running.url('routing')}/considered{_asked(figures)}"
        console.print(f"  Considered     {considered}", soft_wrap=True)  # an address of two lines cannot be opened
        console.print(f"  The log        {running.url('audit')}/log")
        console.print(f"  The recipients {running.url('stubs')}/")
        console.print(
            f"  Sign in as operations, review-officer, auditor or partner; password {running.password('accounts')}"
        )
        console.print("  Then try: handrail clock +6d · handrail verify · handrail status --json · handrail send FILE")
        console.print("Ctrl-C stops it and leaves nothing behind.")
        stay(started, console)


@dataclass
class _Narrator:
    """Tells each step as it is played: what it says, and of each case what was not told of it before."""

    console: Console
    running: Running
    told: set[tuple[str, str]] = field(default_factory=set)

    def __call__(self, step: Step, receipts: Sequence[dict[str, Any]]) -> None:
        self.console.print(f"\n[bold]{f'{step.at:%-d %B %Y}: ' if step.at else ''}{step.title}[/bold]")
        if step.says:
            self.console.print(f"  {step.says}")
        messages = [message for group in step.rounds for message in group]
        cases = [message.case or receipt["case_key"] for message, receipt in zip(messages, receipts, strict=True)]
        lines: dict[tuple[str, str], str] = {}
        keys: dict[str, str] = {}
        for case, receipt in zip(cases, receipts, strict=True):
            keys.setdefault(case, receipt["case_key"])
            lines |= {(case, about): line for about, line in _told_by(receipt)}
        answered = len(messages) - len(step.rounds[-1]) if step.rounds else 0
        for case, receipt in zip(cases[answered:], receipts[answered:], strict=True):
            # Of the last round alone: what the step itself answered is asked no more.
            lines |= {(case, line): line for line in _asked_by(receipt)}
        new = [(case, line) for (case, _), line in lines.items() if (case, line) not in self.told]
        self.told.update(new)
        for line, times in Counter(line for _, line in new).items():
            self.console.print(f"  {line}{f' ({times} cases)' if times > 1 else ''}")
        for key in keys.values():
            self.console.print(f"  {self.running.url('routing')}/case/{key}")


def _told_by(receipt: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what each line of a receipt is about, and the line; the last that is said about it counts."""
    for told in receipt["told"]:
        by, state = f" by {told['due_on']}" if told["due_on"] else "", told["state"].replace("_", " ")
        who, rule = told["recipient"], told["rule"]
        if told["state"] != "superseded":
            yield f"{rule} to {who}", f"[green]→[/green] {who:<28} {rule:<6}{by:<14} {state}"


def _asked_by(receipt: dict[str, Any]) -> Iterator[str]:
    for question in receipt["questions"]:
        yield f"[yellow]?[/yellow] {question['of_whom']:<28} {question['ask']}"


def _close(console: Console, script: Script, counted: Sequence[int]) -> None:
    """Print the figures that a story ends with, how each is known, and what could not be told."""
    if counted:
        table = Table("figure", "number", "known", title=script.title)
        for figure, number in zip(script.expected.figures.are, counted, strict=True):
            table.add_row(figure.says, str(number), figure.known)
        console.print(table)
        console.print("report: the area's own page says so · inferred: it follows from that · invented: made up here")
    for sentence in script.not_yet:
        console.print(f"  Not yet: {sentence}")


def _asked(figures: Figures) -> str:
    return f"?area={figures.area}&from={figures.first}&to={figures.last}" if figures.are else ""


def report(console: Console, findings: list[Finding]) -> int:
    """Print one row a check and return the exit code: 0 if every check holds."""
    table = Table("check", "result", "missing", "too much")
    for finding in findings:
        table.add_row(
            finding.check, "holds" if finding.holds else "FAILS", "\n".join(finding.missing), "\n".join(finding.surplus)
        )
    console.print(table)
    failed = sum(not finding.holds for finding in findings)
    console.print("Everything holds." if not failed else f"{failed} of {len(findings)} checks failed.")
    return 1 if failed else 0
