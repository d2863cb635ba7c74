"""Grants: signed permissions to fetch the content of one notice, cut to its disclosure profile (JWT, Ed25519).

A grant says which fields of which case may be given, how much of each, and to whom. Intake, which holds the content,
verifies it and logs every fetch. Grants live on the wall clock, as all tokens do.

Source: RFC 7519 (JWT), RFC 9864 (alg `Ed25519`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import OKPKey

ISSUER: Final = "handrail-routing"
AUDIENCE: Final = "handrail-intake"
VALID_FOR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Grant:
    """What may be fetched. `give` maps a field to how much of it; `subject` is `incident`, a child key or a report's id."""

    notice_id: UUID
    recipient: str
    case_keys: Sequence[str]
    subject: str
    profile: str
    purpose: str
    give: Mapping[str, str]


def read_key(pem: bytes) -> OKPKey:
    """Return the private key that signs grants."""
    return OKPKey.import_key(pem)


def mint(grant: Grant, key: OKPKey, now: datetime) -> str:
    """Return the grant as a bearer token, valid for `VALID_FOR` from `now` (wall clock)."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": grant.recipient,
        "jti": str(grant.notice_id),
        "iat": int(now.timestamp()),
        "exp": int((now + VALID_FOR).timestamp()),
        "case_key": grant.case_keys[0],
        "case_keys": list(grant.case_keys),
        "subject": grant.subject,
        "profile": grant.profile,
        "purpose": grant.purpose,
        "give": dict(grant.give),
    }
    return jwt.encode({"alg": "Ed25519", "typ": "JWT"}, claims, key, algorithms=["Ed25519"])
