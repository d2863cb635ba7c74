"""Encrypts the personal block of an event for the Kafka way, where plain text is refused (JWE, RFC 7516)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def encrypt_personal(personal: Mapping[str, Any], keys: Mapping[str, Any]) -> str:
    """Return the compact JWE to put in `personal` in place of the block.

    Args:
        personal: The block, as JSON values.
        keys: The key set that Handrail publishes at `/v1/keys`.
    """
    from joserfc import jwe  # noqa: PLC0415 - who reports by HTTP alone does not need it
    from joserfc.jwk import ECKey  # noqa: PLC0415

    key = ECKey.import_key(keys["keys"][0])
    key.ensure_kid()
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "kid": key.kid}
    return jwe.encrypt_compact(header, json.dumps(personal).encode(), key)
