"""The key to which partners encrypt personal blocks: JWE compact, ECDH-ES+A256KW with A256GCM, and nothing else.

Source: RFC 7516, RFC 7518 sections 4.6 and 5.3.
"""

from __future__ import annotations

from typing import Any, Final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from services.intake.domain.cloudevent import strict_json
from services.intake.domain.personal import unreadable
from services.intake.domain.problems import Refusal

ALGORITHMS: Final = ["ECDH-ES+A256KW", "A256GCM"]
_LONGEST: Final = 256 * 1024
# A hostile header reaches the library's look-ups of curves and key fields, which answer with these.
_UNREADABLE: Final = (JoseError, ValueError, KeyError, TypeError, AttributeError, InvalidUnwrap, Refusal)


class _Registry(jwe.JWERegistry):
    max_ciphertext_length = _LONGEST  # by itself the library opens no more than 64 kB


class Letterbox:
    """Opens encrypted personal blocks and publishes the key to make them."""

    def __init__(self, private_pem: str) -> None:
        self._key = ECKey.import_key(private_pem)
        self._key.ensure_kid()

    def __repr__(self) -> str:
        return "Letterbox(...)"

    def public_keys(self) -> dict[str, Any]:
        """Return the JWK set to publish."""
        public = self._key.as_dict(private=False)
        return {"keys": [{**public, "use": "enc", "alg": ALGORITHMS[0]}]}

    def open(self, block: str) -> object:
        """Return the JSON that was encrypted.

        Raises:
            Refusal: Another key or algorithm was used, the text was altered, or it holds no JSON.
        """
        if len(block) > _LONGEST or not block.isascii():
            raise unreadable()
        try:
            return strict_json(
                jwe.decrypt_compact(block, self._key, registry=_Registry(algorithms=ALGORITHMS)).plaintext or b""
            )
        except _UNREADABLE:
            raise unreadable() from None
