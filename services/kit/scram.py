"""A password as PostgreSQL keeps it, so that no statement, and no server's log of statements, has the password itself.

Source: https://www.rfc-editor.org/rfc/rfc5803 and RFC 7677 (SCRAM-SHA-256).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64encode
from typing import Final

_ROUNDS: Final = 4096  # PostgreSQL's own default
_SALT_BYTES: Final = 16


def scram_verifier(password: str, salt: bytes | None = None) -> str:
    """Return what `CREATE ROLE ... PASSWORD` takes in place of a password.

    Args:
        password: In ASCII; what SASLprep makes of other characters is not known here.
        salt: By default drawn anew.
    """
    salt = salt or secrets.token_bytes(_SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    said_salt, said_stored, said_server = (b64encode(each).decode() for each in (salt, stored, server))
    return f"SCRAM-SHA-256${_ROUNDS}:{said_salt}${said_stored}:{said_server}"
