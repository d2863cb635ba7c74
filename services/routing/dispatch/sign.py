"""Sign webhooks: Standard Webhooks 1.0, asymmetric scheme `v1a` (Ed25519) over `webhook-id.webhook-timestamp.body`.

Recipients hold only public keys. With two live keys both sign, so that keys can change without a gap.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

_PEM: Final = re.compile(rb"-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----", re.DOTALL)


def read_private_keys(pem: bytes) -> list[Ed25519PrivateKey]:
    """Return the Ed25519 keys of a PEM file, newest first as they stand in it.

    Raises:
        ValueError: There is none, or one of another kind.
    """
    keys = [load_pem_private_key(block, password=None) for block in _PEM.findall(pem)]
    ed25519 = [key for key in keys if isinstance(key, Ed25519PrivateKey)]
    if not ed25519 or len(ed25519) != len(keys):
        raise ValueError("expected one or more Ed25519 private keys in PEM form")
    return ed25519


def sign(keys: Sequence[Ed25519PrivateKey], webhook_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Return the three Standard Webhooks headers for exactly these bytes.

    Args:
        keys: Every live key signs.
        webhook_id: Stays the same over retries, so that a receiver can tell a repeat.
        timestamp_s: Wall clock, whole seconds since 1970.
        body: The bytes that will be sent.
    """
    signed = f"{webhook_id}.{timestamp_s}.".encode() + body
    signatures = (base64.b64encode(key.sign(signed)).decode() for key in keys)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1a,{signature}" for signature in signatures),
    }


def public_key_text(key: Ed25519PrivateKey) -> str:
    """Return the public half as Standard Webhooks writes it: `whpk_` and base64."""
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return "whpk_" + base64.b64encode(raw).decode()


def public_key_pem(key: Ed25519PrivateKey) -> str:
    """Return the public half as PEM (SubjectPublicKeyInfo)."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
