"""Checks a folder of rulebooks, or one rulebook, and runs scenarios: everything that can be wrong is said at once.

This is the shell that reads the files; what is right and wrong is decided in `domain/rulebook`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from schemas.calendar import load_england
from schemas.vocabulary import load as load_vocabulary
from services.routing.domain.register import parse_register
from services.routing.domain.rulebook.compile import CompiledRulebook
from services.routing.domain.rulebook.conditions import Words
from services.routing.domain.rulebook.coverage import Row, gaps, read_coverage
from services.routing.domain.rulebook.examples import Checked, check_example, load_rulebook
from services.routing.domain.rulebook.instruments import Instrument, misquoted, parse_instruments, quoting, unlisted
from services.routing.domain.rulebook.model import Example
from services.routing.domain.rulebook.read_examples import read_scenarios
from services.routing.domain.rulebook.tree import RulebookRefused
from services.routing.law import FOLDER, Law, Version, counting, draft, misnamed, named_otherwise, text_of, versions
from services.routing.missing import NothingToCheck

_AREAS = Path("register") / "areas.yaml"


@dataclass(frozen=True, slots=True)
class Played:
    """One scenario of a file, with everything that it expects and what came out."""

    file: str
    scenario: Example
    checked: tuple[Checked, ...]

    @property
    def holds(self) -> bool:
        """Say whether everything came out as the scenario says."""
        return all(each.holds for each in self.checked)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `books` are those that can be used, the oldest first; `problems` say file, line and what to do.

    `quoting` rules of the newest quote a provision whose own words are kept.
    """

    facts: int
    personal: int
    areas: int
    bodies: int
    books: tuple[CompiledRulebook, ...] = ()
    instruments: tuple[Instrument, ...] = ()
    quoting: int = 0
    rows: tuple[Row, ...] = ()
    played: tuple[Played, ...] = ()
    problems: tuple[str, ...] = ()


def check(path: Path = FOLDER) -> Report:
    """Check a folder of rulebooks with its register, instruments, coverage and scenarios, or one rulebook with its neighbours' register.

    Raises:
        NothingToCheck: It is neither.
    """
    one = path.is_file()
    folder = path
    if one:
        folder = path.parent.parent if (path.parent.parent / _AREAS).exists() else FOLDER
    files = [path] if one else versions(folder)
    if not files or not (folder / _AREAS).exists():
        raise NothingToCheck(f"{path} is no rulebook, and no folder with england/*.yaml and {_AREAS}")
    return _Checking(folder).report(files, with_scenarios=not one)


def check_version(file: Path, folder: Path = FOLDER) -> Report:
    """Check one version of a folder as `check` does the folder, with the scenarios and the coverage."""
    return _Checking(folder).report([file], with_scenarios=True)


class _Checking:
    """Reads one file after the other and keeps what is wrong with each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._problems: list[str] = []

    def report(self, files: list[Path], *, with_scenarios: bool) -> Report:
        vocabulary, calendar = load_vocabulary(), load_england()
        areas = self._folder / _AREAS
        try:
            register = parse_register(text_of(areas), str(areas))
        except RulebookRefused as refused:
            return Report(len(vocabulary), len(vocabulary.personal), 0, 0, problems=(str(refused),))
        books: list[CompiledRulebook] = []
        released = self._released()
        if with_scenarios:
            self._problems += map(str, misnamed(self._folder))
        for file in files:
            try:
                version = released.get(file) or draft(file, self._folder)
                national, *overlays = version.texts
                given = (national.text, national.file, vocabulary, register, calendar, overlays)
                books.append(load_rulebook(*given, approved_by=version.people))
            except RulebookRefused as refused:
                self._problems.append(str(refused))
        instruments = self._instruments()
        texts = self._texts(instruments)
        for book in books:
            self._problems += map(str, unlisted(book.book, instruments))
            self._problems += map(str, misquoted(book.book, texts))
            if with_scenarios and Path(book.book.file).stem != book.book.version:
                self._problems.append(str(named_otherwise(Path(book.book.file), book.book.version)))
        played: list[Played] = []
        if with_scenarios and books:
            law = Law(books[-1], register, calendar, vocabulary, "", "")
            played = self._scenarios(law)
        rows = self._coverage(books[-1]) if with_scenarios and books else ()
        return Report(
            facts=len(vocabulary),
            personal=len(vocabulary.personal),
            areas=len(register.areas),
            bodies=len(register.bodies),
            books=tuple(books),
            instruments=instruments,
            quoting=len(quoting(books[-1].book, texts)) if books else 0,
            rows=rows,
            played=tuple(played),
            problems=tuple(dict.fromkeys(self._problems)),  # the first version is read twice
        )

    def _released(self) -> dict[Path, Version]:
        try:
            return {version.file: version for version in counting(self._folder) if version.release}
        except RulebookRefused as refused:
            self._problems.append(str(refused))
            return {}

    def _instruments(self) -> tuple[Instrument, ...]:
        file = self._folder / "instruments.yaml"
        try:
            return parse_instruments(text_of(file), str(file))
        except RulebookRefused as refused:
            self._problems.append(str(refused))
        except FileNotFoundError:
            self._problems.append(f"{file} is missing; it lists the provisions that rules cite")
        return ()

    def _texts(self, instruments: Iterable[Instrument]) -> dict[str, str]:
        """Return the words of the provisions that are kept, by citation."""
        found: dict[str, str] = {}
        for instrument in instruments:
            file = self._folder / instrument.text if instrument.text else None
            if file and not file.is_file():
                self._problems.append(f"{file} is missing; {instrument.id} says that it has the provision's own words")
            elif file:
                found |= dict.fromkeys(instrument.cited_as, text_of(file))
        return found

    def _coverage(self, newest: CompiledRulebook) -> tuple[Row, ...]:
        file = self._folder / "coverage.md"
        if not file.exists():
            self._problems.append(f"{file} is missing; it says which row of the law is which rule")
            return ()
        rows = read_coverage(file.read_text("utf-8"))
        self._problems += gaps(rows, newest.book, str(file))
        return rows

    def _scenarios(self, law: Law) -> list[Played]:
        found: list[Played] = []
        for file in sorted((self._folder / "scenarios").glob("*.yaml")):
            try:
                found += play(file, law)
            except RulebookRefused as refused:
                self._problems.append(str(refused))
        for played in found:
            self._problems += [
                f"{played.file}, line {wrong.line}: scenario `{played.scenario.name}`: "
                f"expected {wrong.expected}, got {wrong.got}"
                for wrong in played.checked
                if not wrong.holds
            ]
        return found


def scenario_files(path: Path) -> list[Path]:
    """Return a scenario file, or those of a folder by name.

    Raises:
        NothingToCheck: There is none.
    """
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise NothingToCheck(f"{path} holds no scenario: expected files that end in .yaml")
    return files


def play(file: Path, law: Law) -> Iterable[Played]:
    """Return the scenarios of a file as they came out, in order.

    Raises:
        RulebookRefused: The file cannot be read as scenarios.
    """
    words = Words(law.vocabulary, law.register, tuple(law.book.rules))
    for scenario in read_scenarios(text_of(file), str(file), words):
        yield Played(str(file), scenario, check_example(scenario, law.book, law.register, law.calendar))
