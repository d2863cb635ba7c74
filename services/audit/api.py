"""The HTTP API of the log: checkpoints, entries with proofs, proofs alone, the raw log, and gaps."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import PlainTextResponse

from schemas.calendar import end_of_day
from services.audit.reader import Reader
from services.audit.store.reading import Search
from services.audit.views import CheckpointList, Consistency, EntryPage, EntryView, GapList, GapView, ProvenEntry
from services.kit.asked import FIRST_DAY, LAST_DAY
from services.kit.auth import Principal, require
from services.kit.errors import Refused
from services.kit.reach import reach_of

Looker = Annotated[Principal, Depends(require("auditor", "operations", "review_officer"))]
WHOLE_LOG = Depends(require("auditor", "operations"))  # what cannot be cut to the cases of one agency
Place = Annotated[int, Query(ge=0, lt=2**63)]
Index = Annotated[int, Path(ge=0, lt=2**63)]
Term = Annotated[str, Query(max_length=200, pattern=r"^[\x20-\x7e]*$")]
A_DAY = "A day in England, such as 2026-11-27; included."


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
        case_key=case.strip().lower() or None,
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
    api = APIRouter(prefix="/v1", tags=["log"])

    @api.get("/checkpoint", dependencies=[WHOLE_LOG], response_class=PlainTextResponse)
    async def checkpoint() -> str:
        """The newest checkpoint: a signed note (https://c2sp.org/tlog-checkpoint)."""
        return (await reader.checkpoint()).note

    @api.get("/checkpoints", dependencies=[WHOLE_LOG])
    async def checkpoints() -> CheckpointList:
        """Every checkpoint that was signed, smallest first (the newest 10,000)."""
        return CheckpointList(checkpoints=await reader.checkpoints())

    @api.get("/entries")
    async def entries(
        who: Looker, wanted: Annotated[Search, Depends(search_for)], size: Place | None = None
    ) -> EntryPage:
        """Entries in the order of the log, each with the proof of its place under the checkpoint given with them."""
        return EntryPage.of(await reader.search(reach_of(who), wanted, size))

    @api.get("/entries/raw", dependencies=[WHOLE_LOG], response_class=PlainTextResponse)
    async def raw(start: Place, end: Place) -> PlainTextResponse:
        """Entries for whole-log verification, one a line: hash in the tree, salt, record in base64, entry."""
        return PlainTextResponse(await reader.raw(start, end))

    @api.get("/entries/{index}/proof")
    async def proof(who: Looker, index: Index, size: Place | None = None) -> ProvenEntry:
        """One entry with the proof of its place, under the newest checkpoint or that of `size`."""
        signed, proven = await reader.entry(reach_of(who), index, size)
        return ProvenEntry(checkpoint=signed.note, size=signed.size, **EntryView.of(proven).model_dump())

    @api.get("/proofs/consistency", dependencies=[WHOLE_LOG])
    async def consistency(
        old: Annotated[Place, Query(alias="from")], new: Annotated[Place, Query(alias="to")]
    ) -> Consistency:
        """The proof that one checkpoint goes on from an earlier one."""
        first, second, path = await reader.consistency(old, new)
        return Consistency(old=first.note, new=second.note, proof=[part.hex() for part in path])

    @api.get("/gaps", dependencies=[WHOLE_LOG])
    async def gaps() -> GapList:
        """Numbers that a producer gave and the log has not got, with the time since when a later one is there."""
        return GapList(gaps=[GapView.of(gap) for gap in await reader.gaps()])

    return api
