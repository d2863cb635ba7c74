"""The HTTP API of the log: checkpoints, entries with proofs, proofs alone, the raw log, and gaps."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from schemas.calendar import end_of_day
from services.audit.reader import Reader
from services.audit.store.reading import Search
from services.kit.auth import AnyPrincipal, require
from services.kit.errors import Refused

TEXT = "text/plain; charset=utf-8"
MAY_READ = Depends(require("auditor", "operations", "review_officer"))
Place = Annotated[int, Query(ge=0, lt=2**63)]
Term = Annotated[str, Query(max_length=200, pattern=r"^[\x20-\x7e]*$")]
A_DAY = "A day in England, such as 2026-11-27; included."
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)


class BadDay(Refused):
    """A date cannot be read."""


def search_for(  # a dependency: the API and the page ask in the same words
    case: Term = "",
    recipient: Term = "",
    rule: Term = "",
    recorded_from: Annotated[str, Query(alias="from", max_length=10, description=A_DAY)] = "",
    recorded_to: Annotated[str, Query(alias="to", max_length=10, description=A_DAY)] = "",
    after: Annotated[int, Query(ge=-1, lt=2**63)] = -1,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Search:
    """Return what a query string asks for; what is empty is not asked for.

    Raises:
        BadDay: `from` or `to` is not a date.
    """
    first, last = _day("from", recorded_from), _day("to", recorded_to)
    return Search(
        case_key=case.strip() or None,
        recipient=recipient.strip() or None,
        rule=rule.strip() or None,
        recorded_from=None if first is None else end_of_day(first - timedelta(days=1)),
        recorded_before=None if last is None else end_of_day(last),
        after=after,
        limit=limit,
    )


def _day(name: str, text: str) -> date | None:
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        day = None
    if day is None or not FIRST_DAY <= day <= LAST_DAY:
        detail = "Enter a real date as year, month and day, such as 2026-11-27"
        raise BadDay(detail, errors=[{"parameter": name, "detail": detail}])
    return day


def build_api(reader: Reader) -> APIRouter:
    """Return the routes of the API."""
    api = APIRouter(prefix="/v1")

    @api.get("/checkpoint")
    async def checkpoint(principal: AnyPrincipal) -> Response:
        """The newest checkpoint: a signed note (https://c2sp.org/tlog-checkpoint)."""
        del principal
        return Response((await reader.checkpoint()).note, media_type=TEXT)

    @api.get("/checkpoints")
    async def checkpoints(principal: AnyPrincipal) -> dict[str, Any]:
        """Every checkpoint that was signed, smallest first."""
        del principal
        return {"checkpoints": await reader.checkpoints()}

    @api.get("/entries", dependencies=[MAY_READ])
    async def entries(wanted: Annotated[Search, Depends(search_for)], size: Place | None = None) -> dict[str, Any]:
        """Entries in the order of the log, each with the proof of its place under the checkpoint given with them."""
        found = await reader.search(wanted, size)
        return {
            "checkpoint": found.checkpoint.note,
            "size": found.checkpoint.size,
            "indexed_to": found.indexed_to,
            "entries": [proven.wire() for proven in found.entries],
            "next_after": found.next_after,
        }

    @api.get("/entries/raw", dependencies=[MAY_READ])
    async def raw(start: Place, end: Place) -> Response:
        """Entries for whole-log verification, one a line: hash in the tree, salt, record in base64, entry."""
        return Response(await reader.raw(start, end), media_type=TEXT)

    @api.get("/entries/{index}/proof", dependencies=[MAY_READ])
    async def proof(index: int, size: Place | None = None) -> dict[str, Any]:
        """One entry with the proof of its place, under the newest checkpoint or that of `size`."""
        checkpoint, proven = await reader.entry(index, size)
        return {"checkpoint": checkpoint.note, "size": checkpoint.size, **proven.wire()}

    @api.get("/proofs/consistency")
    async def consistency(
        principal: AnyPrincipal, old: Annotated[Place, Query(alias="from")], new: Annotated[Place, Query(alias="to")]
    ) -> dict[str, Any]:
        """The proof that one checkpoint goes on from an earlier one."""
        del principal
        first, second, path = await reader.consistency(old, new)
        return {"from": first.note, "to": second.note, "proof": [part.hex() for part in path]}

    @api.get("/gaps", dependencies=[MAY_READ])
    async def gaps() -> dict[str, Any]:
        """Numbers that a producer gave and the log has not got, with the time since when a later one is there."""
        found = await reader.gaps()
        return {
            "gaps": [
                {"producer": g.producer, "from": g.first_missing, "to": g.last_missing, "since": g.since} for g in found
            ]
        }

    return api
