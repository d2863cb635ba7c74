"""The body of a notice, as a recipient gets it by signed webhook (Standard Webhooks 1.0).

Thin by design: a reference, the duty, its basis and the due date. Nothing in it identifies a child; the content is
fetched with `content.grant`, cut to the recipient's profile, and every fetch is logged.
"""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from schemas.decisions import Citation, Strength
from schemas.envelope import CaseKey, Instant, Model, RecipientId


class NoticeContent(Model):
    """Where to fetch the content, and the signed grant to present as a bearer token."""

    url: str
    grant: str


class Correction(Model):
    """What a notice corrects: the earlier notice whose place it takes, and the due date that was given there."""

    notice_id: UUID
    old_due_on: date | None
    says: str


class Notice(Model):
    """A notice that a duty to tell this recipient is being discharged."""

    type: Literal["notice.v1"] = "notice.v1"
    notice_id: UUID
    obligation_id: UUID
    case_key: CaseKey
    recipient: RecipientId
    from_body: RecipientId
    rule: str
    title: str
    duty: Strength
    citation: Citation
    purpose: str
    lawful_basis: tuple[str, ...]
    due_on: date | None
    owed_since: Instant
    reply_wanted: str
    corrects: Correction | None = None
    content: NoticeContent | None = None


class NoticeReceipt(Model):
    """What a recipient's system answers: its own reference for the notice."""

    reference: str
