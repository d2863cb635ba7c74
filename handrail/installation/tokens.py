"""Access tokens: short-lived signed statements of who is asking and in which role.

The services only verify them (`services.kit.auth`); here they are issued, with the key that stays in the folder of
the installation.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from joserfc import jwt
from joserfc.jwk import OKPKey

PersonRole = Literal["operations", "review_officer", "auditor", "partner"]
Role = Literal[PersonRole, "service"]

HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Account:
    """A person or program that may sign in.

    `client` names the partner system on whose behalf it may report, `body` whom that one answers for (`la:E08000035`).
    """

    id: str
    name: str
    role: Role
    client: str | None = None
    body: str | None = None

    @property
    def acts_for(self) -> dict[str, str]:
        """`client` and `body`, as far as there is one."""
        return {name: value for name, value in (("client", self.client), ("body", self.body)) if value}


class TokenIssuer:
    """Signs access tokens with the Ed25519 key of the installation."""

    def __init__(self, key_file: Path) -> None:
        self._key = OKPKey.import_key(key_file.read_bytes())

    def issue(self, account: Account, *, valid_s: int = HOUR_S) -> str:
        """Return a token for the account, valid from now for `valid_s` seconds of the wall clock."""
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": "handrail",
            "sub": account.id,
            "name": account.name,
            "role": account.role,
            "iat": now,
            "exp": now + valid_s,
        }
        return jwt.encode({"alg": "Ed25519"}, claims | account.acts_for, self._key, algorithms=["Ed25519"])
