"""`handrail deliveries`: look at what recipients did not take, and send it again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote
from uuid import UUID

import typer

from handrail.cli.columns import in_columns
from handrail.cli.status import Folder, find_running
from handrail.installation.web import CallFailed, Web

app = typer.Typer(
    help="List notices and withdrawals by how far they have come, and send again what was refused.",
    no_args_is_help=True,
)
CONFLICT: Final = 409
State = Literal["awaiting_release", "due", "sending", "delivered", "accepted", "refused", "withdrawn", "superseded"]


@app.command("list")
def list_deliveries(
    state: Annotated[State, typer.Option(help="What is `refused` is not tried again by itself.")] = "refused",
    recipient: Annotated[str | None, typer.Option(help="Only those to it: lscp:E08000035")] = None,
    data: Folder = None,
) -> None:
    """List deliveries in a state, the oldest first."""
    keys = ("delivery_id", "recipient", "kind", "rule", "owed_at", "due_by", "attempts", "reason")
    found = deliveries(find_running(data).web("routing"), state, recipient)
    rows = [tuple("" if each[key] is None else str(each[key]) for key in keys) for each in found]
    if not rows:
        typer.echo(f"No delivery is {state}.")
        return
    typer.echo(in_columns(("id", "recipient", "kind", "rule", "owed since", "due by", "attempts", "reason"), *rows))


def deliveries(routing: Web, state: State, recipient: str | None) -> Iterator[dict[str, Any]]:
    """Yield the deliveries in a state, to one recipient or to all, page by page, the oldest first."""
    to = f"&recipient={quote(recipient)}" if recipient else ""
    for page in routing.pages(f"/v1/deliveries?state={state}{to}"):
        yield from page["deliveries"]


@app.command()
def redrive(
    reason: Annotated[str, typer.Option(help="Why; kept in its history. No names.")],
    delivery_id: Annotated[
        UUID | None, typer.Argument(help="From the list: one that was refused, or that waits for its next try.")
    ] = None,
    recipient: Annotated[
        str | None, typer.Option(help="Instead of an id: all that this recipient refused: lscp:E08000035")
    ] = None,
    data: Folder = None,
) -> None:
    """Send it again at once, or all that a recipient refused, once the cause is put right.

    What had no address needs no redrive: it is sent once endpoints.yaml has one.
    """
    if (delivery_id is None) == (recipient is None):
        raise typer.BadParameter("give the id of a delivery, or --recipient")
    routing = find_running(data).web("routing")
    if delivery_id:
        routing.post(_redrive_of(delivery_id), {"reason": reason})
        typer.echo("It is sent again; see `handrail deliveries list`.")
        return
    found = list(deliveries(routing, "refused", recipient))
    passed_over = 0
    for each in found:
        try:
            routing.post(_redrive_of(each["delivery_id"]), {"reason": reason})
        except CallFailed as failed:
            if failed.status != CONFLICT:
                raise
            passed_over += 1  # not refused any more
    also = f"; {passed_over} had changed meanwhile" if passed_over else ""
    typer.echo(f"{len(found) - passed_over} sent again{also}; see `handrail deliveries list`.")


def _redrive_of(delivery_id: object) -> str:
    return f"/v1/deliveries/{delivery_id}/redrive"
