"""The documentation is true where a program can tell: links lead somewhere, commands and settings exist."""

from __future__ import annotations

import re
import shlex
import struct
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer.main

from handrail.cli.main import app
from handrail.client.client import REFUSALS
from tests.support.docs import ROOT, Document, anchors, documents
from tests.support.repository import committed
from tests.support.rulebooks import england, register

PAGES = [pytest.param(page, id=str(page.path.relative_to(ROOT))) for page in documents()]
MOST_BYTES = 150_000
# The longest page that somebody reads to the end; reference pages are looked up, not read.
MOST_LINES = 120
_SETTING = re.compile(r"\bHANDRAIL_[A-Z_]+\b")
_NUMBERED = re.compile(r"^\d{4}-")


def handrail_error(command: str) -> str:
    """Return what the command line says against `command`, empty if it would do it."""
    tree = typer.main.get_command(app)
    disarm(tree)
    complaint = StringIO()
    try:
        with redirect_stderr(complaint), redirect_stdout(StringIO()):
            tree.main(shlex.split(command)[1:], prog_name="handrail")
    except SystemExit as end:
        return complaint.getvalue() if end.code else ""
    raise AssertionError("a command line ends its process")


def disarm(command: Any) -> None:
    """Let a command read its arguments, and do nothing."""
    for each in getattr(command, "commands", {}).values():
        disarm(each)
    if not hasattr(command, "commands"):
        command.callback = lambda **_arguments: None


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def settings_in_use() -> set[str]:
    """Return every setting that code reads by its full name, and every field of a settings class."""
    sources = [
        ROOT / path for path in committed() if path.suffix in (".py", ".yml", ".sh") or path.name == "Dockerfile"
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources if path.is_file())
    fields = re.findall(r"^    ([a-z_]+): ", text, re.MULTILINE)
    named = set(_SETTING.findall(text)) | {f"HANDRAIL_{field.upper()}" for field in fields}
    return named | {f"{name}_FILE" for name in named}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_the_page_leads_to_something_in_the_repository(page: Document) -> None:
    broken = []
    for link in page.links():
        path, _, anchor = link.target.partition("#")
        if path.startswith(("https://", "http://", "mailto:")):
            continue
        target = (page.path.parent / path).resolve() if path else page.path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link.target)

    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_every_make_command_of_the_page_exists(page: Document) -> None:
    named = [command.split()[1] for command in page.commands() if command.startswith("make ")]

    assert [name for name in named if name not in make_targets() and "=" not in name] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_handrail_command_of_the_page_is_one_that_the_command_line_takes(
    page: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("examples", "rulebooks"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    for made in re.findall(r" > (\S+)$", "\n".join(page.commands()), re.MULTILINE):
        (tmp_path / made).touch()
    commands = [command for command in page.commands() if command.startswith("handrail ")]

    refused = {command: error for command in commands if (error := handrail_error(command))}

    assert refused == {}


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("handrail dmo", "dmo"),
        ("handrail quarantine lst", "lst"),
        ("handrail status --jason", "--jason"),
        ("handrail send nowhere.json", "nowhere.json"),
        ("handrail client add leeds", "--body"),
    ],
)
def test_a_command_that_is_wrong_is_found(command: str, complaint: str) -> None:
    assert complaint in handrail_error(command)


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_of_the_page_is_read_somewhere(page: Document) -> None:
    assert set(_SETTING.findall(page.text)) - settings_in_use() == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_picture_of_the_page_is_a_small_png_with_a_text_for_those_who_cannot_see_it(page: Document) -> None:
    faults = []
    for link in page.links():
        if not link.is_picture:
            continue
        picture = page.path.parent / link.target
        content = picture.read_bytes()
        if not content.startswith(b"\x89PNG") or len(content) > MOST_BYTES or len(link.text.split()) < 3:
            faults.append(f"{link.target}: {len(content)} bytes, text '{link.text}'")
        elif min(struct.unpack(">II", content[16:24])) < 200:
            faults.append(f"{link.target}: too small to see anything")

    assert faults == []


def test_every_picture_is_shown_on_some_page() -> None:
    shown = {(page.path.parent / link.target).resolve() for page in documents() for link in page.links()}

    assert [path.name for path in (ROOT / "docs" / "images").glob("*") if path.resolve() not in shown] == []


def test_the_readme_says_what_to_start_and_shows_what_is_then_seen() -> None:
    readme = Document(ROOT / "README.md")
    commands = {command for block in readme.blocks() for command in block.commands()}

    assert {"make demo", "make test"} <= commands
    assert sum(link.is_picture for link in readme.links()) >= 3
    assert "verified: false" in readme.text


def test_the_readme_counts_the_rules_and_the_areas() -> None:
    readme, numbers = Document(ROOT / "README.md").text, {6: "six"}

    assert f"**The law is {len(england().rules)} rules, and nobody has checked them" in readme
    assert f"The register has {numbers[len(register().areas)]} areas." in readme


def test_every_guide_is_reached_from_the_readme_and_short_enough_to_be_read() -> None:
    guides = [
        page for page in documents() if page.path.parent.name in ("tutorial", "how-to", "explanation", "runbooks")
    ]
    linked: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = Document(waiting.pop())
        for link in page.links():
            target = (page.path.parent / link.target.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists() and target not in linked:
                linked.add(target)
                waiting.append(target)

    assert [page.path.name for page in guides if page.path.resolve() not in linked] == []
    assert [page.path.name for page in guides if len(page.text.splitlines()) > MOST_LINES] == []


@pytest.mark.parametrize("guide", ["connect-a-partner-system.md", "send-an-event.md"])
def test_every_refusal_that_is_for_good_has_its_row_in_the_guide(guide: str) -> None:
    """Whoever builds from the guide would send it again for ever."""
    rows = re.findall(r"^\| ([\d, ]+) \|", (ROOT / "docs" / "how-to" / guide).read_text(encoding="utf-8"), re.MULTILINE)

    assert {int(status) for row in rows for status in row.split(", ")} >= REFUSALS


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(page.path.name[:4]) for page in documents() if _NUMBERED.match(page.path.name))

    assert numbers == list(range(1, len(numbers) + 1))
