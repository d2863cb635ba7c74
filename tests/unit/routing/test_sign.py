"""Pins the wire format of signed webhooks: Standard Webhooks 1.0, scheme v1a."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_public_key
from standardwebhooks.webhooks import Webhook

from deploy.stubs.signature import BadSignature, verify
from services.routing.dispatch.sign import public_key_pem, public_key_text, read_private_keys, sign

# RFC 8032 section 7.1, test 2: a key whose signatures anybody can reproduce.
RFC_KEY = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
)
BODY = b'{"type":"notice.v1"}'


def test_the_signature_is_ed25519_over_id_timestamp_and_the_exact_bytes() -> None:
    headers = sign([RFC_KEY], "msg_1", 1_674_087_231, BODY)

    scheme, _, encoded = headers["webhook-signature"].partition(",")
    assert scheme == "v1a"
    RFC_KEY.public_key().verify(base64.b64decode(encoded), b'msg_1.1674087231.{"type":"notice.v1"}')
    with pytest.raises(InvalidSignature):
        RFC_KEY.public_key().verify(base64.b64decode(encoded), b'msg_1.1674087231.{"type":"notice.v1"} ')


def test_the_signed_content_is_that_of_the_standard_webhooks_library() -> None:
    """The library signs with HMAC only; what it signs is the same text, in the same headers."""
    secret = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
    at = datetime.now(UTC).replace(microsecond=0)
    ours = sign([RFC_KEY], "msg_1", int(at.timestamp()), BODY)
    theirs = Webhook(secret).sign("msg_1", at, BODY.decode())

    read = Webhook(secret).verify(BODY, ours | {"webhook-signature": f"{ours['webhook-signature']} {theirs}"})

    assert read == json.loads(BODY)


def test_two_live_keys_both_sign_so_that_either_half_of_a_rotation_verifies() -> None:
    newer = Ed25519PrivateKey.generate()
    headers = sign([newer, RFC_KEY], "msg_1", 1_000, BODY)

    for key in (newer, RFC_KEY):
        assert verify(headers, BODY, [key.public_key()], now_s=1_000) == "msg_1"
    with pytest.raises(BadSignature):
        verify(headers, BODY, [Ed25519PrivateKey.generate().public_key()], now_s=1_000)


def test_a_key_file_may_hold_two_keys_and_nothing_but_ed25519_keys() -> None:
    keys = [RFC_KEY, Ed25519PrivateKey.generate()]
    pem = b"".join(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for key in keys)
    rsa = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    assert [public_key_text(key) for key in read_private_keys(pem)] == [public_key_text(key) for key in keys]
    for wrong in (b"", pem + rsa):
        with pytest.raises(ValueError, match="Ed25519"):
            read_private_keys(wrong)


def test_public_keys_are_published_in_both_usual_forms() -> None:
    loaded = load_pem_public_key(public_key_pem(RFC_KEY).encode())

    assert isinstance(loaded, Ed25519PublicKey)
    # RFC 8032 section 7.1, test 2, public key.
    assert loaded.public_bytes_raw().hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert public_key_text(RFC_KEY) == "whpk_" + base64.b64encode(loaded.public_bytes_raw()).decode()
