"""Templates: everything is escaped, a missing name is an error, the navigation says where one is."""

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import UndefinedError

from services.kit.ui import Navigation
from services.kit.ui.environment import build_environment, static_url

HOSTILE = "<script>alert(1)</script>"
SAMPLE = Path(__file__).parents[3] / "e2e" / "pages" / "templates" / "sample.html"
NAVIGATION = Navigation(
    home="http://127.0.0.1:8400/",
    desk="http://127.0.0.1:8403/desk",
    cases="http://127.0.0.1:8402/case",
    considered="http://127.0.0.1:8402/considered",
    log="http://127.0.0.1:8404/log",
    sign_in="http://127.0.0.1:8400/sign-in",
    sign_out="/sign-out",
    receipts="http://127.0.0.1:8401/receipts",
    reads="http://127.0.0.1:8401/reads",
)


def render(source: str, **context: object) -> str:
    return build_environment().from_string(source).render(context)


def page(**context: object) -> str:
    return build_environment().get_template("layout.html").render({"nav": NAVIGATION, "person": None} | context)


@pytest.mark.parametrize(
    "use",
    [
        "tag(value)",
        "code(value)",
        "citation(value, value, false)",
        "table(value, [value], [[value, value]])",
        "summary([(value, value)])",
        "error_summary([{'text': value, 'href': value}])",
        "pagination(value, value)",
    ],
)
def test_macros_escape_what_they_are_given(use: str) -> None:
    source = f"{{% from 'macros.html' import {use.partition('(')[0]} %}}{{{{ {use} }}}}"

    html = render(source, value=HOSTILE, at=datetime(2026, 11, 23, tzinfo=UTC))

    assert "&lt;script&gt;" in html
    assert "<script" not in html


def test_the_output_of_a_macro_is_not_escaped_again() -> None:
    html = render("{% from 'macros.html' import summary, tag %}{{ summary([('State', tag('Met'))]) }}")

    assert '<strong class="govuk-tag govuk-tag--blue">Met</strong>' in html


def test_a_later_page_links_to_the_first_by_that_name() -> None:
    html = render("{% from 'macros.html' import pagination %}{{ pagination('/first', '', 'alerts') }}")

    assert " ".join(re.sub("<[^>]*>", " ", html).split()) == "First page : alerts"
    assert 'href="/first"' in html


def test_a_name_that_is_missing_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("{{ nobody }}")
    with pytest.raises(UndefinedError):
        render("{{ govukTag({'text': nobody}) }}")


def test_an_unchecked_citation_says_so_and_tells_the_other_site_nothing() -> None:
    source = "{% from 'macros.html' import citation %}{{ citation('Invented Act', 'https://law.example', verified) }}"

    assert "Not checked against the full text" in render(source, verified=False)
    assert "Not checked" not in render(source, verified=True)
    assert 'rel="noreferrer"' in render(source, verified=True)


def test_the_layout_names_the_person_and_marks_the_current_page() -> None:
    html = page(person=SimpleNamespace(name="Dana Example", role="review_officer"), current="cases")

    assert "Signed in as <strong>Dana Example</strong>, review officer" in html
    assert re.findall(r'href="(\S+)"\s+aria-current="page"', html) == [NAVIGATION.cases]


def test_without_a_session_the_layout_shows_no_pages_and_no_sign_out() -> None:
    html = page()

    assert "Sign out" not in html
    assert NAVIGATION.desk not in html


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        ("operations", ["Home", "Desk", "Cases", "Considered", "Log"]),
        ("review_officer", ["Home", "Desk", "Cases", "Considered", "Log"]),
        ("auditor", ["Home", "Cases", "Considered", "Log", "Reads"]),
        ("partner", ["Home", "Receipts"]),
    ],
)
def test_the_menu_leads_to_the_pages_that_let_a_person_in(role: str, shown: list[str]) -> None:
    html = page(person=SimpleNamespace(name="Dana Example", role=role))

    assert re.findall(r'service-navigation__link"[^>]*>\s*(?:<strong[^>]*>)?\s*(\w+)', html) == shown


def test_the_demo_banner_is_shown_in_the_demo_only() -> None:
    demo = Navigation(**(vars(NAVIGATION) | {"demo": True}))

    assert "All names and cases are invented" in page(nav=demo)
    assert "All names and cases are invented" not in page()


def test_the_footer_leads_to_the_statements_of_the_operator_where_there_are_any() -> None:
    named = {"accessibility": "https://council.example/accessibility", "privacy": "https://council.example/privacy"}
    html = page(nav=Navigation(**(vars(NAVIGATION) | named)))

    assert '<a class="govuk-link" href="https://council.example/accessibility">Accessibility statement</a>' in html
    assert '<a class="govuk-link" href="https://council.example/privacy">Privacy notice</a>' in html
    assert "Accessibility statement" not in page()
    assert "Privacy notice" not in page()


def test_pages_hold_no_script_and_no_inline_style() -> None:
    html = page(person=SimpleNamespace(name="Dana Example", role="auditor"))

    assert re.findall(r"<script|<style|\sstyle=|\son\w+=", html) == []


def test_own_origins_are_those_of_the_absolute_addresses_each_once() -> None:
    assert NAVIGATION.origins == tuple(f"http://127.0.0.1:{port}" for port in range(8400, 8405))


def test_the_stylesheet_address_carries_the_digest_of_its_content() -> None:
    assert re.fullmatch(r"/static/app\.css\?v=[0-9a-f]{16}", static_url("app.css"))


def test_the_browser_tests_sample_uses_every_shared_macro() -> None:
    own = set(vars(build_environment().get_template("macros.html").module)) - {"_body_stream", "__name__"}

    used = set(re.findall(r"\w+", SAMPLE.read_text(encoding="utf-8")))

    assert {"tag", "table"} <= own
    assert own - used == set()
