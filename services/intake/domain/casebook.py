"""Which case and which child an event is about: finds the key that was minted, or mints one; links cases.

Keys are random and stored, never computed from anything a partner wrote. A case belongs to one client. A link joins the cases
of several reporters; history is not re-keyed, but a child first seen after the link has one key in all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

MintKey = Callable[[], str]


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
class Known:
    """What the store has about a batch.

    `cases`: case key by digest of client and reference. `keys`: those of the case keys asked about that exist.
    `children`: child key by case key and digest of the child's reference, for all cases reachable by `links`.
    `waiting`: case keys that named a reference before anybody had reported under it, by digest of that reference.
    """

    cases: Mapping[bytes, str] = field(default_factory=dict)
    keys: frozenset[str] = frozenset()
    children: Mapping[tuple[str, bytes], str] = field(default_factory=dict)
    links: Iterable[tuple[str, str]] = ()
    waiting: Iterable[tuple[bytes, str]] = ()


class CaseBook:
    """The cases of one batch: what was known, and what the batch adds. Used under the locks of all its references."""

    def __init__(self, known: Known, mint: MintKey) -> None:
        self._mint = mint
        self._cases = dict(known.cases)
        self._keys = {*known.keys, *known.cases.values()}
        self._children = dict(known.children)
        self._neighbours: defaultdict[str, set[str]] = defaultdict(set)
        for one, two in known.links:
            self._join(one, two)
        self._waiting: defaultdict[bytes, list[str]] = defaultdict(list)
        for digest, case_key in known.waiting:
            self._waiting[digest].append(case_key)
        self.new_cases: dict[bytes, str] = {}
        self.new_children: dict[tuple[str, bytes], str] = {}
        self.new_links: list[Link] = []
        self.new_waiting: list[tuple[bytes, str]] = []
        self.settled: list[bytes] = []

    @property
    def minted(self) -> frozenset[str]:
        """Case keys that this batch made: nobody else can know them yet."""
        return frozenset(self.new_cases.values())

    def case(self, digest: bytes) -> tuple[str, tuple[Link, ...]]:
        """Return the key of a case, and the links that its minting completed (oldest first)."""
        known = self._cases.get(digest)
        if known is not None:
            return known, ()
        key = self._mint()
        self._cases[digest] = self.new_cases[digest] = key
        self._keys.add(key)
        waiting = self._waiting.pop(digest, [])
        if waiting:
            self.settled.append(digest)
        return key, tuple(link for other in waiting for link in self._link(key, other))

    def link(self, case_key: str, target: Target) -> tuple[Link, ...]:
        """Return the link to the case that was named: none if it is there already, or has to wait for that case."""
        if target.digest is not None:
            other = self._cases.get(target.digest)
            if other is None:
                self._wait(target.digest, case_key)
        else:
            other = target.case_key if target.case_key in self._keys else None
        return tuple(self._link(case_key, other)) if other is not None else ()

    def child(self, case_key: str, digest: bytes) -> str:
        """Return the key of a child: the case's own, else that of the same reference in a linked case, else a new one."""
        known = self._children.get((case_key, digest))
        if known is not None:
            return known
        shared = (self._children[near, digest] for near in self._linked(case_key) if (near, digest) in self._children)
        key = next(shared, None) or self._mint()
        self._children[case_key, digest] = self.new_children[case_key, digest] = key
        return key

    def _wait(self, digest: bytes, case_key: str) -> None:
        if case_key not in self._waiting[digest]:
            self._waiting[digest].append(case_key)
            self.new_waiting.append((digest, case_key))

    def _link(self, case_key: str, other: str) -> Iterator[Link]:
        if other == case_key or other in self._neighbours[case_key]:
            return
        self._join(case_key, other)
        link = Link(case_key, other)
        self.new_links.append(link)
        yield link

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
