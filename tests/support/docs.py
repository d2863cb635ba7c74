"""What the documentation says that can be checked: its links, pictures, commands and settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(?P<language>\S*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")
_INNER = re.compile(r"\$\((handrail [^()]+)\)")
_SHELLS = ("sh", "console")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    language: str
    body: str

    def commands(self) -> tuple[str, ...]:
        """Return the command lines of a shell block; continued lines are joined, comments left out."""
        if self.language not in _SHELLS:
            return ()
        lines = self.body.replace("\\\n", " ").splitlines()
        if self.language == "console":
            lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


@dataclass(frozen=True, slots=True)
class Link:
    """A link or a picture. `target` is as it stands on the page."""

    is_picture: bool
    text: str
    target: str


@dataclass(frozen=True)
class Document:
    """One page of the documentation."""

    path: Path

    @property
    def text(self) -> str:
        """The whole page."""
        return self.path.read_text(encoding="utf-8")

    def blocks(self) -> tuple[Block, ...]:
        """Return the fenced blocks, in order."""
        return tuple(Block(found["language"], found["body"]) for found in _FENCE.finditer(self.text))

    def prose(self) -> str:
        """Return the page without its fenced blocks."""
        return _FENCE.sub("", self.text)

    def links(self) -> Iterator[Link]:
        """Yield links and pictures, in order."""
        for found in _LINK.finditer(self.prose()):
            yield Link(found["picture"] == "!", found["text"], found["target"])

    def commands(self) -> Iterator[str]:
        """Yield every command line: of the shell blocks, and inline code that is one."""
        for block in self.blocks():
            for command in block.commands():
                yield command
                yield from _INNER.findall(command)
        for found in _INLINE.finditer(self.prose()):
            if found[1].startswith(("make ", "handrail ")):
                yield found[1]


def documents() -> tuple[Document, ...]:
    """Return the pages that people read: those at the root, all below `docs`, and the runbooks."""
    places = (ROOT.glob("*.md"), (ROOT / "docs").rglob("*.md"), (ROOT / "deploy" / "runbooks").glob("*.md"))
    return tuple(Document(path) for path in sorted(path for place in places for path in place))


def anchors(page: Path) -> set[str]:
    """Return the names that a page's headings are linked by."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
