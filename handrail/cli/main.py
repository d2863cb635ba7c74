"""The `handrail` command. Each subcommand lives in the file of its name."""

from __future__ import annotations

import errno
import io
import re
import sys

import typer

from handrail.cli import (
    account,
    client,
    clock,
    deliveries,
    demo,
    provision,
    quarantine,
    register,
    rewind,
    rules,
    send,
    status,
    token,
    up,
    verify,
)
from handrail.client import TryAgain
from handrail.demo.player import StoryStuck
from handrail.demo.story import StoryError
from handrail.embedded.errors import EmbeddedError
from handrail.installation.web import CallFailed
from services.routing.domain.area_lists import ListRefused
from services.routing.domain.rulebook.tree import RulebookRefused
from services.routing.missing import NoSuchRulebook, NothingToCheck, NotReleased, NotVerified

app = typer.Typer(
    help="Routes notifications about serious child safeguarding incidents in England, on time and provably.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.command("up")(up.up)
app.command("send")(send.send)
app.command("status")(status.status)
app.command("token")(token.token)
app.command("clock")(clock.clock)
app.command("verify")(verify.verify)
app.command("provision")(provision.provision)
app.add_typer(rules.app, name="rules")
app.add_typer(register.app, name="register")
app.add_typer(client.app, name="client")
app.add_typer(account.app, name="account")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(provision.topics_app, name="topics")
app.add_typer(rewind.relay_app, name="relay")
app.add_typer(rewind.consumer_app, name="consumer")

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
EXPECTED_FAILURES = (
    EmbeddedError,
    CallFailed,
    TryAgain,
    StoryError,
    StoryStuck,
    status.NotRunning,
    RulebookRefused,
    ListRefused,
    NoSuchRulebook,
    NothingToCheck,
    NotReleased,
    NotVerified,
)


def main() -> None:
    """Run the command; what can go wrong on somebody's machine is one line, not a trace."""
    _print_in_any_locale()
    try:
        app(_with_signed_move(sys.argv[1:]))
    except EXPECTED_FAILURES as error:
        typer.echo(f"handrail: {error}", err=True)
        raise SystemExit(1) from None
    except OSError as error:
        if error.filename is None and error.errno not in NO_SPACE:
            raise  # else a file or folder that was named cannot be used, or nothing more can be written
        where = "" if error.filename is None else f"{error.filename}: "
        what_to_do = ". Free some, and run it again" if error.errno in NO_SPACE else ""
        typer.echo(f"handrail: {where}{error.strerror}{what_to_do}", err=True)
        raise SystemExit(1) from None


def _print_in_any_locale() -> None:
    """Put a question mark for a character that the terminal's encoding lacks: an arrow is no reason to end."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a test may have put another in its place
            stream.reconfigure(errors="replace")


def _with_signed_move(arguments: list[str]) -> list[str]:
    """Let `handrail clock -2h` through, with options before or after it: to a parser, `-2h` looks like options."""
    command, *others = arguments or [""]
    move = next((each for each in others if re.match(r"-\d", each)), None)
    if command != "clock" or move is None:
        return arguments
    others.remove(move)
    return [command, *others, "--", move]


if __name__ == "__main__":
    main()
