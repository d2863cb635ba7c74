"""The vault's cryptography: AES-256-GCM under one data key per case and child, each wrapped by a key from a file.

The associated data binds every ciphertext to its place, so that one moved to another case, child, field or version does not
open. Destroying a wrapped data key makes everything under it unreadable for ever. Nothing here touches a database; keys and
nonces come from the system's random source, or from the one that a test injects.

Source: NIST SP 800-38D; ARCHITECTURE.md section 5.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.kit.settings import KEY_BYTES, decode_key

_NONCE_BYTES: Final = 12
_UNIT: Final = "\x1f"
_FORMAT: Final = "handrail-vault-1"

RandomBytes = Callable[[int], bytes]


class VaultRefused(ValueError):
    """A ciphertext does not belong where it was found, or was altered."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a ciphertext belongs. `child_key` is empty for what is about the incident; `version` names the event."""

    case_key: str
    child_key: str
    field: str
    version: str

    def bound(self) -> bytes:
        """Return the associated data."""
        return _UNIT.join((_FORMAT, self.case_key, self.child_key, self.field, self.version)).encode()


class Vault:
    """Makes, wraps and uses data keys. Holds the key-encryption key; never shows it."""

    def __init__(self, key_encryption_key: bytes, random_bytes: RandomBytes = os.urandom) -> None:
        if len(key_encryption_key) != KEY_BYTES:
            raise ValueError(f"expected a vault key of {KEY_BYTES} bytes, got {len(key_encryption_key)}")
        self._kek = AESGCM(key_encryption_key)
        self._random = random_bytes

    def __repr__(self) -> str:
        return "Vault(...)"

    @classmethod
    def from_text(cls, text: str) -> Vault:
        """Return the vault of a key as its file has it: 32 bytes in base64."""
        return cls(decode_key(text))

    def new_key(self, case_key: str, child_key: str) -> tuple[bytes, bytes]:
        """Return a fresh data key for one case and child, and the same wrapped, which is what may be stored."""
        key = self._random(KEY_BYTES)
        return key, self._seal(self._kek, key, self._wrapping(case_key, child_key))

    def unwrap(self, wrapped: bytes, case_key: str, child_key: str) -> bytes:
        """Return a stored data key.

        Raises:
            VaultRefused: It was wrapped for another case or child, under another key, or was altered.
        """
        return self._open(self._kek, wrapped, self._wrapping(case_key, child_key))

    def seal(self, key: bytes, plain: bytes, place: Place) -> bytes:
        """Return nonce and ciphertext of `plain`, bound to its place."""
        return self._seal(AESGCM(key), plain, place.bound())

    def open(self, key: bytes, sealed: bytes, place: Place) -> bytes:
        """Return what was sealed.

        Raises:
            VaultRefused: It was sealed for another place, under another key, or was altered.
        """
        return self._open(AESGCM(key), sealed, place.bound())

    @staticmethod
    def _wrapping(case_key: str, child_key: str) -> bytes:
        return Place(case_key, child_key, "data-key", "1").bound()

    def _seal(self, cipher: AESGCM, plain: bytes, bound: bytes) -> bytes:
        nonce = self._random(_NONCE_BYTES)
        return nonce + cipher.encrypt(nonce, plain, bound)

    @staticmethod
    def _open(cipher: AESGCM, sealed: bytes, bound: bytes) -> bytes:
        try:
            return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
        except (InvalidTag, ValueError):
            raise VaultRefused("this does not belong here, or was altered, or is under another key") from None
