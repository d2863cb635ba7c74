"""Identities are derived: the same thing gets the same id, different things do not."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from schemas import identity

OBLIGATION = ("a" * 32, "N-01", 0, "la:E08000035", "incident", "aware_on of la:E08000035")


def test_an_obligation_keeps_its_id_for_ever() -> None:
    """A literal: changing it would re-open every duty of every running installation."""
    assert identity.obligation_id(*OBLIGATION) == UUID("c202859e-9594-5385-9c39-8ca1de800b04")


def test_sameness_of_events_is_per_client() -> None:
    assert identity.event_id("a", "urn:x", "1") != identity.event_id("b", "urn:x", "1")


@given(st.text(), st.text(), st.text(), st.text())
def test_moving_a_boundary_between_parts_changes_the_id(a: str, b: str, c: str, d: str) -> None:
    one, other = identity.event_id(a, b, c + d), identity.event_id(a, b + c, d)

    assert (one == other) == (c == "")


def test_a_link_is_the_same_from_both_sides() -> None:
    assert identity.link_id("a" * 32, "b" * 32) == identity.link_id("b" * 32, "a" * 32)
