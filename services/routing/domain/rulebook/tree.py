"""A YAML or JSON file as a tree of nodes that know their file and line, so that a refusal can say where.

Only a part of YAML is read: block mappings, block lists and scalars, and every scalar is text. Flow style, anchors,
aliases, tags and repeated keys are refused, because a policy officer would misread them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

import yaml
from yaml.composer import Composer

from schemas.vocabulary import nearest


class RulebookRefused(ValueError):
    """A rulebook cannot be used as it stands: says the file, the line, what was expected, and what to do."""

    def __init__(self, file: str, line: int, problem: str) -> None:
        self.file = file
        self.line = line
        self.problem = problem
        super().__init__(f"{file}, line {line}: {problem}")


class Text(NamedTuple):
    """A file: its name, for refusals, and what it says."""

    file: str
    text: str


def whole(texts: Iterable[Text]) -> str:
    """Return the text of several files, as YAML's documents one after the other."""
    return "\n---\n".join(each.text for each in texts)


class Node:
    """One place in the file: a text, a mapping or a list. Readers say what they expect and get it, or a refusal."""

    def __init__(self, node: yaml.Node, file: str, path: str, line: int | None = None) -> None:
        self._node: Final = node
        self.file: Final = file
        self.path: Final = path
        self.line: Final[int] = node.start_mark.line + 1 if line is None else line

    def refuse(self, problem: str) -> RulebookRefused:
        """Return a refusal of this place, to be raised."""
        return RulebookRefused(self.file, self.line, f"{self.path}: {problem}")

    def text(self) -> str:
        """Return the scalar as text; never empty."""
        if not isinstance(self._node, yaml.ScalarNode):
            raise self.refuse("expected a text")
        value = str(self._node.value).strip()
        if not value:
            raise self.refuse("expected a text, found nothing after the colon")
        return value

    def items(self) -> list[Node]:
        """Return the entries of a list; never empty."""
        if not isinstance(self._node, yaml.SequenceNode):
            raise self.refuse("expected a list, each entry on its own line after a dash")
        return [Node(entry, self.file, f"{self.path} > entry {n}") for n, entry in enumerate(self._node.value, 1)]

    def entries(self) -> dict[str, Node]:
        """Return a mapping's entries by key, in the order of the file."""
        if not isinstance(self._node, yaml.MappingNode):
            raise self.refuse("expected keys with values")
        found: dict[str, Node] = {}
        for key_node, value_node in self._node.value:
            place = Node(key_node, self.file, self.path)
            key = place.text()
            if key in found:
                raise place.refuse(f"`{key}` stands twice")
            # Of a list or mapping the line of its key is given, not that of its first entry.
            found[key] = Node(value_node, self.file, f"{self.path} > {key}" if self.path else key, place.line)
        return found

    def fields(self, required: Iterable[str], optional: Iterable[str] = ()) -> dict[str, Node]:
        """Return the entries of a mapping that has all required keys and no other than those named."""
        found = self.entries()
        required = tuple(required)
        allowed = {*required, *optional}
        for key, node in found.items():
            if key not in allowed:
                raise node.refuse(f"unknown key{_hint(key, allowed)}; expected one of: {', '.join(sorted(allowed))}")
        for key in required:
            if key not in found:
                raise self.refuse(f"`{key}:` is missing")
        return found

    def one_of(self, allowed: Iterable[str]) -> str:
        """Return the scalar, which must be one of the `allowed` texts."""
        value = self.text()
        allowed = tuple(allowed)
        if value not in allowed:
            raise self.refuse(f"`{value}` is not known{_hint(value, allowed)}; expected one of: {', '.join(allowed)}")
        return value

    def number(self) -> int:
        """Return a whole number, 0 or more."""
        value = self.text()
        if not (value.isascii() and value.isdigit()):
            raise self.refuse(f"expected a whole number, found `{value}`")
        return int(value)

    def day(self) -> date:
        """Return a date, written as YYYY-MM-DD."""
        try:
            return date.fromisoformat(self.text())
        except ValueError as error:
            raise self.refuse(f"expected a date as YYYY-MM-DD, found `{self.text()}`") from error

    @property
    def is_text(self) -> bool:
        """Say whether the place holds a scalar."""
        return isinstance(self._node, yaml.ScalarNode)


class _Loader(Composer, yaml.CBaseLoader):
    """A loader that makes only text, refusing on the way what a policy officer would misread.

    LibYAML parses, eight times as fast as PyYAML does; PyYAML composes, so that every event passes here.
    """

    def __init__(self, stream: str) -> None:
        yaml.CBaseLoader.__init__(self, stream)
        Composer.__init__(self)  # it comes first, so its methods win over LibYAML's own

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: yaml.Event | None = self.peek_event()
        if isinstance(event, yaml.CollectionStartEvent) and event.flow_style:
            raise _Misleading("braces or brackets are not used here: write one entry per line", event)
        if isinstance(event, yaml.AliasEvent) or (isinstance(event, yaml.NodeEvent) and event.anchor):
            raise _Misleading("anchors (&) and aliases (*) are not used here: write it out", event)
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
            raise _Misleading("tags (!) are not used here: write the value alone", event)
        return super().compose_node(parent, index)


class _JsonLoader(yaml.BaseLoader):
    """PyYAML's loader for JSON that has been found to be JSON, of which YAML is a superset: every scalar is text."""


class _Misleading(yaml.YAMLError):
    """A part of YAML that is not read here."""

    def __init__(self, problem: str, event: yaml.Event) -> None:
        super().__init__(problem)
        self.problem = problem
        self.problem_mark = event.start_mark


def read(text: str, file: str) -> Node:
    """Return the root of the file's tree.

    Raises:
        RulebookRefused: The text is not YAML, or uses a part of it that is not read here.
    """
    return _composed(text, file, _Loader)


def read_json(text: str, file: str) -> Node:
    """Return the root of a JSON file's tree; every scalar is text, as in YAML.

    Raises:
        RulebookRefused: The text is not JSON.
    """
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise RulebookRefused(file, error.lineno, f"not JSON: {error.msg} at column {error.colno}") from error
    return _composed(text.replace("\t", " "), file, _JsonLoader)  # YAML takes no tabs, JSON has them only between words


def _composed(text: str, file: str, loader: type[_Loader | _JsonLoader]) -> Node:
    try:
        root = yaml.compose(text, Loader=loader)
    except _Misleading as error:
        raise RulebookRefused(file, _line(error.problem_mark), error.problem) from error
    except yaml.MarkedYAMLError as error:
        said = ", ".join(filter(None, (error.context, error.problem)))
        problem = f"not readable: {said}; check the indentation and quotes"
        raise RulebookRefused(file, _line(error.problem_mark or error.context_mark), problem) from error
    except yaml.YAMLError as error:
        raise RulebookRefused(file, 1, "not readable: the file has characters that cannot be printed") from error
    if root is None:
        raise RulebookRefused(file, 1, "the file is empty")
    return Node(root, file, "")


def _line(mark: object) -> int:
    line = getattr(mark, "line", 0)
    return int(line) + 1


def _hint(word: str, words: Iterable[str]) -> str:
    close = nearest(word, words)
    return f", did you mean `{close}`?" if close else ""


def scalars(node: Node) -> Iterator[str]:
    """Yield the texts of a list of texts, in order."""
    return (entry.text() for entry in node.items())
