"""The provisions and documents that rules cite, and whether every citation of a rulebook is one of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from schemas.vocabulary import nearest
from services.routing.domain.rulebook import tree
from services.routing.domain.rulebook.editions import Edition
from services.routing.domain.rulebook.model import Rule, Rulebook
from services.routing.domain.rulebook.tree import RulebookRefused


@dataclass(frozen=True, slots=True)
class Instrument:
    """One provision or document; `cited_as` are the words that rules use for it, `text` the file of its own words if kept."""

    id: str
    title: str
    link: str
    cited_as: tuple[str, ...]
    verified: str
    text: str | None = None


def parse_instruments(text: str, file: str) -> tuple[Instrument, ...]:
    """Return the instruments that a file's text lists, in order.

    Raises:
        RulebookRefused: With file and line: an unknown or missing key, an id or a citation that stands twice.
    """
    found: dict[str, Instrument] = {}
    cited: set[str] = set()
    for node in tree.read(text, file).fields(("instruments",))["instruments"].items():
        entry = node.fields(("id", "title", "link", "cited as", "verified"), ("text",))
        verified = entry["verified"].text()
        if not entry["link"].text().startswith("https://"):
            raise entry["link"].refuse("expected a link that starts with https://")
        for words in entry["cited as"].items():
            if words.text() in cited:
                raise words.refuse(f"`{words.text()}` stands twice")
            cited.add(words.text())
        instrument = Instrument(
            id=entry["id"].text(),
            title=entry["title"].text(),
            link=entry["link"].text(),
            cited_as=tuple(tree.scalars(entry["cited as"])),
            verified="" if verified == "false" else verified,
            text=entry["text"].text() if "text" in entry else None,
        )
        if instrument.id in found:
            raise entry["id"].refuse(f"`{instrument.id}` stands twice")
        found[instrument.id] = instrument
    return tuple(found.values())


def unlisted(book: Rulebook, instruments: tuple[Instrument, ...]) -> Iterator[RulebookRefused]:
    """Yield a refusal for every citation of a rulebook that no instrument lists."""
    known = {words for instrument in instruments for words in instrument.cited_as}
    listed: tuple[Edition | Rule, ...] = (*book.editions, *book.rules)
    for what in listed:
        for cite in dict.fromkeys(_cited(what)):
            if cite not in known:
                close = nearest(cite, known)
                hint = f", did you mean `{close}`?" if close else "; add it under `cited as`"
                yield RulebookRefused(
                    what.file, what.line, f"{what.id} cites `{cite}`, which instruments.yaml does not list{hint}"
                )


def quoting(book: Rulebook, texts: Mapping[str, str]) -> list[Rule]:
    """Return the rules that quote a provision whose words are kept; `texts` are those words by citation."""
    return [rule for rule in book.rules if rule.source.cite in texts]


def misquoted(book: Rulebook, texts: Mapping[str, str]) -> Iterator[RulebookRefused]:
    """Yield a refusal for every quote that does not stand in the provision's own words. Case and breaks of lines do not count."""
    for rule in quoting(book, texts):
        rest = _plain(texts[rule.source.cite])
        for part in map(_plain, rule.source.quote.split(" ... ")):
            _, found, rest = rest.partition(part)
            if not found:
                problem = (
                    f"{rule.id} quotes `{part}`, which does not stand (there) in {rule.source.cite}; copy its words"
                )
                yield RulebookRefused(rule.file, rule.line, problem)
                break


def _plain(words: str) -> str:
    return " ".join(words.casefold().split())


def _cited(what: Edition | Rule) -> Iterator[str]:
    if isinstance(what, Edition):
        yield what.cite
        return
    yield what.source.cite
    for duty in what.then:
        yield from (within.cite for within in (duty.within, *duty.sooner.values()))
