"""A password as PostgreSQL keeps it, against the example of RFC 7677."""

from __future__ import annotations

from base64 import b64decode

from services.kit.scram import scram_verifier


def test_the_example_of_the_standard_gives_its_keys() -> None:
    assert scram_verifier("pencil", b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ=="
        "$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


def test_nobody_can_tell_from_it_who_has_the_same_password() -> None:
    assert scram_verifier("pencil") != scram_verifier("pencil")
