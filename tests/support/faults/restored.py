"""Faults of backups: a service's database restored from an older one, and the whole server moved to a new cluster."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from dataclasses import replace
from typing import Final

import asyncpg

from handrail.embedded.places import write_private
from handrail.embedded.postgres import DatabaseAddress, wheel_binaries
from handrail.installation.keys import read_password
from schemas.topics import SERVICES
from services.kit.migrate import migrate_all
from tests.support import command_line
from tests.support.backup import Backup
from tests.support.faults.builds import COPIES, SECOND
from tests.support.faults.records import unread_cases
from tests.support.faults.rig import DidNotLand, Rig, wait_for
from tests.support.faults.table import Fault, Landed, Scene

SINCE: Final = 40  # messages that the service publishes after its backup
REFUSED: Final = "handrail_relay_refused"
IN_HAND: Final = """SELECT (SELECT count(*) FROM routing.delivery WHERE state IN ('due', 'sending'))
    + (SELECT count(*) FROM routing.outbox o, routing.relay_cursor c WHERE (o.xid, o.id) > (c.xid, c.id))"""
ALERTS: Final = "SELECT count(*) FROM deadlines.alert WHERE kind = 'database.restored' AND reference = $1"


def restored(service: str) -> Fault:
    """Restore a service's tables from a backup that is older than what it has published since."""

    def inject(scene: Scene) -> Landed:
        rig, copies = scene.rig, (service, service + SECOND)
        number = f"SELECT producer_seq FROM {service}.relay_cursor"  # noqa: S608 - our own names
        wait_for(lambda: len(scene.load.sent.accepted) >= SINCE, "events of this row")
        backup, before = Backup(rig.database_url, service), rig.ask(number)
        asyncio.run(backup.take())
        wait_for(lambda: rig.ask(number) - before >= SINCE, "messages published after the backup")
        others = () if service == "intake" else ("intake", f"intake{SECOND}")
        for copy in others:
            rig.process(copy).stop()
        if others:  # what was sent and not yet published would be sent once more, with a grant of its own
            wait_for(lambda: not rig.ask(IN_HAND) and not unread_cases(rig), "nothing is in hand at routing")
        for copy in copies:
            rig.process(copy).stop()
        asyncio.run(backup.restore())
        for copy in (*others, *copies):
            rig.start(copy)
        wait_for(lambda: rig.metric(REFUSED, *copies) == len(copies), "every relay refuses")
        lacking = _do_what_is_said(rig, service)
        if not lacking:
            raise DidNotLand(f"{service} lacks nothing that it had published")
        for copy in (*others, *copies):
            rig.wait_ready(copy)
        alerts = wait_for(lambda: rig.ask(ALERTS, service), "an alert on the desk")
        if service == "intake":
            _send_again(scene)
        return Landed(
            f"{service} restored from before {rig.ask(number) - before} messages",
            f"its relays, which refused; {lacking} messages named, {alerts} alert",
        )

    return Fault(f"PostgreSQL: {service} restored from an older backup", inject)


def moved(scene: Scene) -> Landed:
    """Dump the whole server, restore it into a new cluster in its place, and go on there."""
    rig = scene.rig
    wait_for(lambda: len(scene.load.sent.accepted) >= SINCE, "events of this row")
    for copy in COPIES:
        rig.process(copy).stop()
    rows = rig.ask("SELECT count(*) FROM intake.outbox")
    _move(rig)
    passwords = {service: read_password(rig.installation.keys, f"database-{service}") for service in SERVICES}
    migrate_all(rig.database_url, passwords)
    for copy in COPIES:
        rig.start(copy)
    wait_for(lambda: rig.metric(REFUSED) == len(COPIES), "every relay refuses")
    lacking = sum(_do_what_is_said(rig, service) for service in SERVICES)
    for copy in COPIES:
        rig.wait_ready(copy)
    return Landed(
        f"a new cluster with {rows} messages of intake",
        f"the relays of {len(SERVICES)} services, which refused; {lacking} messages lacking",
    )


FAULTS: Final = (
    restored("intake"),
    restored("routing"),
    restored("deadlines"),
    Fault("PostgreSQL: moved into a new cluster", moved),
)


def _do_what_is_said(rig: Rig, service: str) -> int:
    """Give the command that the refusal names; return how many messages it named as lacking."""
    said = rig.web(service).call("GET", "/health/ready").text
    words = re.findall(rf"handrail (relay catch-up {service})\b", said)

    def caught_up() -> str:
        done = command_line.run(*words[0].split(), data=rig.installation.folder)
        return done.stdout if f"{service} lacks " in done.stdout else ""  # a relay may be just looking

    said = wait_for(caught_up, f"{service} caught up")
    named, counted = len(re.findall("^lacks ", said, re.MULTILINE)), int(re.findall(r"lacks (\d+) messages", said)[0])
    assert named == counted
    return counted


def _move(rig: Rig) -> None:
    postgres = rig.installation.stack.embedded_postgres
    assert postgres, "the server of the fault table is an embedded one: it is replaced"
    folder = rig.installation.folder / "postgres"
    old, password = postgres.address, (folder / "superuser.password").read_text()
    dump = rig.installation.folder / "whole.sql"
    _run("pg_dumpall", old, f"--file={dump}")
    postgres.remove_data()
    new = postgres.start()
    asyncio.run(_set_password(new, password))
    write_private(folder / "superuser.password", password)
    _run("psql", replace(new, password=password), "--quiet", "--no-psqlrc", f"--file={dump}", "--dbname=postgres")
    postgres.stop()
    postgres.start()


async def _set_password(server: DatabaseAddress, password: str) -> None:
    """Let the administrator keep the password that the dump has, too: restoring signs in again on its way."""
    connection = await asyncpg.connect(server.url())
    await connection.execute(f"ALTER ROLE {server.user} PASSWORD '{password}'")
    await connection.close()


def _run(program: str, server: DatabaseAddress, *arguments: str) -> None:
    subprocess.run(
        [
            str(wheel_binaries() / program),
            f"--host={server.host}",
            f"--port={server.port}",
            f"--username={server.user}",
            *arguments,
        ],
        env={"PATH": os.defpath, "PGPASSWORD": server.password},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # the new cluster has the administrator's role already, and says so
        check=True,
    )


def _send_again(scene: Scene) -> None:
    """Report again, as partners do who are asked to, what has a receipt and is not there any more."""
    accepted = set(scene.load.sent.accepted)
    kept = set(scene.rig.ask("SELECT array_agg(event_id) FROM intake.submission"))
    scene.load.post_again(accepted - kept)
