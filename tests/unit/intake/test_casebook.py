"""Which case and which child: minted once, linked once, shared by linked cases."""

from __future__ import annotations

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.casebook import CaseBook, Known, Link, MintKey, Target

POLICE, COUNCIL, BOARD = b"police/1", b"council/1", b"board/1"


def minting() -> MintKey:
    numbers = count(1)
    return lambda: f"key-{next(numbers)}"


def test_a_case_is_minted_once() -> None:
    book = CaseBook(Known(), minting())

    first, _ = book.case(POLICE)
    again, _ = book.case(POLICE)
    other, _ = book.case(COUNCIL)

    assert (first, again, other) == ("key-1", "key-1", "key-2")
    assert book.new_cases == {POLICE: "key-1", COUNCIL: "key-2"}


def test_a_known_case_keeps_its_key() -> None:
    book = CaseBook(Known(cases={POLICE: "known"}), minting())

    assert book.case(POLICE) == ("known", ())
    assert not book.new_cases


def test_a_link_by_reference_is_made_once_in_either_direction() -> None:
    book = CaseBook(Known(cases={POLICE: "p", COUNCIL: "c"}), minting())

    assert book.link("c", Target(None, POLICE)) == (Link("c", "p"),)
    assert book.link("c", Target(None, POLICE)) == ()
    assert book.link("p", Target("c", None)) == ()
    assert book.new_links == [Link("c", "p")]


def test_a_link_to_what_does_not_exist_waits_until_that_reference_is_minted() -> None:
    early = CaseBook(Known(cases={COUNCIL: "c"}), minting())

    assert early.link("c", Target(None, POLICE)) == ()
    assert early.new_waiting == [(POLICE, "c")]

    later = CaseBook(Known(waiting=[(POLICE, "c"), (POLICE, "b")]), minting())

    assert later.case(POLICE) == ("key-1", (Link("key-1", "c"), Link("key-1", "b")))
    assert later.settled == [POLICE]


def test_a_link_is_completed_within_one_batch() -> None:
    book = CaseBook(Known(), minting())
    council, _ = book.case(COUNCIL)

    assert book.link(council, Target(None, POLICE)) == ()
    police, links = book.case(POLICE)

    assert links == (Link(police, council),)


def test_a_key_that_was_never_minted_links_nothing() -> None:
    book = CaseBook(Known(cases={COUNCIL: "c"}), minting())

    assert book.link("c", Target("0" * 32, None)) == ()
    assert not book.new_links


def test_a_case_is_not_linked_to_itself() -> None:
    book = CaseBook(Known(cases={COUNCIL: "c"}), minting())

    assert book.link("c", Target(None, COUNCIL)) == ()
    assert book.link("c", Target("c", None)) == ()


def test_the_same_reference_in_a_linked_case_is_the_same_child() -> None:
    known = Known(
        cases={POLICE: "p", COUNCIL: "c", BOARD: "b"},
        children={("p", b"child-1"): "zebedee"},
        links=[("c", "p"), ("b", "c")],
    )
    book = CaseBook(known, minting())

    assert book.child("b", b"child-1") == "zebedee"  # two links away
    assert book.child("c", b"child-2") == "key-1"
    assert book.new_children == {("b", b"child-1"): "zebedee", ("c", b"child-2"): "key-1"}


def test_the_same_reference_in_a_case_that_is_not_linked_is_another_child() -> None:
    book = CaseBook(Known(cases={POLICE: "p"}, children={("p", b"child-1"): "zebedee"}), minting())
    council, _ = book.case(COUNCIL)

    assert book.child(council, b"child-1") != "zebedee"


def test_a_child_seen_before_the_link_keeps_its_own_key() -> None:
    known = Known(
        cases={POLICE: "p", COUNCIL: "c"}, children={("p", b"x"): "one", ("c", b"x"): "two"}, links=[("p", "c")]
    )

    assert CaseBook(known, minting()).child("c", b"x") == "two"


_STEPS = st.lists(
    st.tuples(st.sampled_from([POLICE, COUNCIL, BOARD]), st.sampled_from([POLICE, COUNCIL, BOARD])), max_size=8
)


@given(_STEPS)
def test_in_any_order_each_pair_that_was_named_is_linked_once_when_both_exist(steps: list[tuple[bytes, bytes]]) -> None:
    book = CaseBook(Known(), minting())
    told: list[Link] = []
    for own, named in steps:
        key, links = book.case(own)
        told += [*links, *book.link(key, Target(None, named))]

    pairs = {frozenset((book.new_cases[a], book.new_cases[b])) for a, b in steps if a != b and b in book.new_cases}
    assert [{link.case_key, link.linked_case_key} for link in told] == [set(pair) for pair in dict.fromkeys(
        frozenset((link.case_key, link.linked_case_key)) for link in told)]  # fmt: skip
    assert {frozenset((link.case_key, link.linked_case_key)) for link in told} == pairs
