"""The report that loads send: serious harm to a child in Leeds, which tells two recipients within a working day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

SOURCE: Final = "urn:example:load"
AREA: Final = "E08000035"
TOLD: Final = frozenset({f"la:{AREA}", f"lscp:{AREA}"})
"""Rule N-11 on a report without an aware authority: the council of the area and its partnership."""

REPORTED_ON: Final = date(2026, 6, 1)


CANARY: Final = "Zanzibarcanary"
"""Stands in all that is personal in a report, and nowhere else."""

PERSONAL: Final = {
    "summary": f"Invented example of {CANARY}.",
    "reported_by": f"{CANARY} Reporter",
    "children": [{"ref": "child-1", "name": f"{CANARY} Testchild", "address": f"1 {CANARY} Street"}],
}


def report(event_id: str, case: str, on: date = REPORTED_ON, personal: Mapping[str, Any] | None = None) -> bytes:
    """Return the report of a case as a structured CloudEvent of `SOURCE`."""
    data: dict[str, Any] = {
        "case_reference": case,
        "harm": "serious_harm",
        "country": "england",
        "area": AREA,
        "reported_on": str(on),
        "child_review": "no",  # so that no discussion of the threshold is owed besides
        "adult_at_risk": "no",
        "domestic_death": "no",
        "children": [
            {"ref": "child-1", "home_area": AREA, "age_at_incident": 9, "looked_after": "no", "care_leaver": "no"}
        ],
    }
    if personal:
        data["personal"] = personal
    page = {"specversion": "1.0", "id": event_id, "source": SOURCE, "type": "incident.reported.v1"}
    return json.dumps({**page, "time": f"{on}T08:00:00Z", "data": data}).encode()
