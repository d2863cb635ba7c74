"""The law that this process decides by: rulebook, register, calendar and vocabulary, read once from files at the start.

Only routing reads `rulebooks/`. A rulebook whose own examples fail is refused, so a service never starts on one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from schemas.calendar import Calendar, load_england
from schemas.decisions import RulebookRef
from schemas.vocabulary import Vocabulary
from schemas.vocabulary import load as load_vocabulary
from services.routing.domain.decide import Decision, decide
from services.routing.domain.facts import Fact, FactBase
from services.routing.domain.facts_of import rooted
from services.routing.domain.happenings import Happening
from services.routing.domain.register import Register, parse_register
from services.routing.domain.rulebook.compile import CompiledRulebook
from services.routing.domain.rulebook.examples import load_rulebook
from services.routing.domain.rulebook.model import numbers
from services.routing.domain.rulebook.read_examples import Stated
from services.routing.domain.rulebook.suppose import SUPPOSED_AT, implied, suppose
from services.routing.domain.rulebook.tree import RulebookRefused, Text, whole
from services.routing.missing import NoSuchRulebook

_VERSION: Final = re.compile(r"^version: *([\w.]+)", re.MULTILINE)
FOLDER: Final = Path(__file__).parents[2] / "rulebooks"


@dataclass(frozen=True)
class Law:
    """Everything besides facts that a decision depends on.

    `texts` are those of all known rulebooks with their overlays, and `register_text` that of the register: for the guard, which reads them itself.
    """

    book: CompiledRulebook
    register: Register
    calendar: Calendar
    vocabulary: Vocabulary
    texts: tuple[str, ...]
    register_text: str

    @property
    def rulebook(self) -> RulebookRef:
        """Return the rulebook's name and digest, as decisions carry it."""
        book = self.book.book
        return RulebookRef(id=book.id, version=book.version, sha256=book.sha256, approved=bool(book.approved_by))

    @property
    def calendar_ref(self) -> str:
        """Return which calendar data dates were counted with."""
        return f"{self.calendar.version} {self.calendar.sha256[:12]}"

    def merge(self, facts: tuple[Fact, ...], as_known_at: datetime | None = None) -> FactBase:
        """Return statements merged into what is known, now or as it was known at an earlier instant."""
        return FactBase(
            rooted(facts, self.vocabulary),
            self.vocabulary,
            former_areas=self.register.former_areas,
            as_known_at=as_known_at,
        )

    def decide(self, facts: FactBase, happenings: list[Happening], now: datetime) -> Decision:
        """Return the decision on merged facts."""
        return decide(facts, self.book, self.register, self.calendar, now, happenings)

    def suppose(self, stated: Stated, judged_on: date | None = None) -> Decision:
        """Return what would be decided if these facts were so, with every rule judged on a day of its own or on this one."""
        facts = suppose(stated, self.vocabulary, self.register)
        happenings = implied(stated)
        return decide(facts, self.book, self.register, self.calendar, SUPPOSED_AT, happenings, judged_on)

    def partnership(self, facts: FactBase) -> str | None:
        """Return the children's partnership of the incident's area, else of the area of the first report."""
        areas = [facts.value("incident.area", "incident")]
        areas += [facts.value("reporter.area", report) for report in facts.reports]
        area = next((each for each in areas if isinstance(each, str)), None)
        serving = self.register.serving("lscp", area) if area else ()
        return serving[0] if serving else None


def read_law(version: str | Path | None = None, folder: Path = FOLDER) -> Law:
    """Return the law from files.

    Args:
        version: Version of the rulebook to decide by, or a file that is one; by default the newest in the folder.
        folder: Where `england/<version>.yaml`, `local/<overlay>/<version>.yaml` and `register/areas.yaml` stand.

    Raises:
        RulebookRefused: A file cannot be used, or one of the rulebook's own examples fails.
        NoSuchRulebook: There is no rulebook of that version.
    """
    vocabulary, calendar = load_vocabulary(), load_england()
    areas = folder / "register" / "areas.yaml"
    register_text = areas.read_text("utf-8")
    register = parse_register(register_text, areas.name)
    files = versions(folder)
    chosen = [version] if isinstance(version, Path) else [file for file in files if version in {None, file.stem}]
    if not chosen:
        known = ", ".join(file.stem for file in files) or "none"
        raise NoSuchRulebook(f"there is no rulebook {version or ''} in {folder / 'england'}; versions: {known}")
    national, *overlays = texts_of(chosen[-1], folder)
    book = load_rulebook(national.text, chosen[-1].name, vocabulary, register, calendar, overlays)
    texts = tuple(whole(texts_of(file, folder)) for file in files)
    return Law(book, register, calendar, vocabulary, texts, register_text)


def texts_of(file: Path, folder: Path = FOLDER) -> list[Text]:
    """Return a national rulebook's file, and then, by name, the newest of each local overlay that is not newer than it.

    Raises:
        RulebookRefused: One is not text in UTF-8.
    """
    national = Text(str(file), text_of(file))
    version = _VERSION.search(national.text)
    return (
        [national, *(Text(str(each), text_of(each)) for each in _overlays(folder, numbers(version[1])))]
        if version
        else [national]
    )


def text_of(file: Path) -> str:
    """Return a file's text.

    Raises:
        RulebookRefused: It is not text in UTF-8.
    """
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise RulebookRefused(str(file), 1, "not readable: expected text in UTF-8") from error


def versions(folder: Path = FOLDER) -> list[Path]:
    """Return the files of all rulebooks in a folder, the oldest version first."""
    return sorted((folder / "england").glob("*.yaml"), key=_version)


def _overlays(folder: Path, newest: tuple[int, ...]) -> Iterator[Path]:
    for overlay in sorted((folder / "local").glob("*")):
        known = [file for file in overlay.glob("*.yaml") if _version(file) <= newest]
        if known:
            yield max(known, key=_version)


def _version(file: Path) -> tuple[int, ...]:
    return numbers(file.stem)
