"""Records in a draft that a person compared a rule with the full legal text. Handrail never claims that by itself.

A released file is never edited, so it is written into the version that is being prepared. This is the shell that reads and
writes the files.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Final

from services.kit.files import replace
from services.routing.domain.rulebook.model import Rule
from services.routing.domain.rulebook.release import WrongPeople, person
from services.routing.law import FOLDER, Materials, Version, counting, draft, no_such_rulebook, versions
from services.routing.missing import NotVerified

_UNVERIFIED: Final = re.compile(r"^(?P<indent> +)verified: false\b.*$")
_NEXT_RULE: Final = re.compile(r"^  - id: ")


def verify(identifier: str, by: str, on: date, folder: Path = FOLDER) -> Path:
    """Write who compared a rule with the full text, and when, into the newest version; return the file.

    Raises:
        NotVerified: The newest version or the rule's file is released, there is no such rule, somebody has verified it
            already, or `by` is no name.
        NoSuchRulebook: There is no rulebook.
        RulebookRefused: The draft cannot be used as it stands.
    """
    try:
        who = person(by)
    except WrongPeople as nobody:
        raise NotVerified(str(nobody)) from nobody
    files = versions(folder)
    if not files:
        raise no_such_rulebook(None, folder)
    wanted, known = draft(files[-1], folder), counting(folder)
    if any(each.name == wanted.name for each in known if each.release or len(known) > 1):
        raise NotVerified(
            f"{wanted.name} is released and never edited: copy it to a new version and verify the rule there"
        )
    materials = Materials(folder)
    book = materials.law(wanted).book.book
    rule = next((each for each in book.rules if each.id == identifier), None)
    if rule is None:
        raise NotVerified(f"{wanted.name} has no rule {identifier}")
    if rule.source.verified:
        raise NotVerified(f"{identifier} was verified already: {rule.source.verified}")
    place = next(place for place, text in enumerate(wanted.texts) if _stands_in(rule, text.file, wanted))
    file = Path(wanted.texts[place].file)
    path = file.relative_to(folder).as_posix()
    if any(path in each.release.files for each in known if each.release):
        raise NotVerified(
            f"{path} is part of a release and never edited: copy it to `{wanted.name}.yaml` beside it first"
        )
    text = _with_line(wanted.texts[place].text, rule, f"'{who.replace(chr(39), chr(39) * 2)}, {on.isoformat()}'")
    texts = (*wanted.texts[:place], wanted.texts[place]._replace(text=text), *wanted.texts[place + 1 :])
    found = materials.law(Version(wanted.file, texts)).book.book
    assert [each.id for each in found.rules if each.source.verified] == [  # noqa: S101 - one line was changed
        each.id for each in book.rules if each.source.verified or each.id == identifier
    ]
    replace(file, text)
    return file


def _stands_in(rule: Rule, file: str, version: Version) -> bool:
    return rule.file == file if rule.layer else Path(file) == version.file


def _with_line(text: str, rule: Rule, verified: str) -> str:
    lines = text.split("\n")
    for place in range(rule.line - 1, len(lines)):
        if found := _UNVERIFIED.match(lines[place]):
            lines[place] = f"{found['indent']}verified: {verified}"
            return "\n".join(lines)
        if place > rule.line and _NEXT_RULE.match(lines[place]):
            break
    raise NotVerified(f"{rule.id}: expected a line `verified: false` below line {rule.line}")
