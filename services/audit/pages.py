"""The page `/log`: what happened, in the order of the log, each row with its place and a proof that can be followed.

Server-rendered, no script. Every proof that is shown is checked anew from the entry's bytes when the page is made, by
the verifier that a stranger would use; the steps stand on the entry's own page, to be followed with any SHA-256 tool.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from fastapi.templating import Jinja2Templates

from services.audit.api import BadDay, Index, Term, search_for
from services.audit.domain.entry import commits_to
from services.audit.domain.merkle import BadProof, climb, leaf_hash, verify_inclusion
from services.audit.domain.note import BadNote, Checkpoint, NoteKey, open_checkpoint
from services.audit.loops import GAP_GRACE
from services.audit.reader import Proven, Reader
from services.audit.store import log
from services.audit.store.reading import Search
from services.audit.words import said, title_of
from services.kit.auth import Principal, require_page
from services.kit.clock import Clock
from services.kit.reach import reach_of

TEMPLATES = Path(__file__).parent / "templates"
PAGE = 25

Visitor = Annotated[Principal, Depends(require_page("auditor", "operations", "review_officer"))]


@dataclass(frozen=True, slots=True)
class View:
    """One entry as a page shows it. `wrong` says in words what does not check, None when everything does.

    `duty_rules`, `duty_recipients`: what the entry itself does not say and its duty's other entries do.
    """

    index: int
    title: str
    kind: str
    case_key: str | None
    rules: tuple[str, ...]
    recipients: tuple[str, ...]
    duty_rules: tuple[str, ...]
    duty_recipients: tuple[str, ...]
    producer: str | None
    happened_at: datetime | None
    logged_at: datetime
    said: tuple[tuple[str, str], ...]
    leaf_hash: str
    wrong: str | None

    @classmethod
    def of(cls, proven: Proven, checkpoint: Checkpoint | None) -> "View":
        """Return the view of an entry, its proof checked against a checkpoint (None: its signature is wrong)."""
        entry = proven.entry()
        event, about = entry.get("event", {}), entry.get("about", {})
        rules, recipients = about.get("rules", ()), about.get("recipients", ())
        return cls(
            index=proven.row.index,
            title=title_of(entry),
            kind=entry["kind"],
            case_key=event.get("casekey"),
            rules=tuple(rules),
            recipients=tuple(recipients),
            duty_rules=() if rules else tuple(sorted(proven.row.rules)),
            duty_recipients=() if recipients else tuple(sorted(proven.row.recipients)),
            producer=event.get("producer"),
            happened_at=datetime.fromisoformat(event["time"]) if event else None,
            logged_at=datetime.fromisoformat(entry["logged_at"]),
            said=tuple(said(proven.record())),
            leaf_hash=leaf_hash(proven.row.entry).hex(),
            wrong=what_is_wrong(proven, checkpoint),
        )


def what_is_wrong(proven: Proven, checkpoint: Checkpoint | None) -> str | None:
    """Check an entry's place and the record beside it; return what does not check."""
    if checkpoint is None:
        return "The checkpoint that this entry stands under is not signed with the log's key."
    row = proven.row
    try:
        verify_inclusion(
            leaf=leaf_hash(row.entry), index=row.index, size=checkpoint.size, proof=proven.proof, root=checkpoint.root
        )
    except BadProof:
        return "This entry is not what was signed: its proof does not lead to the root of the checkpoint."
    entry = proven.entry()
    if entry["kind"] != "message":
        return None
    if row.salt is None or row.payload is None:
        return "The record that this entry commits to is gone."
    if not commits_to(entry, row.salt, row.payload):
        return "The record kept with this entry is not the one that it commits to."
    return None


def build_pages(
    reader: Reader,
    templates: Jinja2Templates,
    key: NoteKey,
    clock: Clock,
    why_unsigned: Callable[[], Awaitable[str | None]],
) -> APIRouter:
    """Return the routes of the pages; `why_unsigned` says why the log is not being signed, or nothing."""
    router = APIRouter(include_in_schema=False)

    @router.get("/log")
    async def show_log(
        request: Request,
        who: Visitor,
        case: Term = "",
        recipient: Term = "",
        rule: Term = "",
        recorded_from: Annotated[str, Query(alias="from", max_length=200)] = "",
        recorded_to: Annotated[str, Query(alias="to", max_length=200)] = "",
        after: Annotated[int, Query(ge=-1, lt=2**63)] = -1,
        size: Annotated[int | None, Query(ge=0, lt=2**63)] = None,
    ) -> Response:
        request.state.principal = who
        asked = {"case": case, "recipient": recipient, "rule": rule, "from": recorded_from, "to": recorded_to}
        errors: list[dict[str, str]] = []
        try:
            wanted = search_for(case, recipient, rule, recorded_from, recorded_to, after, PAGE)
        except BadDay as bad:
            errors = [{"text": bad.detail, "href": f"#{error['parameter']}"} for error in bad.errors]
            wanted = Search(limit=PAGE)
        reach = reach_of(who)
        found = await reader.search(reach, wanted, size)
        gaps = await reader.gaps() if reach.everything else []  # numbers of a whole service are nobody's case
        signed = _opened(found.checkpoint, key)
        pinned = {**{name: value for name, value in asked.items() if value}, "size": str(found.checkpoint.size)}
        shown = {
            "asked": asked,
            "searched": any(asked.values()),
            "whole_log": reach.everything,
            "errors": errors,
            "checkpoint": found.checkpoint,
            "unsigned": found.unsigned,
            "why_unsigned": await why_unsigned(),
            "behind": max(0, found.checkpoint.size - found.indexed_to),
            "views": [] if errors else [View.of(proven, signed) for proven in found.entries],
            "gaps": [gap for gap in gaps if clock.wall_now() - gap.since > GAP_GRACE],
            "first": f"/log?{urlencode(pinned)}" if after >= 0 else "",
            "next": None if found.next_after is None else f"/log?{urlencode({**pinned, 'after': found.next_after})}",
        }
        return templates.TemplateResponse(
            request, "log.html", {"current": "log", **shown}, status_code=422 if errors else 200
        )

    @router.get("/log/{index}")
    async def show_entry(
        request: Request, who: Visitor, index: Index, size: Annotated[int | None, Query(ge=0, lt=2**63)] = None
    ) -> Response:
        request.state.principal = who
        checkpoint, proven = await reader.entry(reach_of(who), index, size)
        shown = _proof(checkpoint, proven, key)
        return templates.TemplateResponse(request, "entry.html", {"current": "log", **shown})

    return router


def _opened(checkpoint: log.Signed, key: NoteKey) -> Checkpoint | None:
    """Return what the log's key signed, None if it did not sign this."""
    try:
        return open_checkpoint(checkpoint.note, [key])
    except BadNote:
        return None


def _proof(checkpoint: log.Signed, proven: Proven, key: NoteKey) -> dict[str, Any]:
    """Return everything that the page of one entry shows."""
    record, row = proven.record(), proven.row
    return {
        "view": View.of(proven, _opened(checkpoint, key)),
        "checkpoint": checkpoint,
        "verifier_key": key.encode(),
        "steps": climb(leaf_hash(row.entry), row.index, checkpoint.size, proven.proof),
        "entry_text": row.entry.decode(),
        "record_text": None if record is None else orjson.dumps(record, option=orjson.OPT_INDENT_2).decode(),
        "salt": None if row.salt is None else row.salt.hex(),
    }
