"""The vault and the letterbox: what is sealed opens in its own place only, and hostile text only ever gets a refusal."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.jwk import ECKey

from handrail.client.personal import encrypt_personal
from services.intake.domain.problems import Refusal
from services.intake.letterbox import Letterbox
from services.intake.vault import Place, Vault, VaultRefused
from tests.support.intake import KEY

PLACE = Place("case", "child", "child.name", "event-1")


def letterbox() -> Letterbox:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Letterbox(pem.decode())


@given(st.binary(max_size=300))
def test_what_is_sealed_can_be_opened(plain: bytes) -> None:
    vault = Vault(KEY)
    key, wrapped = vault.new_key("case", "child")

    sealed = vault.seal(key, plain, PLACE)

    assert vault.open(vault.unwrap(wrapped, "case", "child"), sealed, PLACE) == plain


def test_sealing_the_same_twice_shows_no_likeness() -> None:
    vault = Vault(KEY)
    key, _ = vault.new_key("case", "child")

    assert vault.seal(key, b"Zebedee Testcase", PLACE) != vault.seal(key, b"Zebedee Testcase", PLACE)


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place("other", "child", "child.name", "event-1"),
        Place("case", "other", "child.name", "event-1"),
        Place("case", "child", "child.address", "event-1"),
        Place("case", "child", "child.name", "event-2"),
        Place("cas", "echild", "child.name", "event-1"),
    ],
)
def test_a_ciphertext_that_was_moved_does_not_open(elsewhere: Place) -> None:
    vault = Vault(KEY)
    key, _ = vault.new_key("case", "child")
    sealed = vault.seal(key, b"Zebedee Testcase", PLACE)

    with pytest.raises(VaultRefused):
        vault.open(key, sealed, elsewhere)


@given(st.integers(0, 43), st.integers(1, 255))
def test_an_altered_ciphertext_does_not_open(at: int, flip: int) -> None:
    vault = Vault(KEY)
    key, _ = vault.new_key("case", "child")
    sealed = bytearray(vault.seal(key, b"Zebedee Testcase", PLACE))
    sealed[at] ^= flip

    with pytest.raises(VaultRefused):
        vault.open(key, bytes(sealed), PLACE)


def test_a_data_key_of_another_child_does_not_unwrap() -> None:
    vault = Vault(KEY)
    _, wrapped = vault.new_key("case", "child")

    for case, child in (("case", ""), ("other", "child")):
        with pytest.raises(VaultRefused):
            vault.unwrap(wrapped, case, child)
    with pytest.raises(VaultRefused):
        Vault(bytes(32)).unwrap(wrapped, "case", "child")


def test_the_vault_never_shows_its_key() -> None:
    assert repr(Vault(KEY)) == "Vault(...)"


def test_a_block_encrypted_to_the_published_key_opens() -> None:
    box = letterbox()
    published = box.public_keys()["keys"][0]
    block = jwe.encrypt_compact(
        {"alg": "ECDH-ES+A256KW", "enc": "A256GCM"}, b'{"by": "Sample"}', ECKey.import_key(published)
    )

    assert "d" not in published
    assert box.open(block) == {"by": "Sample"}


def test_a_block_as_long_as_an_event_may_be_opens_as_the_client_made_it() -> None:
    box = letterbox()
    said = {"by": "S" * (191 * 1024)}  # in base64 a third longer, with what goes before it just below 256 kB
    block = encrypt_personal(said, box.public_keys())

    assert 250 * 1024 < len(block) <= 256 * 1024
    assert box.open(block) == said
    with pytest.raises(Refusal):
        box.open(encrypt_personal({"by": "S" * (192 * 1024)}, box.public_keys()))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "ECDH-ES", "enc": "A256GCM"},
        {"alg": "ECDH-ES+A256KW", "enc": "A128GCM"},
        {"alg": "ECDH-ES+A256KW", "enc": "A256GCM", "zip": "DEF"},
    ],
)
def test_other_algorithms_and_compression_are_refused(header: dict[str, str]) -> None:
    box = letterbox()
    key = ECKey.import_key(box.public_keys()["keys"][0] | {"alg": header["alg"]})
    allowed = ["ECDH-ES", "ECDH-ES+A256KW", "A256GCM", "A128GCM", "DEF"]
    block = jwe.encrypt_compact(header, b"{}", key, algorithms=allowed)

    with pytest.raises(Refusal) as caught:
        box.open(block)

    assert caught.value.cause == "unreadable_personal"


@pytest.mark.parametrize("plain", [b'{"by": "Sample", "by": "Example"}', b"[" * 5_000, b"\xff"])
def test_what_can_be_read_in_two_ways_or_not_at_all_is_refused_inside_a_block_too(plain: bytes) -> None:
    box = letterbox()
    key = ECKey.import_key(box.public_keys()["keys"][0])

    with pytest.raises(Refusal) as caught:
        box.open(jwe.encrypt_compact({"alg": "ECDH-ES+A256KW", "enc": "A256GCM"}, plain, key))

    assert caught.value.cause == "unreadable_personal"


_BLOCKS = st.text(max_size=60) | st.lists(st.text("abcAQeyJ-_", max_size=12), min_size=5, max_size=5).map(".".join)


@given(_BLOCKS)
def test_any_text_is_refused_and_never_crashes(block: str) -> None:
    with pytest.raises(Refusal):
        letterbox().open(block)


@given(st.integers(0, 400), st.characters(min_codepoint=33, max_codepoint=126))
def test_an_altered_block_is_refused_or_says_the_same(at: int, other: str) -> None:
    box = letterbox()
    key = ECKey.import_key(box.public_keys()["keys"][0])
    block = jwe.encrypt_compact({"alg": "ECDH-ES+A256KW", "enc": "A256GCM"}, b'{"by": "Sample"}', key)
    altered = block[: at % len(block)] + other + block[at % len(block) + 1 :]

    try:
        said = box.open(altered)
    except Refusal:
        return
    assert said == {"by": "Sample"}  # the last bits of base64 text carry nothing
