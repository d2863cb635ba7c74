"""Signed notes and log checkpoints: the text that a log puts its name under.

Implements https://c2sp.org/signed-note (Ed25519, signature type 0x01) and https://c2sp.org/tlog-checkpoint without
extension lines. A note carries no time, so signing the same tree head twice gives the same bytes.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.audit.domain.merkle import HASH_BYTES

ED25519 = b"\x01"  # signature type identifier of the signed-note specification
KEY_ID_BYTES = 4
MAX_SIGNATURES = 100  # the specification asks for a limit of at least 16
SIGNATURE_LINE = re.compile(r"\u2014 (?P<name>\S+) (?P<signature>[A-Za-z0-9+/]+={0,2})")
SIZE_LINE = re.compile(r"0|[1-9][0-9]{0,18}")


class BadNote(ValueError):
    """A note is malformed, or no key that we trust signed it."""


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key under the name that signs with it."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(character.isspace() for character in self.name):
            message = f"expected a key name without spaces or plus signs, got {self.name!r}"
            raise BadNote(message)

    @property
    def key_id(self) -> bytes:
        """Return the first four bytes of SHA-256(name || newline || type || public key)."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:KEY_ID_BYTES]

    def encode(self) -> str:
        """Return the verifier key in the form `name+hexadecimal id+base64(type || public key)`."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def decode(cls, text: str) -> "NoteKey":
        """Read a verifier key.

        Raises:
            BadNote: It is not an Ed25519 verifier key, or its id does not match.
        """
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        material = _decode_base64(encoded)
        key = cls(name, material[1:])
        if material[:1] != ED25519 or len(key.public) != HASH_BYTES or key.key_id.hex() != key_id:
            message = "expected an Ed25519 verifier key `name+id+key` whose id matches"
            raise BadNote(message)
        return key


def sign_note(text: str, name: str, private: Ed25519PrivateKey) -> str:
    """Return `text` (ending in a newline) with one signature line by `name`.

    Raises:
        BadNote: The text cannot stand in a note.
    """
    _check_text(text)
    key = NoteKey(name, private.public_key().public_bytes_raw())
    return f"{text}\n\u2014 {name} {b64encode(key.key_id + private.sign(text.encode())).decode()}\n"


def open_note(note: str, trusted: Sequence[NoteKey]) -> str:
    """Return the text of a note that at least one trusted key signed; signatures of other keys are ignored.

    Raises:
        BadNote: The note is malformed, a trusted key's signature is wrong, or no trusted key signed it.
    """
    body, gap, tail = note.rpartition("\n\n")
    text, lines = body + "\n", tail.split("\n")
    if not gap or lines.pop() != "" or not 0 < len(lines) <= MAX_SIGNATURES:
        message = "expected a text, an empty line and signature lines, each ending in a newline"
        raise BadNote(message)
    _check_text(text)
    known = {(key.name, key.key_id): Ed25519PublicKey.from_public_bytes(key.public) for key in trusted}
    signed = 0
    for line in lines:
        parts = SIGNATURE_LINE.fullmatch(line)
        material = _decode_base64(parts["signature"]) if parts else b""
        if parts is None or "+" in parts["name"] or len(material) <= KEY_ID_BYTES:
            message = "expected signature lines of the form `\u2014 name base64`"
            raise BadNote(message)
        public = known.get((parts["name"], material[:KEY_ID_BYTES]))
        if public is not None:
            _verify(public, material[KEY_ID_BYTES:], text, parts["name"])
            signed += 1
    if not signed:
        message = f"expected a signature by one of {sorted(key.name for key in trusted)}, got none"
        raise BadNote(message)
    return text


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of one log: its name, how many entries it has, and the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the note text: origin, size, base64 root."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    def sign(self, private: Ed25519PrivateKey) -> str:
        """Return the signed note, the log's key named as its origin."""
        return sign_note(self.text(), self.origin, private)

    @classmethod
    def read(cls, text: str) -> "Checkpoint":
        """Read a note text that `open_note` gave; extension lines are allowed and ignored.

        Raises:
            BadNote: It is not a checkpoint.
        """
        origin, _, rest = text.partition("\n")
        size, _, rest = rest.partition("\n")
        encoded, _, extensions = rest.partition("\n")
        root = _decode_base64(encoded)
        if not origin or not SIZE_LINE.fullmatch(size) or len(root) != HASH_BYTES or "\n\n" in "\n" + extensions:
            message = "expected an origin, a size without leading zeroes and a base64 root hash of 32 bytes"
            raise BadNote(message)
        return cls(origin, int(size), root)


def open_checkpoint(note: str, trusted: Sequence[NoteKey]) -> Checkpoint:
    """Return the checkpoint of a note that a trusted key signed.

    Raises:
        BadNote: As `open_note`, or the text is not a checkpoint.
    """
    return Checkpoint.read(open_note(note, trusted))


def _verify(public: Ed25519PublicKey, signature: bytes, text: str, name: str) -> None:
    try:
        public.verify(signature, text.encode())
    except InvalidSignature:
        message = f"the signature of {name} does not match the text"
        raise BadNote(message) from None


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(character < " " and character != "\n" for character in text):
        message = "expected text that ends in a newline and has no other control character"
        raise BadNote(message)


def _decode_base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        message = "expected base64"
        raise BadNote(message) from None
