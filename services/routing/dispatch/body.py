"""Composes the bytes of a webhook from its row: the notice with its grant, or the withdrawal of one; checked by the guard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import orjson
from joserfc.jwk import OKPKey

from schemas.notices import Notice, NoticeContent
from services.routing.dispatch import grants
from services.routing.dispatch.areas import Matter, Statement
from services.routing.dispatch.grants import Grant
from services.routing.dispatch.guard import GONE, Claim, Guard
from services.routing.dispatch.rows import Claimed

_WITHDRAWAL_FIELDS: Final = frozenset(
    {"type", "notice_id", "obligation_id", "case_key", "recipient", "rule", "reason", "withdrawn_at"}
)

WITHDRAWN: Final = "What the duty to tell you rested on was corrected, or decided otherwise. The body that owed it to you can say more."
"""The reason that a recipient is given: ours names facts, which may lie outside the recipient's profile."""


@dataclass(frozen=True, slots=True)
class Composed:
    """The bytes to send, or the guard's objection."""

    body: bytes = b""
    objection: str | None = None


class Composer:
    """Makes bodies; `intake_url` is where recipients fetch the content."""

    def __init__(self, guard: Guard, grant_key: OKPKey, intake_url: str) -> None:
        self._guard = guard
        self._grant_key = grant_key
        self._intake_url = intake_url.rstrip("/")

    @property
    def facts(self) -> list[str]:
        """Return the facts that the guard needs to see."""
        return self._guard.facts

    def lacking(self, claimed: Iterable[Claimed]) -> set[str]:
        """Return the digests of the rulebooks that these rest on and the guard was not given."""
        name = "rulebook_sha256"  # a withdrawal has none
        return self._guard.lacking(each.payload[name] for each in claimed if name in each.payload)

    def check_by(self, texts: Iterable[str]) -> None:
        """Check by the texts of further rulebooks, too."""
        self._guard.read(texts)

    def compose(self, claimed: Claimed, on: date) -> Composed:
        """Return the bytes of a delivery that is sent on a day, the same for the same row."""
        if not self._guard.exists(claimed.recipient, on):
            return Composed(objection=GONE)
        if claimed.kind == "withdrawal":
            return _withdrawal(claimed)
        payload = claimed.payload
        grant = Grant(
            notice_id=claimed.notice_id,
            recipient=claimed.recipient,
            case_keys=payload["grant"]["case_keys"],
            subject=payload["grant"]["subject"],
            profile=payload["grant"]["profile"],
            purpose=payload["grant"]["purpose"],
            give=payload["grant"]["give"],
        )
        url = f"{self._intake_url}/v1/content/{claimed.notice_id}"
        content = NoticeContent(url=url, grant=grants.mint(grant, self._grant_key, claimed.granted_at))
        body = orjson.loads(Notice.model_validate_json(orjson.dumps(payload["body"])).model_dump_json())
        body["content"] = content.model_dump()
        objection = self._guard.objection(
            Claim(
                rulebook_sha256=payload["rulebook_sha256"],
                rule=body["rule"],
                position=payload["position"],
                recipient=body["recipient"],
                profile=grant.profile,
                fields=body.keys(),
                granted=grant.give,
                matter=_matter(claimed, on),
            )
        )
        if objection is None and (body["recipient"], UUID(body["notice_id"])) != (claimed.recipient, claimed.notice_id):
            objection = "the notice is addressed to somebody else"
        return Composed(objection=objection) if objection else Composed(orjson.dumps(body))


def _matter(claimed: Claimed, on: date) -> Matter | None:
    """Return what the stored obligation is about; None if there is none, or if it is not the one that the row says."""
    stored, payload = claimed.obligation, claimed.payload
    if stored is None or (stored["rule"], stored["position"]) != (payload["body"]["rule"], payload["position"]):
        return None
    if stored["subject"] != payload["grant"]["subject"]:
        return None
    names = Statement.__slots__
    statements = [Statement(**{name: each[name] for name in names}) for each in claimed.statements]
    return Matter(stored["subject"], stored["duty_holder"], statements, on)


def _withdrawal(claimed: Claimed) -> Composed:
    body = claimed.payload["body"]
    if body.keys() != _WITHDRAWAL_FIELDS or body["recipient"] != claimed.recipient:
        return Composed(objection="a withdrawal names its notice and says why, and nothing else")
    return Composed(orjson.dumps({**body, "reason": WITHDRAWN}))
