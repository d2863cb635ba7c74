"""The pages of settings and metrics have every one that there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from prometheus_client import REGISTRY

import services.audit.loops
import services.intake.keeping
import services.kit.metrics  # noqa: F401 - these three make all metrics
from handrail.front.settings import FrontSettings
from services.audit.settings import AuditSettings
from services.deadlines.settings import DeadlinesSettings
from services.intake.settings import IntakeSettings
from services.routing.settings import RoutingSettings

REFERENCE: Final = Path(__file__).parents[3] / "docs" / "reference"
CLASSES: Final = (IntakeSettings, RoutingSettings, DeadlinesSettings, AuditSettings, FrontSettings)
OF_COMMANDS: Final = frozenset(
    {"DATA", "KAFKA_ADMIN_USER", "KAFKA_ADMIN_PASSWORD", "CACHE", "JAVA", "MAVEN_REPOSITORY"}
)


def named(page: str, pattern: str) -> list[str]:
    """Return what the cells of a page's tables are about: the names before the last cell of each row."""
    rows = [line for line in (REFERENCE / page).read_text("utf-8").splitlines() if line.startswith("| ")]
    return [name for row in rows for name in re.findall(pattern, row.rsplit(" | ", 1)[0])]


def test_every_setting_stands_on_the_page_of_settings_once() -> None:
    settings = {f"HANDRAIL_{name.upper()}" for each in CLASSES for name in each.model_fields}
    settings |= {f"HANDRAIL_{name}" for name in OF_COMMANDS}

    found = named("settings.md", r"`(HANDRAIL_[A-Z_]+)`")

    assert sorted(found) == sorted(settings)


def test_every_metric_stands_on_the_page_of_metrics_once() -> None:
    families = [family for family in REGISTRY.collect() if family.name.startswith("handrail_")]
    metrics = [f"{family.name}_total" if family.type == "counter" else family.name for family in families]

    assert sorted(named("metrics.md", r"`(handrail_[a-z_]+)`")) == sorted(metrics)
