"""Who may sign in to an embedded installation: a small file with one account a role, passwords kept as scrypt hashes."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, get_args

import structlog
import yaml

from handrail.installation.keys import read_password, write_secret
from handrail.installation.tokens import Account, Role
from services.kit.files import state_of

# Each account is named for its role; the review officer and the partner act for Leeds City Council.
_LEEDS: Final = {"client": "leeds-city-council", "body": "la:E08000035"}
FIRST_ACCOUNTS: Final = (
    Account("operations", "Olive Operations", "operations"),
    Account("review-officer", "Rowan Review", "review_officer", **_LEEDS),
    Account("auditor", "Audrey Audit", "auditor"),
    Account("partner", "Parker Partner", "partner", **_LEEDS),
)
_log = structlog.get_logger("handrail.front.accounts")
_N, _R, _P = 2**14, 8, 1  # 16 MB and about 50 ms a try (RFC 7914, interactive use)


class Accounts:
    """The accounts of a file, with a check of passwords that takes the same time for unknown names.

    Small and capital letters of a name are the same to whoever signs in. A file that was changed counts from the next
    sign-in on; one that cannot be used is logged once, and what was read before counts.
    """

    def __init__(self, path: Path) -> None:
        """Read the file; for what is raised see `read_accounts`."""
        self._path = path
        self._seen = state_of(path)
        self._accounts = read_accounts(path)

    def check(self, account_id: str, password: str) -> Account | None:
        """Return the account if the password is right, else None."""
        self._look()
        account, kept = self._accounts.get(account_id.lower(), (None, "no hash"))
        return account if _is_of(password, kept) else None

    def _look(self) -> None:
        if (state := state_of(self._path)) == self._seen:
            return
        self._seen = state
        try:
            self._accounts = read_accounts(self._path)
        except (OSError, ValueError, LookupError, TypeError, yaml.YAMLError) as error:
            reason = str(error) if type(error) is ValueError else type(error).__name__  # others may quote the file
            _log.error("accounts.refused", reason=reason)


def read_accounts(path: Path) -> dict[str, tuple[Account, object]]:
    """Return the accounts of a file with what is kept of each password, by name in small letters.

    Raises:
        ValueError: An account has a role that there is not, which no service would let in, or stands twice.
    """
    found: dict[str, tuple[Account, object]] = {}
    for entry in yaml.safe_load(path.read_text())["accounts"]:
        account = Account(str(entry["id"]), entry["name"], entry["role"], entry.get("client"), entry.get("body"))
        if account.role not in get_args(Role):
            roles = ", ".join(get_args(Role))
            raise ValueError(f"{path}: {account.id} has the role {account.role!r}; expected one of {roles}")
        if account.id.lower() in found:
            raise ValueError(f"{path}: {account.id} stands twice, as small and capital letters are the same")
        found[account.id.lower()] = account, entry["password"]
    return found


def add_account(path: Path, account: Account, password: str) -> None:
    """Add an account to the file, which is made if there is none. The other accounts stay as they are.

    Raises:
        ValueError: There is an account of this name, or the file cannot be used.
    """
    entry = _entry(account, password)
    with _alone(path.parent):
        _add(path, account, entry)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one command at a time read and write a file here: of two that add an account, the later would undo the earlier."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _add(path: Path, account: Account, entry: dict[str, str]) -> None:
    known = read_accounts(path) if path.exists() else {}
    if account.id.lower() in known:
        raise ValueError(f"{path} has an account {account.id}: take that one out first, or choose another name")
    before = path.read_text().rstrip("\n") if known else "accounts:"
    entries = [*(yaml.safe_load(before)["accounts"] or ()), entry]
    text = f"{before}\n{yaml.safe_dump([entry], sort_keys=False)}"
    write_secret(path, (text if _reads(text, entries) else _dumped(entries)).encode())


def _reads(text: str, entries: list[dict[str, str]]) -> bool:
    """Say whether what was put behind the file as it is, comments and all, is one of its accounts."""
    try:
        return bool(yaml.safe_load(text) == {"accounts": entries})
    except yaml.YAMLError:
        return False


def _dumped(entries: list[dict[str, str]]) -> str:
    return yaml.safe_dump({"accounts": entries}, sort_keys=False)


def write_accounts(path: Path, password_of: Callable[[str], str]) -> None:
    """Write the first accounts, each with the password for its id, unless the file exists: it is the operator's then."""
    if path.exists():
        return
    entries = [_entry(account, password_of(account.id)) for account in FIRST_ACCOUNTS]
    write_secret(path, _dumped(entries).encode())


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


def _entry(account: Account, password: str) -> dict[str, str]:
    kept = {"id": account.id, "name": account.name, "role": account.role, "password": hash_password(password)}
    return kept | account.acts_for


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
