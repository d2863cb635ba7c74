"""`handrail demo`: the story of invented cases, live; with `--check`, played without a person and judged from outside."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from handrail.cli.status import demo_folder, find_running
from handrail.cli.up import FirstPort, stop_on_sigterm, wait_for_stop
from handrail.demo.expected import load_expected
from handrail.demo.judge import Finding, judge, observe
from handrail.demo.player import Player
from handrail.demo.story import Step, StoryError, load_story
from handrail.embedded.places import REPOSITORY
from handrail.installation.installation import BASE_PORT, Installation, Options
from handrail.installation.running import Running

EVENTS = REPOSITORY / "examples" / "events"


def demo(
    check: Annotated[
        bool, typer.Option("--check", help="Play without a person, judge from outside, exit 0 or 1.")
    ] = False,
    events: Annotated[Path, typer.Option(help="Folder with story.yaml, expected.yaml and the event files.")] = EVENTS,
    data: Annotated[
        Path | None,
        typer.Option(help="With --check: the folder of an installation that runs and is still empty, to play on."),
    ] = None,
    port: FirstPort = BASE_PORT,
) -> None:
    """Start everything, play a story with invented people, and show who was told, why, and by when."""
    console = Console(highlight=False)
    if data and not check:
        raise StoryError("--data goes with --check; without it, `handrail demo` starts an installation of its own")
    if check:
        raise typer.Exit(_check(console, events, data))
    _live(console, events, port)


def _check(console: Console, events: Path, data: Path | None) -> int:
    story, expected = load_story(events), load_expected(events / "expected.yaml")

    def findings(running: Running) -> list[Finding]:
        played = Player(running, story, lambda step, _receipt: console.print(f"  {step.title}")).play()
        return judge(observe(running, played), expected)

    if data:
        return report(console, findings(find_running(data)))
    with tempfile.TemporaryDirectory(prefix="handrail-check-") as folder:
        options = Options(demo=True, clock_movable=True, base_port=None, keep=False)
        with Installation(Path(folder) / "data", options, progress=lambda text: console.print(f"  {text}")) as started:
            console.print(f"  {started.stack.description()}")
            found = findings(started.running)
    return report(console, found)


def _live(console: Console, events: Path, port: int) -> None:
    story = load_story(events)
    folder = demo_folder()
    stop_on_sigterm()
    options = Options(demo=True, clock_movable=True, keep=False, base_port=port or None)
    with Installation(folder, options, progress=lambda text: console.print(f"  {text}")) as started:
        console.print(f"  {started.stack.description()}\n")
        running = started.running
        Player(running, story, lambda step, receipt: _narrate(console, running, step, receipt)).play()
        console.print("\n[bold]The story is played. Everything stays up; look around:[/bold]")
        console.print(f"  The road       {running.url('front')}/")
        console.print(f"  The desk       {running.url('deadlines')}/desk")
        console.print(f"  The cases      {running.url('routing')}/case")
        console.print(f"  The log        {running.url('audit')}/log")
        console.print(f"  The recipients {running.url('stubs')}/")
        console.print(
            f"  Sign in as operations, review-officer, auditor or partner; password {running.password('accounts')}"
        )
        console.print("  Then try: handrail clock +6d · handrail verify · handrail status --json · handrail send FILE")
        console.print("Ctrl-C stops it and leaves nothing behind.")
        wait_for_stop()


def _narrate(console: Console, running: Running, step: Step, receipt: dict[str, Any] | None) -> None:
    console.print(f"\n[bold]{step.title}[/bold]")
    console.print(f"  {step.says}")
    if receipt is None:
        return
    for told in receipt["told"]:
        by = f" by {told['due_on']}" if told["due_on"] else ""
        console.print(
            f"  [green]→[/green] {told['recipient']:<28} {told['rule']:<6}{by:<14} {told['state'].replace('_', ' ')}"
        )
    for question in receipt["questions"]:
        console.print(f"  [yellow]?[/yellow] {question['of_whom']:<28} {question['ask']}")
    console.print(f"  {running.url('routing')}/case/{receipt['case_key']}")


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
