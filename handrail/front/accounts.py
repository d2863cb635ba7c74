"""Who may sign in to an embedded installation: a small file with one account a role, passwords kept as scrypt hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final, get_args

import yaml

from handrail.installation.keys import read_password, write_secret
from handrail.installation.tokens import Account, Role

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
    """The accounts of a file, with a check of passwords that takes the same time for unknown names.

    Small and capital letters of a name are the same to whoever signs in.
    """

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            ValueError: An account has a role that there is not, which no service would let in, or stands twice.
        """
        self._accounts: dict[str, tuple[Account, object]] = {}
        for entry in yaml.safe_load(path.read_text())["accounts"]:
            account = Account(str(entry["id"]), entry["name"], entry["role"], entry.get("client"), entry.get("body"))
            if account.role not in get_args(Role):
                roles = ", ".join(get_args(Role))
                raise ValueError(f"{path}: {account.id} has the role {account.role!r}; expected one of {roles}")
            if account.id.lower() in self._accounts:
                raise ValueError(f"{path}: {account.id} stands twice, as small and capital letters are the same")
            self._accounts[account.id.lower()] = account, entry["password"]

    def check(self, account_id: str, password: str) -> Account | None:
        """Return the account if the password is right, else None."""
        account, kept = self._accounts.get(account_id.lower(), (None, "no hash"))
        return account if _is_of(password, kept) else None


def write_accounts(path: Path, password_of: Callable[[str], str]) -> None:
    """Write the first accounts, each with the password for its id, unless the file exists: it is the operator's then."""
    if path.exists():
        return
    entries = []
    for account in FIRST_ACCOUNTS:
        kept = hash_password(password_of(account.id))
        entry = {"id": account.id, "name": account.name, "role": account.role, "password": kept}
        entries.append(entry | account.acts_for)
    write_secret(path, yaml.safe_dump({"accounts": entries}, sort_keys=False).encode())


def give_own_passwords(path: Path, keys: Path) -> None:
    """Write the first accounts, each with a password of its own that is kept as `account-<id>.password`.

    Installations of before have one password for all of them: whichever account still has it gets its own, and it is
    deleted. The rest of the file is the operator's and stays; one that cannot be read is left to the front, which says why.
    """
    write_accounts(path, lambda account: read_password(keys, f"account-{account}"))
    shared = keys / "accounts.password"
    if not shared.exists():
        return
    text, password = path.read_text(), shared.read_text()
    try:
        entries = [(entry["id"], entry["password"]) for entry in yaml.safe_load(text)["accounts"]]
        have_it = [(account, kept) for account, kept in entries if _is_of(password, kept)]
    except (yaml.YAMLError, LookupError, TypeError):
        return
    for account, kept in have_it:
        text = text.replace(kept, hash_password(read_password(keys, f"account-{account}")), 1)
    write_secret(path, text.encode())
    shared.unlink()


def hash_password(password: str) -> str:
    """Return `scrypt$salt$hash`, both in hex."""
    salt = secrets.token_bytes(16)
    return f"scrypt${salt.hex()}${_scrypt(password, salt).hex()}"


def _is_of(password: str, kept: object) -> bool:
    """Say whether a password is the one that is kept; an operator may close an account by keeping what is no hash."""
    try:
        _, salt, expected = str(kept).split("$")
        key = bytes.fromhex(salt), bytes.fromhex(expected)
    except ValueError:
        key = b"", b""  # which nothing is hashed to; it takes the same time
    return hmac.compare_digest(_scrypt(password, key[0]), key[1])


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P)
