"""Verify a signed webhook as any recipient would: Standard Webhooks 1.0, asymmetric scheme `v1a` (Ed25519).

Signed are the exact bytes `webhook-id.webhook-timestamp.body`. The header may carry several signatures, separated by
spaces, so that a sender can change keys; one good one is enough.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TOLERANCE_S: Final = 300
"""How far the sender's wall clock may be from ours, either way."""


class BadSignature(Exception):
    """The message is not proven to come from the sender that we know."""


def verify(headers: Mapping[str, str], body: bytes, keys: Sequence[Ed25519PublicKey], now_s: float) -> str:
    """Return the message's `webhook-id` if one of `keys` signed exactly these bytes.

    Args:
        headers: Request headers; names in lower case, or a mapping that ignores case.
        body: The bytes as received.
        keys: Public keys of the sender, any of which will do.
        now_s: Wall clock, seconds since 1970.

    Raises:
        BadSignature: With the reason, in words.
    """
    message_id, timestamp, signatures = (
        headers.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    )
    if not (message_id and timestamp and signatures):
        raise BadSignature("expected the headers webhook-id, webhook-timestamp and webhook-signature")
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise BadSignature("expected webhook-timestamp to be whole seconds since 1970")
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise BadSignature(f"the timestamp is more than {TOLERANCE_S} seconds from our clock")
    signed = f"{message_id}.{timestamp}.".encode() + body
    if not any(_matches(item, signed, keys) for item in signatures.split()):
        raise BadSignature("no signature of a known key matches")
    return message_id


def _matches(item: str, signed: bytes, keys: Sequence[Ed25519PublicKey]) -> bool:
    scheme, _, encoded = item.partition(",")
    if scheme != "v1a":
        return False
    try:
        signature = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False
    return any(_signed_by(key, signature, signed) for key in keys)


def _signed_by(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True
