"""`handrail rules`: look after the rulebook, and ask it what follows from facts. Nothing has to run, but for a case by its key.

What reads rulebooks is imported by the command that needs it, because the other commands should not wait for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from handrail.cli.status import Folder

app = typer.Typer(
    help="Check, read, try and release the rulebook; ask it who would be told, by when, and why.",
    no_args_is_help=True,
)
Rulebook = Annotated[
    str | None, typer.Option(help="A version (2026.11.0) or a file, such as your draft; default: the newest version.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Facts = Annotated[
    Path,
    typer.Argument(
        exists=True,
        dir_okay=False,
        help="Facts as JSON or YAML, in the words of `facts:` of an example in the rulebook.",
    ),
]


@app.command()
def check(
    path: Annotated[
        Path | None, typer.Argument(exists=True, help="A folder laid out like rulebooks/ (default), or one rulebook.")
    ] = None,
) -> None:
    """Load everything, run every example and scenario, and say what is wrong and which rules nobody has verified.

    What is wrong is said with file, line, what was expected and a hint; then it exits 1. A rulebook alone is checked
    with its examples; a folder with its register, its cited provisions and its scenarios, which run on the newest version.
    """
    from handrail.cli import rules_asked  # noqa: PLC0415 - slow: the schemas

    raise typer.Exit(rules_asked.check_all(_console(), path))


@app.command("test")
def play(
    path: Annotated[Path, typer.Argument(exists=True, help="A scenario file, or a folder of them.")],
    rulebook: Rulebook = None,
) -> None:
    """Run scenarios: situations with everybody who must be told, by when, and who must not be told, with the reason.

    They are exact. A date a day off, a recipient too many or too few, or another reason fails; then it exits 1. For
    each scenario you see what was expected and what came out. The files in rulebooks/scenarios/ show the form.
    """
    from handrail.cli import rules_asked  # noqa: PLC0415 - slow: the schemas

    raise typer.Exit(rules_asked.run_scenarios(_console(), path, rulebook))


@app.command()
def explain(
    of: Annotated[str, typer.Argument(metavar="FACTS|CASE", help="A file of facts, or the key of a case.")],
    on: Annotated[
        str | None,
        typer.Option(
            metavar="YYYY-MM-DD",
            help="For facts: the day on which every rule is judged. For a case: as known that day.",
        ),
    ] = None,
    as_json: AsJson = False,
    rulebook: Rulebook = None,
    data: Folder = None,
) -> None:
    """Say for each rule whether it holds, and for each recipient why it is told or why not.

    Each condition stands with its answer, the fact that it rests on, and who said so. Facts from a file are only
    supposed: nothing has to run. A case is asked of the installation that runs, with what has become of its notices.

      handrail rules explain facts.json
      handrail rules explain 3f2b8c0d9e1a4f5b6c7d8e9f0a1b2c3d --on 2026-06-09
    """
    from handrail.cli import rules_asked  # noqa: PLC0415 - slow: the schemas

    rules_asked.explain(_console(), of, on=on, as_json=as_json, rulebook=rulebook, data=data)


@app.command()
def ask(facts: Facts, rulebook: Rulebook = None) -> None:
    """List the questions that are still open, best first: the one whose answer settles most duties.

    Every answer that the rulebook can tell apart is tried, and the duties counted that can then be decided. Questions are
    sorted by the mean over the answers, then by the worst: the worst alone would rank little, because one answer of a good
    question (abuse is suspected) nearly always leads on to the next. A question that settles nothing starts a clock.

      handrail rules ask facts.json
    """
    from handrail.cli import rules_asked  # noqa: PLC0415 - slow: the schemas

    rules_asked.ask(_console(), facts, rulebook)


@app.command()
def render(
    out: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Write a page for each version into this folder, which is made."),
    ] = None,
    rulebook: Rulebook = None,
) -> None:
    """Print the rulebook as a page for people: each rule with its source, conditions, dates, examples and history.

    The page is Markdown and is made from the file, so that it says the same. The history of a rule says in which version
    it was new, and which parts of it changed since; a draft given with --rulebook comes after all versions.

      handrail rules render > rulebook.md
      handrail rules render --out pages
    """
    from handrail.cli import rules_asked  # noqa: PLC0415 - slow: the schemas

    rules_asked.render_pages(out, rulebook)


@app.command()
def compare(
    old: Annotated[str, typer.Argument(help="The rulebook before: a version or a file.")],
    new: Annotated[str, typer.Argument(help="The rulebook after: a version or a file, such as your draft.")],
    most: Annotated[
        int, typer.Option(min=1, help="Patterns of one rule that are all tried; of more, so many random ones.")
    ] = 2_000,
    rule: Annotated[list[str] | None, typer.Option(help="Look at this rule alone; may be given several times.")] = None,
) -> None:
    """List every pattern of facts whose outcome changes from one rulebook to another, rule by rule.

    A fact that a pattern does not name may be anything. Values that no condition of either rulebook tells apart stand
    together; areas are called area A, area B and so on, because only their being the same or not counts. The list is
    complete; of a rule with more patterns than --most it says that it was sampled, and how much that may have missed.

      handrail rules compare 2026.11.0 draft.yaml
      handrail rules compare 2026.11.0 draft.yaml --rule N-04 --most 50000
    """
    from handrail.cli import rules_asked  # noqa: PLC0415 - slow: the schemas

    rules_asked.compare_rulebooks(_console(), old, new, most, rule or ())


@app.command()
def simulate(
    new: Annotated[str, typer.Argument(help="The rulebook to try: a version or a file, such as your draft.")],
    since: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="Cases in which anything was recorded on this day or later.")
    ],
    as_json: AsJson = False,
    data: Folder = None,
) -> None:
    """Decide the recorded cases of the installation that runs under a draft, and say what would change in each.

    The facts of the cases are read from the installation, which logs that, and decided here: nothing is stored, nothing
    is sent. A duty is added (+), withdrawn (-), moved to another due date (→) or otherwise changed (~): the same as if
    the case were migrated.

      handrail rules simulate draft.yaml --since 2026-04-01
    """
    from handrail.cli import rules_asked  # noqa: PLC0415 - slow: the schemas

    rules_asked.simulate_rulebook(_console(), new, since, as_json=as_json, data=data)


@app.command()
def release(
    version: Annotated[str, typer.Argument(help="The version whose file is england/<version>.yaml.")],
    author: Annotated[str, typer.Option(help="Who wrote it: a person's name.")],
    approved_by: Annotated[str, typer.Option(help="Who approves it: another person's name.")],
) -> None:
    """Let a version count: two people have agreed on it, and from now on its files are never edited.

    It is refused if the two are one person, if an example or scenario fails, if anything else is wrong that `check` finds,
    or if it is not newer than what counts. The record stands next to the file, with the digest of each file. Services that
    run take it within seconds: a new case is decided by it, every other keeps its version until it is migrated.

      handrail rules release 2026.12.0 --author "A. Author" --approved-by "B. Approver"
    """
    from handrail.cli import rules_asked  # noqa: PLC0415 - slow: the schemas

    rules_asked.release_version(_console(), version, author, approved_by)


@app.command()
def verify(
    rule: Annotated[str, typer.Argument(help="The id of the rule: N-01.")],
    by: Annotated[str, typer.Option(help="Who compared it with the full text: a person's name.")],
) -> None:
    """Record in the newest draft that a person compared a rule with the full legal text, today.

    A released version is never edited: prepare the next one, and verify the rule there.

      handrail rules verify N-01 --by "C. Lawyer"
    """
    from handrail.cli import rules_asked  # noqa: PLC0415 - slow: the schemas

    rules_asked.verify_rule(_console(), rule, by)


@app.command()
def migrate(
    case: Annotated[str, typer.Argument(help="The key of a case.")],
    to: Annotated[str, typer.Option(help="The version that decides it from now on: one that is released.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the log. No names.")],
    data: Folder = None,
) -> None:
    """Move a case, and those linked to it, to another version of the rulebook, and decide it again by that.

    Duties are added, withdrawn with a reason, moved to another date, otherwise changed, or stay; what is owed is sent. Try
    it before with `simulate`, which changes nothing.

      handrail rules migrate 3f2b8c0d9e1a4f5b6c7d8e9f0a1b2c3d --to 2026.12.0 --reason "the guidance changed"
    """
    from handrail.cli import rules_asked  # noqa: PLC0415 - slow: the schemas

    rules_asked.migrate_case(_console(), case, to, reason, data)


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)
