"""Signed notes and checkpoints: the specification's example, every malformed form, every flipped bit."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from services.audit.domain.note import BadNote, Checkpoint, NoteKey, open_checkpoint, open_note, sign_note

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
NAME = "log.example/one"
KEY = NoteKey(NAME, PRIVATE.public_key().public_bytes_raw())
HEAD = Checkpoint(NAME, 20_852_163, bytes(range(32)))
NOTE = HEAD.sign(PRIVATE)

# The example of https://pkg.go.dev/golang.org/x/mod/sumdb/note (BSD-3-Clause, data only).
PETER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_published_note_opens_with_its_published_key() -> None:
    assert open_note(PETER_NOTE, [NoteKey.decode(PETER_KEY)]).startswith("If you think cryptography")
    assert NoteKey.decode(PETER_KEY).encode() == PETER_KEY


def test_a_checkpoint_has_the_form_of_the_specification() -> None:
    assert HEAD.text() == f"log.example/one\n20852163\n{b64encode(bytes(range(32))).decode()}\n"
    assert NOTE.splitlines()[3:4] == [""]
    assert NOTE.splitlines()[4].startswith("\u2014 log.example/one ")


def test_a_signed_checkpoint_opens_to_what_was_signed() -> None:
    assert open_checkpoint(NOTE, [KEY]) == HEAD


def test_signing_twice_gives_the_same_bytes() -> None:
    assert HEAD.sign(PRIVATE) == NOTE


def test_signatures_of_unknown_keys_are_ignored() -> None:
    second = sign_note(HEAD.text(), "witness.example", OTHER).rpartition("\n\n")[2]

    assert open_checkpoint(NOTE + second, [KEY]) == HEAD


def test_a_wrong_signature_of_a_trusted_key_refuses_the_whole_note() -> None:
    other = NoteKey("witness.example", OTHER.public_key().public_bytes_raw())
    wrong = sign_note("other text\n", "witness.example", OTHER).rpartition("\n\n")[2]

    with pytest.raises(BadNote, match="does not match the text"):
        open_note(NOTE + wrong, [KEY, other])


def test_a_note_that_no_trusted_key_signed_is_refused() -> None:
    with pytest.raises(BadNote, match="expected a signature by one of"):
        open_note(NOTE, [NoteKey(NAME, OTHER.public_key().public_bytes_raw())])


@given(st.data())
def test_any_flipped_bit_of_a_note_is_refused_or_changes_nothing_signed(data: st.DataObject) -> None:
    raw = bytearray(NOTE.encode())
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return

    with pytest.raises(BadNote):
        open_checkpoint(text, [KEY])


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "\n\n",
        NOTE.rstrip("\n"),
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("\u2014", "--"),
        NOTE.replace("\u2014 ", "\u2014  "),
        NOTE + "\n",
        NOTE + "not a signature\n",
        NOTE.replace("20852163", "2085\t2163"),
        NOTE.rpartition("\u2014")[0],
        NOTE + "".join(f"\u2014 witness.example/{number} AAAAAAAA\n" for number in range(100)),
    ],
)
def test_a_malformed_note_is_refused(broken: str) -> None:
    with pytest.raises(BadNote):
        open_note(broken, [KEY])


@pytest.mark.parametrize(
    "text",
    [
        "o\n1\n",
        "\n1\nAAAA\n",
        "o\n01\n{root}\n",
        "o\n-1\n{root}\n",
        "o\n1\nAAAA\n",
        "o\n1\n{root}\n\n",
        "o\n\u0661\n{root}\n",
        "o\n1\n?\n",
    ],
)
def test_a_note_that_is_not_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.read(text.replace("{root}", b64encode(bytes(32)).decode()))


def test_an_empty_log_and_extension_lines_are_read() -> None:
    root = b64encode(bytes(32)).decode()

    assert Checkpoint.read(f"o\n0\n{root}\n") == Checkpoint("o", 0, bytes(32))
    assert Checkpoint.read(f"o\n7\n{root}\nextra\n") == Checkpoint("o", 7, bytes(32))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b"])
def test_a_key_name_that_would_be_ambiguous_is_refused(name: str) -> None:
    with pytest.raises(BadNote, match="without spaces or plus signs"):
        NoteKey(name, bytes(32))


@pytest.mark.parametrize(
    "text",
    ["", "name", "name+c74f20a3", PETER_KEY.replace("c74f", "c74e"), PETER_KEY[:-4], PETER_KEY.replace("+AR", "+Ax")],
)
def test_a_verifier_key_that_does_not_hold_together_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        NoteKey.decode(text)


def test_text_that_could_be_read_as_signatures_is_never_signed() -> None:
    for text in ("no newline", "tab\t\n", "bell\a\n"):
        with pytest.raises(BadNote):
            sign_note(text, NAME, PRIVATE)
