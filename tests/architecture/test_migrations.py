"""Each service has one linear history of its tables."""

from __future__ import annotations

import re

import pytest

from schemas.topics import SERVICES
from tests.support.repository import ROOT


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_one_linear_history(service: str) -> None:
    files = sorted((ROOT / "services" / service / "migrations").rglob("[0-9][0-9][0-9][0-9]_*.py"))
    revisions = [re.search(r'^revision[^=]*= "(\w+)"', path.read_text(), re.MULTILINE)[1] for path in files]  # type: ignore[index]
    parents = [re.search(r'^down_revision[^=]*= (None|"\w+")', path.read_text(), re.MULTILINE)[1] for path in files]  # type: ignore[index]

    assert files, "every service owns tables"
    assert parents == ["None", *(f'"{revision}"' for revision in revisions[:-1])]
