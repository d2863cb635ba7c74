"""What may not be shipped (the GOV.UK font, crown and crest) is not, and what is styled can be used."""

import re
from pathlib import Path

import services.kit.ui
from services.kit.ui.environment import COMPONENTS
from tests.support.repository import ROOT

UI = Path(services.kit.ui.__file__).parent
CSS = (UI / "static" / "app.css").read_text(encoding="utf-8")
SCSS = (UI / "assets" / "app.scss").read_text(encoding="utf-8")
PAGES = "".join(
    path.read_text(encoding="utf-8")
    for part in ("services", "handrail")
    for path in sorted((ROOT / part).rglob("*.html"))
)


def test_the_styles_name_neither_the_font_nor_the_crest_nor_any_other_file() -> None:
    assert "font-family:arial,sans-serif" in CSS
    assert re.findall(r"GDS Transport|@font-face|crest|crown|url\(|@import", CSS, re.IGNORECASE) == []


def test_only_the_stylesheet_is_shipped_as_a_static_file() -> None:
    assert [path.name for path in (UI / "static").iterdir()] == ["app.css"]


def test_the_components_that_templates_know_are_those_with_styles() -> None:
    assert tuple(re.findall(r"/components/([a-z-]+)\"", SCSS)) == COMPONENTS


def test_the_built_styles_hold_every_class_of_our_own_sources() -> None:
    ours = set(re.findall(r"^\.(app-[a-z]+)", SCSS, re.MULTILINE))

    assert len(ours) >= 5
    assert {name for name in ours if f".{name}" not in CSS} == set()


def test_our_templates_use_no_class_of_our_own_without_a_style() -> None:
    used = set(re.findall(r"\bapp-[\w-]+", " ".join(re.findall(r'class="([^"{]*)', PAGES))))

    assert len(used) >= 10
    assert {name for name in used if f".{name.removesuffix('--')}" not in CSS} == set()


def test_every_macro_component_and_class_that_there_is_stands_on_a_page() -> None:
    macros = re.findall(r"{% macro (\w+)\(", (UI / "templates" / "macros.html").read_text(encoding="utf-8"))
    imported = set(re.findall(r"\w+", " ".join(re.findall(r'from "macros.html" import ([^%]*)%', PAGES))))
    classes = set(re.findall(r"^\.(app-[a-z]+)", SCSS, re.MULTILINE))

    assert [name for name in macros if name not in imported] == []
    assert [name for name in COMPONENTS if not re.search(rf"govuk-{name}\b|{camel(name)}\(", PAGES)] == []
    assert [name for name in sorted(classes) if not re.search(rf'"[^"]*\b{name}\b', PAGES)] == []


def camel(component: str) -> str:
    return "govuk" + component.title().replace("-", "")
