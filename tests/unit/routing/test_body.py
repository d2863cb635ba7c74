"""Pins what leaves in the withdrawal of a notice: which notice, and nothing of the facts behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest
from joserfc.jwk import OKPKey

from services.routing.dispatch.body import Composer
from services.routing.dispatch.guard import Guard
from services.routing.dispatch.rows import Claimed
from services.routing.domain.ledger import KnownNotice
from services.routing.outcome.published import withdrawal_payload

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NOTICE = KnownNotice(
    UUID(int=1), UUID(int=2), "a" * 32, "N-08", "sab:leeds", "cross-partnership", 1, "withdrawn", due_on=None
)
CLAIMED = Claimed(
    delivery_id=UUID(int=3),
    kind="withdrawal",
    notice_id=NOTICE.notice_id,
    obligation_id=NOTICE.obligation_id,
    case_key=NOTICE.case_key,
    rule=NOTICE.rule,
    recipient=NOTICE.recipient,
    profile=NOTICE.profile,
    revision=1,
    attempt=1,
    nth=1,
    lease_epoch=1,
    next_at=NOW,
    due_by=None,
    due_since=NOW,
    person_told=False,
    granted_at=NOW,
    payload=withdrawal_payload(NOTICE, NOTICE.recipient, "child.looked_after is no", NOW),
    obligation=None,
    statements=[],
)
COMPOSER = Composer(Guard([], "areas: []\nbodies: []\n"), OKPKey.generate_key("Ed25519"), "https://intake.example")


def test_a_withdrawal_names_its_notice_and_tells_no_fact() -> None:
    composed = COMPOSER.compose(CLAIMED, NOW.date())

    body = orjson.loads(composed.body)
    assert composed.objection is None
    assert (body["notice_id"], body["recipient"]) == (str(NOTICE.notice_id), "sab:leeds")
    assert "looked_after" not in composed.body.decode()
    assert "can say more" in body["reason"]


@pytest.mark.parametrize("more", [{"child": "c" * 32}, {"recipient": "panel"}])
def test_a_withdrawal_with_anything_more_or_for_somebody_else_is_not_sent(more: dict[str, str]) -> None:
    altered = replace(CLAIMED, payload={"body": {**CLAIMED.payload["body"], **more}})

    composed = COMPOSER.compose(altered, NOW.date())

    assert composed.body == b""
    assert composed.objection is not None
