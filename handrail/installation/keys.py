"""Make the keys of an installation: each once, in its own file that only the owner can read, never overwritten."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import Final, Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.topics import SERVICES
from services.kit.files import write_whole

SIGNING_KEYS: Final = ("token", "webhook", "grant", "log")
"""Ed25519 pairs: access tokens, webhooks, content grants, checkpoints of the log."""

SYMMETRIC_KEYS: Final = ("vault", "identity", *(f"quarantine-{service}" for service in SERVICES))
"""256-bit keys, base64: the vault's key-encryption key, sameness of events, bytes in each service's quarantine."""


def make_keys(folder: Path) -> None:
    """Make every key that `folder` lacks; existing keys are left as they are."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in SIGNING_KEYS:
        if not (folder / f"{name}.key").exists():
            _write_pair(folder, name)
    for name in SYMMETRIC_KEYS:
        path = folder / f"{name}.key"
        if not path.exists():
            write_secret(path, base64.b64encode(secrets.token_bytes(32)))
    submission = folder / "submission.key"
    if not submission.exists():
        write_secret(submission, _private_pem(ec.generate_private_key(ec.SECP256R1())))


def read_password(folder: Path, name: str) -> str:
    """Return the password called `name`, drawn at first use (256 bits) and kept in the folder."""
    path = folder / f"{name}.password"
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(32).encode())
    return path.read_text()


def lacking_passwords(folder: Path, server: Literal["kafka", "database"]) -> tuple[str, ...]:
    """Return the services whose password for one of the two servers the folder does not have."""
    return tuple(service for service in SERVICES if not (folder / f"{server}-{service}.password").exists())


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, not even for a moment others; whole, or not at all."""
    write_whole(path, content, 0o600)


def _write_pair(folder: Path, name: str) -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / f"{name}.pub").write_bytes(public)
    write_secret(folder / f"{name}.key", _private_pem(private))


def _private_pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
