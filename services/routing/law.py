"""The law that cases are decided by: rulebook, register, calendar and vocabulary, read from files.

Only routing reads `rulebooks/`, but for who is whose successor (`schemas.bodies`). A rulebook whose own examples fail is
refused, and so is a released one that was changed since, so a service never starts on one. What nobody has released is a
draft, which only commands read that are given it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from schemas.calendar import Calendar, load_england, london_date
from schemas.decisions import RulebookRef
from schemas.vocabulary import Vocabulary
from schemas.vocabulary import load as load_vocabulary
from services.kit.settings import RULEBOOKS
from services.routing.domain.decide import Decision, decide
from services.routing.domain.facts import FactBase
from services.routing.domain.facts_of import rooted
from services.routing.domain.happenings_of import Told, happenings
from services.routing.domain.ledger import Known
from services.routing.domain.register import Register, parse_register
from services.routing.domain.rulebook.compile import CompiledRulebook
from services.routing.domain.rulebook.examples import load_rulebook
from services.routing.domain.rulebook.model import numbers
from services.routing.domain.rulebook.read_examples import Stated
from services.routing.domain.rulebook.release import SUFFIX, Release, parse_release, released_sha256
from services.routing.domain.rulebook.suppose import SUPPOSED_AT, implied, suppose
from services.routing.domain.rulebook.tree import RulebookRefused, Text, whole
from services.routing.domain.statements import Fact
from services.routing.missing import NoSuchRulebook

_VERSION: Final = re.compile(r"^version: *['\"]?([^\s'\"#]+)", re.MULTILINE)
_NAME: Final = re.compile(r"[0-9]+(\.[0-9]+)*")
FOLDER: Final = RULEBOOKS


@dataclass(frozen=True)
class Law:
    """Everything besides facts that a decision depends on.

    `text` is that of the rulebook with its overlays, and `register_text` that of the register: for the guard, which reads them itself.
    """

    book: CompiledRulebook
    register: Register
    calendar: Calendar
    vocabulary: Vocabulary
    text: str
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

    def merge(self, facts: tuple[Fact, ...], now: datetime | None = None) -> FactBase:
        """Return statements merged into what is known, for a decision at `now`: who had ended by then speaks through its successor."""
        return FactBase(
            rooted(facts, self.vocabulary),
            self.vocabulary,
            former_areas=self.register.former_areas,
            successors=self._register_at(now).successors,
        )

    def decide(self, facts: tuple[Fact, ...], told: Mapping[UUID, Told], known: Known, now: datetime) -> Decision:
        """Return the decision on what was stated and told in a case. Who is told, and who owes it, exists at `now`."""
        merged = self.merge(facts, now)
        ended = happenings(told, known, merged)
        return decide(merged, self.book, self._register_at(now), self.calendar, now, ended)

    def suppose(self, stated: Stated, judged_on: date | None = None) -> Decision:
        """Return what would be decided if these facts were so, with every rule judged on a day of its own or on this one.

        The bodies are those of that day; without one, those that have no end.
        """
        register = self.register.on(judged_on)
        facts = suppose(stated, self.vocabulary, register)
        return decide(facts, self.book, register, self.calendar, SUPPOSED_AT, implied(stated), judged_on)

    def _register_at(self, now: datetime | None) -> Register:
        return self.register.on(london_date(now) if now else None)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the rulebook: its file, everything that it is made of, and its release, None of a draft and of the first."""

    file: Path
    texts: tuple[Text, ...]
    release: Release | None = None

    @property
    def name(self) -> str:
        """Return the version, which the file is called by."""
        return self.file.stem

    @property
    def people(self) -> tuple[str, ...]:
        """Return who wrote and who approved it; nobody of a draft and of the first."""
        return self.release.people if self.release else ()

    @property
    def sha256(self) -> str:
        """Return the digest of all its texts."""
        return released_sha256(self.texts)


class Materials:
    """What every version of a folder is read with: vocabulary, calendar and register, each read once."""

    def __init__(self, folder: Path = FOLDER) -> None:
        areas = folder / "register" / "areas.yaml"
        self._vocabulary, self._calendar = load_vocabulary(), load_england()
        self._register_text = areas.read_text("utf-8")
        self._register = parse_register(self._register_text, areas.name)

    def law(self, version: Version) -> Law:
        """Return the law with a version of the rulebook.

        Raises:
            RulebookRefused: A file cannot be used, or one of the rulebook's own examples fails.
        """
        national, *overlays = version.texts
        book = load_rulebook(
            national.text,
            version.file.name,
            self._vocabulary,
            self._register,
            self._calendar,
            overlays,
            approved_by=version.people,
        )
        return Law(book, self._register, self._calendar, self._vocabulary, whole(version.texts), self._register_text)


def read_law(version: str | Path | None = None, folder: Path = FOLDER) -> Law:
    """Return the law from files.

    Args:
        version: Version of the rulebook to decide by, or a file that is one, drafts too; by default the newest that counts.
        folder: Where `england/<version>.yaml`, `local/<overlay>/<version>.yaml` and `register/areas.yaml` stand.

    Raises:
        RulebookRefused: A file cannot be used, was changed after it was released, or an example of the rulebook fails.
        NoSuchRulebook: There is no rulebook of that version.
    """
    known = counting(folder)
    if isinstance(version, Path):
        chosen = [draft(version, folder)]
    elif version is None:
        chosen = known[-1:]
    else:
        chosen = [each for each in known if each.name == version]
        chosen = chosen or [draft(file, folder) for file in versions(folder) if file.stem == version]
    if not chosen:
        raise no_such_rulebook(version, folder)
    return Materials(folder).law(chosen[0])


def no_such_rulebook(version: str | Path | None, folder: Path) -> NoSuchRulebook:
    """Return the refusal of a version that a folder does not have."""
    known = ", ".join(file.stem for file in versions(folder)) or "none"
    return NoSuchRulebook(f"there is no rulebook {version or ''} in {folder / 'england'}; versions: {known}")


def draft(file: Path, folder: Path = FOLDER) -> Version:
    """Return a rulebook as its file and the overlays of the folder are now, whether or not they were ever released.

    Raises:
        RulebookRefused: One is not text in UTF-8.
    """
    return Version(file, tuple(texts_of(file, folder)))


def counting(folder: Path = FOLDER) -> list[Version]:
    """Return the versions that count, the oldest first: those that were released, and the one that the first of them supersedes.

    Where nothing was released it is the oldest alone, which nobody has approved: what comes after it is a draft.

    Raises:
        RulebookRefused: A record cannot be read, does not follow on the version before it, or a file was changed since, or says
            that it is another version.
    """
    files = {file.stem: file for file in versions(folder)}
    records = sorted((folder / "england").glob(f"*{SUFFIX}"), key=_version)
    releases = [parse_release(text_of(record), str(record)) for record in records]
    found: list[Version] = []
    begins = releases[0].supersedes if releases else None
    first = begins[0] if begins else None if releases else next(iter(files), None)
    if first is not None:
        if first not in files:
            raise RulebookRefused(str(records[0]), 1, f"supersedes {first}, whose file is missing: put it back")
        found.append(draft(files[first], folder))
    for record, release in zip(records, releases, strict=True):
        if release.version != record.stem:
            raise RulebookRefused(str(record), 1, f"is called otherwise than its version, {release.version}")
        version = _released(release, folder)
        _require_follows(release, found[-1] if found else None)
        found.append(version)
    for version in found:
        said = _VERSION.search(version.texts[0].text)
        if said is None or said[1] != version.name:
            raise named_otherwise(version.file, said[1] if said else "none")
    return found


def named_otherwise(file: Path, version: str) -> RulebookRefused:
    """Return the refusal of a rulebook whose name is not the version that it says it is."""
    return RulebookRefused(str(file), 1, f"is called otherwise than its version, {version}: name it after its version")


def _released(release: Release, folder: Path) -> Version:
    """Return a version as it was released."""
    texts = []
    for path in release.files:
        file = folder / path
        if not file.is_file():
            raise RulebookRefused(release.file, 1, f"{path}, a part of this release, is missing: put it back")
        texts.append(Text(str(file), text_of(file)))
        release.check_file(path, texts[-1])
    if released_sha256(texts) != release.sha256:
        raise RulebookRefused(
            release.file, 1, "the sha256 is not that of the files: the record was changed, put it back"
        )
    return Version(Path(texts[0].file), tuple(texts), release)


def _require_follows(release: Release, before: Version | None) -> None:
    """See that a release supersedes the version before it, and that this one still says what it said then."""
    if release.supersedes == ((before.name, before.sha256) if before else None):
        return
    if before is not None and release.supersedes is not None and release.supersedes[0] == before.name:
        raise RulebookRefused(
            str(before.file),
            1,
            f"changed after {release.version} was released, which supersedes it: put this file and its overlays back, "
            "and make the change in a new version",
        )
    raise RulebookRefused(
        release.file, 1, f"supersedes: expected {before.name if before else 'none'}, the version before"
    )


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
    """Return the files of all rulebooks in a folder that are called by a version, drafts too, the oldest version first."""
    return sorted(filter(_is_version, (folder / "england").glob("*.yaml")), key=_version)


def misnamed(folder: Path = FOLDER) -> list[RulebookRefused]:
    """Return the refusal of each file beside the rulebooks and overlays of a folder that is not called by a version."""
    files = sorted((*(folder / "england").glob("*.yaml"), *(folder / "local").glob("*/*.yaml")))
    return [
        RulebookRefused(
            str(file), 1, "is not called by a version, so that it never counts: name it as 2026.12.0.yaml is"
        )
        for file in files
        if not _is_version(file)
    ]


def _overlays(folder: Path, newest: tuple[int, ...]) -> Iterator[Path]:
    for overlay in sorted((folder / "local").glob("*")):
        known = [file for file in overlay.glob("*.yaml") if _is_version(file) and _version(file) <= newest]
        if known:
            yield max(known, key=_version)


def _is_version(file: Path) -> bool:
    return _NAME.fullmatch(file.stem) is not None


def _version(file: Path) -> tuple[int, ...]:
    return numbers(file.stem)
