"""Who may sign in to an embedded installation: a small file with one account a role, passwords kept as scrypt hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Final

import yaml

from handrail.installation.keys import write_secret
from handrail.installation.tokens import Account

# Each account is named for its role; the review officer and the partner act for Leeds City Council.
_LEEDS: Final = {"client": "leeds-city-council", "body": "la:E08000035"}
FIRST_ACCOUNTS: Final = (
    Account("operations", "Olive Operations", "operations"),
    Account("review-officer", "Rowan Review", "review_officer", **_LEEDS),
    Account("auditor", "Audrey Audit", "auditor"),
    Account("partner", "Parker Partner", "partner", **_LEEDS),
)
_N, _R, _P = 2**14, 8, 1  # 16 MB and about 50 ms a try (RFC 7914, interactive use)


class Accounts:
    """The accounts of a file, with a check of passwords that takes the same time for unknown names."""

    def __init__(self, path: Path) -> None:
        page = yaml.safe_load(path.read_text())
        self._accounts = {
            entry["id"]: (
                Account(entry["id"], entry["name"], entry["role"], entry.get("client"), entry.get("body")),
                entry["password"],
            )
            for entry in page["accounts"]
        }

    def check(self, account_id: str, password: str) -> Account | None:
        """Return the account if the password is right, else None."""
        account, kept = self._accounts.get(account_id, (None, hash_password("", salt=b"\0" * 16)))
        _, salt, expected = kept.split("$")
        given = _scrypt(password, bytes.fromhex(salt))
        return account if hmac.compare_digest(given, bytes.fromhex(expected)) else None


def write_accounts(path: Path, password: str) -> None:
    """Write the first accounts, all with one password, unless the file exists: it is the operator's then."""
    if path.exists():
        return
    entries = []
    for account in FIRST_ACCOUNTS:
        entry = {"id": account.id, "name": account.name, "role": account.role, "password": hash_password(password)}
        entries.append(entry | account.acts_for)
    write_secret(path, yaml.safe_dump({"accounts": entries}, sort_keys=False).encode())


def hash_password(password: str, *, salt: bytes | None = None) -> str:
    """Return `scrypt$salt$hash`, both in hex."""
    salt = salt or secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${_scrypt(password, salt).hex()}"


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P)
