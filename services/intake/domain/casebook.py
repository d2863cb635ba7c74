"""Which case and which child an event is about: finds the key that was minted, or mints one; links cases.

Keys are random and stored, never computed from anything a partner wrote. A case belongs to one client. A link joins the cases
of several reporters; history is not re-keyed, but a child first seen after the link has one key in all of them.

A case number can be guessed, so naming one is only a claim. It takes effect once the other side has let the claimant in: a
notice of that case, or of one linked with it, went to the claimant, or that case's own reporter names the claimant's case
back. A case key is random and stands only in notices and beside a question: whoever names it was told, or asked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

MintKey = Callable[[], str]
MAX_LINKS: Final = 20
"""Links of one case, those that wait included. What is named beyond them is kept in the event and has no effect."""


@dataclass(frozen=True, slots=True)
class Link:
    """Two cases about one incident. `case_key` is the one whose event, or whose minting, made the link."""

    case_key: str
    linked_case_key: str


@dataclass(frozen=True, slots=True)
class Target:
    """The case that an event names as linked: by Handrail's key, or by the digest of its reporter's reference."""

    case_key: str | None
    digest: bytes | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A case that named another's reference. `answers_for`: who stands today in the place of those it speaks for."""

    digest: bytes
    case_key: str
    answers_for: frozenset[str]


@dataclass(frozen=True, slots=True)
class Known:
    """What the store has about a batch.

    `cases`: case key by digest of client and reference. `keys`: every case within reach.
    `children`: child key by case key and digest of the child's reference, for all cases within reach.
    `waiting`: claims that this batch may fulfil. `claimed`: references that a case of the batch waits for, as pairs of both.
    `told`: case key and recipient of each notice that reached, or is on its way to, that recipient; a body by the one that
    stands in its place today.
    """

    cases: Mapping[bytes, str] = field(default_factory=dict)
    keys: frozenset[str] = frozenset()
    children: Mapping[tuple[str, bytes], str] = field(default_factory=dict)
    links: Iterable[tuple[str, str]] = ()
    waiting: Iterable[Claim] = ()
    claimed: frozenset[tuple[bytes, str]] = frozenset()
    told: frozenset[tuple[str, str]] = frozenset()


class CaseBook:
    """The cases of one batch: what was known, and what the batch adds. Used under the locks of all its references."""

    def __init__(self, known: Known, mint: MintKey) -> None:
        self._mint = mint
        self._cases = dict(known.cases)
        self._digests = {key: digest for digest, key in known.cases.items()}
        self._keys = {*known.keys, *known.cases.values()}
        self._children = dict(known.children)
        self._told = known.told
        self._neighbours: defaultdict[str, set[str]] = defaultdict(set)
        for one, two in known.links:
            self._join(one, two)
        self._claims: dict[tuple[bytes | None, str], Claim] = {
            (claim.digest, claim.case_key): claim for claim in known.waiting
        }
        self._stored = set(known.claimed)
        self._waiting = Counter(case_key for _, case_key in known.claimed)
        self.new_cases: dict[bytes, str] = {}
        self.new_children: dict[tuple[str, bytes], str] = {}
        self.new_links: list[Link] = []
        self.new_waiting: list[tuple[bytes, str]] = []
        self.settled: list[tuple[bytes, str]] = []

    @property
    def minted(self) -> frozenset[str]:
        """Case keys that this batch made: nobody else can know them yet."""
        return frozenset(self.new_cases.values())

    def case(self, digest: bytes) -> str:
        """Return the key of a case."""
        if digest not in self._cases:
            key = self._mint()
            self._cases[digest] = self.new_cases[digest] = key
            self._digests[key] = digest
            self._keys.add(key)
        return self._cases[digest]

    def recall(self, digest: bytes, case_key: str, children: Mapping[bytes, str]) -> tuple[Link, ...]:
        """Take back the keys under which an event was published before the store was restored from a backup.

        Args:
            digest: The reference of the event's case.
            case_key: The key that the case had then.
            children: Key by digest of the child's reference, of the children in the event.

        Returns:
            A link, if the case has got another key meanwhile: history is not re-keyed.
        """
        own = self._cases.setdefault(digest, case_key)
        if case_key not in self._keys:
            self._keys.add(case_key)
            if own == case_key:
                self.new_cases[digest] = case_key
                self._digests[case_key] = digest
        for child, key in children.items():
            if (case_key, child) not in self._children:
                self._children[case_key, child] = key
                if own == case_key:
                    self.new_children[case_key, child] = key
        return tuple(self._link(own, case_key))

    def link(self, case_key: str, target: Target, answers_for: frozenset[str]) -> tuple[Link, ...]:
        """Return the links that take effect because a case named another: none if the claim has to wait.

        Args:
            case_key: The case whose event names the other.
            target: The case that is named.
            answers_for: As in `Claim`.
        """
        if target.digest is None:
            named = target.case_key if target.case_key in self._keys else None
            direct = tuple(self._link(case_key, named)) if named else ()
            return (*direct, *self.settle()) if direct else ()
        if self._cases.get(target.digest) in {case_key, *self._neighbours[case_key]}:
            return ()
        claim = Claim(target.digest, case_key, answers_for)
        self._claims[target.digest, case_key] = claim
        if self._agreed(claim):
            return tuple(self.settle())
        self._store(target.digest, case_key)
        return ()

    def is_linked(self, digest: bytes, target: Target | None, case_key: str, answers_for: frozenset[str]) -> bool:
        """Say whether the case of a reference is another, is linked with it, or will be once it names `target`."""
        reached = {case_key, *self._linked(case_key)}
        own = self._cases.get(digest)
        if own in reached:
            return True
        if target is None:
            return False
        named = target.case_key if target.digest is None else self._cases.get(target.digest)
        if named not in reached or not self._has_room(named) or (own is not None and not self._has_room(own)):
            return False
        return target.digest is None or self._lets_in(named, digest, answers_for)

    def settle(self) -> Iterator[Link]:
        """Link what waited and waits no more. Each link may let in others, so look until nothing changes."""
        while ripe := [claim for claim in self._claims.values() if self._agreed(claim)]:
            for claim in ripe:
                del self._claims[claim.digest, claim.case_key]
                self.settled.append((claim.digest, claim.case_key))
                yield from self._link(claim.case_key, self._cases[claim.digest])

    def child(self, case_key: str, digest: bytes) -> str:
        """Return the key of a child: the case's own, else that of the same reference in a linked case, else a new one."""
        known = self._children.get((case_key, digest))
        if known is not None:
            return known
        shared = (self._children[near, digest] for near in self._linked(case_key) if (near, digest) in self._children)
        key = next(shared, None) or self._mint()
        self._children[case_key, digest] = self.new_children[case_key, digest] = key
        return key

    def known_child(self, case_key: str, digest: bytes) -> str | None:
        """Return the key of a child that a case has already."""
        return self._children.get((case_key, digest))

    def _agreed(self, claim: Claim) -> bool:
        other = self._cases.get(claim.digest)
        return other is not None and self._lets_in(other, self._digests.get(claim.case_key), claim.answers_for)

    def _lets_in(self, other: str, digest: bytes | None, answers_for: frozenset[str]) -> bool:
        """Say whether a reporter was told of another case, or is named back by it, by the reference of its own."""
        near = (other, *self._linked(other))
        return (digest, other) in self._claims or any((one, who) in self._told for one in near for who in answers_for)

    def _store(self, digest: bytes, case_key: str) -> None:
        if (digest, case_key) in self._stored:
            return
        if self._waiting[case_key] + len(self._neighbours[case_key]) >= MAX_LINKS:
            del self._claims[digest, case_key]
            return
        self._waiting[case_key] += 1
        self._stored.add((digest, case_key))
        self.new_waiting.append((digest, case_key))

    def _link(self, case_key: str, other: str) -> Iterator[Link]:
        if other == case_key or other in self._neighbours[case_key]:
            return
        if not (self._has_room(case_key) and self._has_room(other)):
            return
        self._join(case_key, other)
        link = Link(case_key, other)
        self.new_links.append(link)
        yield link

    def _has_room(self, case_key: str) -> bool:
        return len(self._neighbours[case_key]) < MAX_LINKS

    def _join(self, one: str, two: str) -> None:
        self._neighbours[one].add(two)
        self._neighbours[two].add(one)

    def _linked(self, case_key: str) -> Iterator[str]:
        """Walk the linked cases, nearest first, each once, in an order that does not depend on chance."""
        seen, queue = {case_key}, [case_key]
        while queue:
            here = queue.pop(0)
            for near in sorted(self._neighbours[here] - seen):
                seen.add(near)
                queue.append(near)
                yield near
