"""The record of a release: that two people let a version of the rulebook count, and of which files it is made. Pure.

The record stands next to the rulebook and has the digest of each file, so that one which was changed afterwards is found.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import yaml

from services.routing.domain.rulebook import tree
from services.routing.domain.rulebook.tree import Node, RulebookRefused, Text

SUFFIX: Final = ".release"
_TOP: Final = ("release", "supersedes", "author", "approved by", "released at", "sha256", "files")
_NONE: Final = "none"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_NAME_MAX: Final = 80


class WrongPeople(ValueError):
    """A name is that of nobody, or two names that are needed from two people are one person's."""


@dataclass(frozen=True, slots=True)
class Release:
    """A release, as its record says.

    `supersedes` is version and digest of the rulebook before it, None for the first. `files` has the digest of each file,
    the national one first, by its path in the folder of rulebooks. `file` is the record itself, `record_sha256` its digest.
    """

    version: str
    supersedes: tuple[str, str] | None
    author: str
    approved_by: str
    released_at: datetime
    sha256: str
    files: Mapping[str, str]
    file: str
    record_sha256: str = ""

    @property
    def people(self) -> tuple[str, str]:
        """Return who wrote it and who approved it."""
        return self.author, self.approved_by

    def check_file(self, path: str, text: Text) -> None:
        """See that a file is as it was released.

        Args:
            path: Where it stands in the folder of rulebooks, as in `files`.
            text: What it says now.

        Raises:
            RulebookRefused: It was changed.
        """
        if digest(text.text) != self.files[path]:
            raise RulebookRefused(
                text.file,
                1,
                f"changed after {self.version} was released on {self.released_at:%Y-%m-%d}: its sha256 is not the one in "
                f"{self.file}. A released file is never edited: put it back, and make the change in a new version",
            )


def digest(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def released_sha256(texts: Sequence[Text]) -> str:
    """Return the digest of a rulebook that is made of these files, as decisions carry it."""
    return digest(tree.whole(texts))


def two_people(author: str, approver: str) -> tuple[str, str]:
    """Return the names of two people, with single spaces.

    Raises:
        WrongPeople: One is missing, or they are the same but for spaces, accents and capitals.
    """
    names = person(author), person(approver)
    if _bare(names[0]) == _bare(names[1]):
        raise WrongPeople(f"expected two people: whoever wrote it ({names[0]}) does not approve it")
    return names


def person(name: str) -> str:
    """Return a person's name with single spaces.

    Raises:
        WrongPeople: It is none.
    """
    plain = " ".join(name.split())
    if not any(map(str.isalpha, plain)) or len(plain) > _NAME_MAX:
        raise WrongPeople(f"expected a person's name of at most {_NAME_MAX} characters, got `{plain[:_NAME_MAX]}`")
    return plain


def _bare(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def parse_release(text: str, file: str) -> Release:
    """Return what a record says.

    Raises:
        RulebookRefused: With file, line and what to do.
    """
    entry = tree.read(text, file).fields(_TOP)
    names = entry["author"].text(), entry["approved by"].text()
    try:
        author, approved_by = two_people(*names)
    except WrongPeople as same:
        raise entry["approved by"].refuse(str(same)) from same
    return Release(
        version=entry["release"].text(),
        supersedes=_supersedes(entry["supersedes"]),
        author=author,
        approved_by=approved_by,
        released_at=_instant(entry["released at"]),
        sha256=_digest(entry["sha256"]),
        files={path: _digest(node) for path, node in entry["files"].entries().items()},
        file=file,
        record_sha256=digest(text),
    )


def write_release(release: Release) -> str:
    """Return the text of a record."""
    before = release.supersedes
    return yaml.safe_dump(
        {
            "release": release.version,
            "supersedes": {"version": before[0], "sha256": before[1]} if before else _NONE,
            "author": release.author,
            "approved by": release.approved_by,
            "released at": release.released_at.isoformat(),
            "sha256": release.sha256,
            "files": dict(release.files),
        },
        sort_keys=False,
        allow_unicode=True,
        width=1000,
    )


def _supersedes(node: Node) -> tuple[str, str] | None:
    if node.is_text and node.text() == _NONE:
        return None
    entry = node.fields(("version", "sha256"))
    return entry["version"].text(), _digest(entry["sha256"])


def _instant(node: Node) -> datetime:
    try:
        found = datetime.fromisoformat(node.text())
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise node.refuse("expected an instant such as 2026-11-27T09:30:00+00:00")
    return found


def _digest(node: Node) -> str:
    if not _DIGEST.fullmatch(node.text()):
        raise node.refuse("expected a SHA-256 of 64 digits and letters a-f")
    return node.text()
