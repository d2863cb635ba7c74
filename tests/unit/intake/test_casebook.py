"""Which case and which child: minted once, linked once and only with consent, shared by linked cases."""

from __future__ import annotations

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.casebook import MAX_LINKS, CaseBook, Claim, Known, Link, MintKey, Target

POLICE, COUNCIL, BOARD = b"police/1", b"council/1", b"board/1"
LEEDS, NOBODY = frozenset({"la:leeds"}), frozenset[str]()


def minting() -> MintKey:
    numbers = count(1)
    return lambda: f"key-{next(numbers)}"


def test_a_case_is_minted_once() -> None:
    book = CaseBook(Known(), minting())

    assert (book.case(POLICE), book.case(POLICE), book.case(COUNCIL)) == ("key-1", "key-1", "key-2")
    assert book.new_cases == {POLICE: "key-1", COUNCIL: "key-2"}


def test_a_known_case_keeps_its_key() -> None:
    book = CaseBook(Known(cases={POLICE: "known"}), minting())

    assert book.case(POLICE) == "known"
    assert not book.new_cases


def test_whoever_guesses_a_reference_is_not_let_in() -> None:
    book = CaseBook(Known(cases={POLICE: "p", COUNCIL: "c"}, told=frozenset({("p", "lscp:example")})), minting())

    assert book.link("c", Target(None, POLICE), LEEDS) == ()
    assert not book.new_links
    assert book.new_waiting == [(POLICE, "c")]
    assert book.child("p", b"child-1") != book.child("c", b"child-1")


def test_whoever_names_the_key_is_linked_once_in_either_direction() -> None:
    book = CaseBook(Known(cases={POLICE: "p", COUNCIL: "c"}), minting())

    assert book.link("c", Target("p", None), NOBODY) == (Link("c", "p"),)
    assert book.link("p", Target("c", None), NOBODY) == ()
    assert book.link("p", Target(None, COUNCIL), NOBODY) == ()
    assert book.new_links == [Link("c", "p")]
    assert not book.new_waiting


def test_whoever_was_told_of_the_case_or_of_one_linked_with_it_is_linked_at_once() -> None:
    told = frozenset({("b", "la:leeds")})
    known = Known(cases={POLICE: "p", COUNCIL: "c", BOARD: "b"}, links=[("b", "p")], told=told)
    book = CaseBook(known, minting())

    assert book.link("c", Target(None, POLICE), LEEDS) == (Link("c", "p"),)
    assert not book.new_waiting


def test_a_claim_waits_until_the_other_reporter_names_the_case_back() -> None:
    early = CaseBook(Known(cases={COUNCIL: "c"}), minting())

    assert early.link("c", Target(None, POLICE), LEEDS) == ()
    assert early.new_waiting == [(POLICE, "c")]

    later = CaseBook(Known(cases={COUNCIL: "c"}, waiting=[Claim(POLICE, "c", LEEDS)]), minting())
    police = later.case(POLICE)

    assert not later.new_links  # minting alone is no consent
    assert later.link(police, Target(None, COUNCIL), NOBODY) == (Link("c", police),)
    assert set(later.settled) == {(POLICE, "c"), (COUNCIL, police)}
    assert not later.new_waiting


def test_a_claim_that_waited_takes_effect_when_its_reporter_is_told() -> None:
    waiting = [Claim(POLICE, "c", LEEDS), Claim(POLICE, "b", NOBODY)]
    told = frozenset({("p", "la:leeds")})
    book = CaseBook(Known(cases={POLICE: "p"}, waiting=waiting, told=told), minting())

    assert list(book.settle()) == [Link("c", "p")]
    assert book.settled == [(POLICE, "c")]
    assert list(book.settle()) == []


def test_a_new_link_lets_in_whoever_was_told_of_the_case_that_it_brings() -> None:
    known = Known(
        cases={POLICE: "p", BOARD: "b"}, waiting=[Claim(BOARD, "c", LEEDS)], told=frozenset({("p", "la:leeds")})
    )
    book = CaseBook(known, minting())

    assert book.link("b", Target("p", None), NOBODY) == (Link("b", "p"), Link("c", "b"))


def test_a_key_that_was_never_minted_links_nothing() -> None:
    book = CaseBook(Known(cases={COUNCIL: "c"}), minting())

    assert book.link("c", Target("0" * 32, None), LEEDS) == ()
    assert not book.new_links


def test_a_case_is_not_linked_to_itself() -> None:
    book = CaseBook(Known(cases={COUNCIL: "c"}), minting())

    assert book.link("c", Target(None, COUNCIL), LEEDS) == ()
    assert book.link("c", Target("c", None), LEEDS) == ()
    assert not book.new_waiting


def test_a_case_has_at_most_so_many_links() -> None:
    full = [("p", f"other-{number}") for number in range(MAX_LINKS)]
    book = CaseBook(Known(cases={POLICE: "p", COUNCIL: "c"}, links=full), minting())

    assert book.link("c", Target("p", None), NOBODY) == ()
    assert book.link("p", Target("c", None), NOBODY) == ()


def test_an_event_is_linked_by_what_it_names_exactly_if_it_will_be() -> None:
    told, back = frozenset({("p", "la:leeds")}), [Claim(COUNCIL, "p", NOBODY)]
    full = [("p", f"other-{number}") for number in range(MAX_LINKS)]
    by_key, by_reference = Target("p", None), Target(None, POLICE)

    def is_linked(known: Known, target: Target | None, answers_for: frozenset[str] = NOBODY) -> bool:
        book = CaseBook(known, minting())
        said = book.is_linked(COUNCIL, target, "p", answers_for)
        if target is not None:
            book.link(book.case(COUNCIL), target, answers_for)
        assert said == book.is_linked(COUNCIL, None, "p", answers_for)
        return said

    for cases in ({POLICE: "p"}, {POLICE: "p", COUNCIL: "c"}):
        assert not is_linked(Known(cases=cases), None)
        assert is_linked(Known(cases=cases), by_key)
        assert not is_linked(Known(cases=cases, links=full), by_key)
        assert not is_linked(Known(cases=cases), by_reference, LEEDS)
        assert is_linked(Known(cases=cases, told=told), by_reference, LEEDS)
        assert not is_linked(Known(cases=cases, told=told), by_reference)
        assert not is_linked(Known(cases=cases, told=told, links=full), by_reference, LEEDS)
        assert is_linked(Known(cases=cases, waiting=back), by_reference)


def test_a_case_waits_for_at_most_so_many_others_and_for_each_once() -> None:
    stored = frozenset((b"guess/%d" % number, "c") for number in range(MAX_LINKS - 1))
    book = CaseBook(Known(cases={COUNCIL: "c"}, claimed=stored), minting())

    for digest in (b"guess/0", POLICE, BOARD, POLICE):
        book.link("c", Target(None, digest), NOBODY)

    assert book.new_waiting == [(POLICE, "c")]


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
    council = book.case(COUNCIL)

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
def test_in_any_order_exactly_the_pairs_that_named_each_other_are_linked_once(steps: list[tuple[bytes, bytes]]) -> None:
    book = CaseBook(Known(), minting())
    told: list[Link] = []
    for own, named in steps:
        told += book.link(book.case(own), Target(None, named), NOBODY)

    mutual = {frozenset((book.new_cases[a], book.new_cases[b])) for a, b in steps if a != b and (b, a) in steps}
    pairs = [frozenset((link.case_key, link.linked_case_key)) for link in told]
    assert len(pairs) == len(mutual)
    assert set(pairs) == mutual


def test_an_event_that_was_published_before_a_restore_brings_its_keys_back() -> None:
    book = CaseBook(Known(), minting())

    links = book.recall(POLICE, "published", {b"child-1": "published-child"})

    assert links == ()
    assert (book.case(POLICE), book.child("published", b"child-1")) == ("published", "published-child")
    assert book.new_cases == {POLICE: "published"}
    assert book.new_children == {("published", b"child-1"): "published-child"}


def test_a_case_that_has_another_key_since_a_restore_is_linked_with_the_one_it_had() -> None:
    book = CaseBook(Known(cases={POLICE: "later"}), minting())

    links = book.recall(POLICE, "published", {b"child-1": "published-child"})

    assert links == (Link("later", "published"),)
    assert book.case(POLICE) == "later"
    assert book.child("later", b"child-1") == "published-child"
    assert not book.new_cases


def test_keys_that_are_known_are_not_brought_back_again() -> None:
    known = Known(cases={POLICE: "p"}, children={("p", b"child-1"): "child"})
    book = CaseBook(known, minting())

    assert book.recall(POLICE, "p", {b"child-1": "child"}) == ()
    assert not book.new_cases
    assert not book.new_children
