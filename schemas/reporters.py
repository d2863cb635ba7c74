"""The kinds of body that report, apart from the messages, so that a command line can name them without loading these."""

from __future__ import annotations

from typing import Literal

ReporterBody = Literal[
    "local_authority",
    "police",
    "health",
    "school",
    "adults_board",
    "community_safety_partnership",
    "childrens_partnership",
    "fostering_provider",
    "childrens_home",
    "other_agency",
]
