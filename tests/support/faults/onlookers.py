"""What others get to see: recipients under their grants, a client who asks for another's receipts, a reader of our logs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from deploy.stubs.journal import FILE_NAME
from handrail.installation.web import Web
from tests.support.faults.builds import COPIES
from tests.support.faults.rig import Rig
from tests.support.reports import CANARY

READ: Final = 5
NOBODYS: Final = UUID(int=0)


def read_content(told: Sequence[Mapping[str, Any]], posted: Collection[str]) -> list[dict[str, Any]]:
    """Read the content of a few notices as their recipients do: which fields it had, of which notice, for whom.

    Some of them are about reports that were `posted` (by their deliveries' ids), which alone say anything personal.
    """
    taken = [one for one in told if one["outcome"] == "taken" and one["body"].get("content")]
    about_posted = [one["body"] for one in taken if one["webhook_id"] in posted]
    about_others = [one["body"] for one in taken if one["webhook_id"] not in posted]
    return [
        *(_read(notice, posted=True) for notice in about_posted[:READ]),
        *(_read(notice, posted=False) for notice in about_others[:READ]),
    ]


def _read(notice: Mapping[str, Any], *, posted: bool) -> dict[str, Any]:
    place = urlsplit(notice["content"]["url"])
    answer = Web(f"{place.scheme}://{place.netloc}", notice["content"]["grant"]).call("GET", place.path)
    given = answer.body if answer.status == 200 else {}
    fields = {*given.get("incident", {}), *(name for child in given.get("children", ()) for name in child)}
    return {
        "notice_id": UUID(notice["notice_id"]),
        "recipient": notice["recipient"],
        "status": answer.status,
        "purpose": given.get("purpose"),
        "fields": sorted(fields),
        "posted": posted,
        "personal": CANARY in answer.text,
    }


def ask_for(receipts: Collection[UUID], stranger: Web) -> list[dict[str, Any]]:
    """Ask for a few receipts as somebody else's client, and for one that there is not; both answers of each."""
    nothing = stranger.call("GET", f"/v1/receipts/{NOBODYS}")
    answers = [(one, stranger.call("GET", f"/v1/receipts/{one}")) for one in list(receipts)[:READ]]
    listed = {receipt["receipt_id"] for receipt in stranger.get("/v1/receipts?limit=200")["receipts"]}
    return [
        {
            "receipt_id": receipt,
            "answer": (answer.status, answer.text.replace(str(receipt), str(NOBODYS))),
            "nothing": (nothing.status, nothing.text),
            "listed": str(receipt) in listed,
        }
        for receipt, answer in answers
    ]


def written(rig: Rig) -> list[str]:
    """Return which logs, metrics and webhooks have a word of what is personal in a report."""
    folder = rig.installation.folder
    files = [*folder.rglob("logs/*.log"), *folder.rglob("postgres.log"), folder / "stubs" / FILE_NAME]
    metrics = {f"metrics of {copy}": rig.metrics(copy) for copy in COPIES}
    return [
        *(str(path.relative_to(folder)) for path in files if CANARY.encode() in path.read_bytes()),
        *(name for name, page in metrics.items() if CANARY in page),
    ]
