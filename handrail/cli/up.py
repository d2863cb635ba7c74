"""`handrail up`: an installation that keeps its data, on which a small partnership could start."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console

from handrail.cli.status import Folder, data_folder
from handrail.front.accounts import FIRST_ACCOUNTS
from handrail.installation.installation import BASE_PORT, Installation, Options
from handrail.installation.watch import LOOK_EVERY_S, Watch

_HIGHEST = 65_535 - 11  # the last of the 12 is a port as well
FirstPort = Annotated[
    int, typer.Option("--port", min=0, max=_HIGHEST, help="First of 12 ports; 0 takes any that are free.")
]


def up(data: Folder = None, port: FirstPort = BASE_PORT) -> None:
    """Start Handrail with its own Kafka and PostgreSQL; data is kept, the clock cannot be moved. Ctrl-C stops it."""
    stop_on_sigterm()
    console = Console(markup=False, soft_wrap=True)  # paths are copied from here, in a terminal and from a log
    folder = data_folder(data)
    options = Options(demo=False, clock_movable=False, keep=True, base_port=port or None)

    def say(text: str) -> None:
        console.print(f"  {text}")

    with Installation(folder, options, progress=say) as installation:
        console.print(f"Handrail runs. Its data is in {folder}")
        postgres = installation.stack.embedded_postgres
        if postgres and postgres.outside:
            console.print(f"  Its database is in {postgres.outside}: it belongs to a backup, too")
        console.print(f"  Sign in at   {installation.url('front')}/sign-in")
        console.print(
            f"  Accounts     {', '.join(account.id for account in FIRST_ACCOUNTS)} (in {folder / 'accounts.yaml'})"
        )
        console.print(f"  Passwords    each its own, in {installation.keys / 'account-operations.password'} and so on")
        console.print(
            "  Next         handrail client add --help and handrail account add --help, then fill in endpoints.yaml"
        )
        console.print("Ctrl-C stops it.")
        stay(installation, console)


def stop_on_sigterm() -> None:
    """Let SIGTERM end the command as Ctrl-C does, in good order."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def stay(installation: Installation, console: Console) -> None:
    """Look after the installation until a Ctrl-C or a SIGTERM asks for the end."""

    def say(text: str) -> None:
        # A closed terminal, a full disk or a pipe that nobody reads (Rich then ends the program) must not end what runs.
        with suppress(OSError, SystemExit):
            console.print(text, markup=False, soft_wrap=True)

    watch = Watch(installation, say)
    try:
        while True:
            watch.look()
            time.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:
        say("\nStopping; this takes a few seconds.")
