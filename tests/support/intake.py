"""Events of invented partners, for the tests of intake."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any, Final

from services.intake.domain.cloudevent import STRUCTURED, RawEvent

NOW: Final = datetime(2026, 6, 10, 12, tzinfo=UTC)
LEEDS: Final = "E08000035"
KEY: Final = bytes(range(32))

_INCIDENT: Final[dict[str, Any]] = {
    "specversion": "1.0",
    "id": "evt-1",
    "source": "/police/example",
    "type": "incident.reported.v1",
    "time": "2026-06-01T09:15:00+01:00",
    "data": {
        "case_reference": "WYP/2026/0001",
        "harm": "death",
        "country": "england",
        "area": LEEDS,
        "child_review": "yes",
        "adult_at_risk": "no",
        "domestic_death": "no",
        "children": [{"ref": "child-1", "home_area": LEEDS, "looked_after": "no", "care_leaver": "unknown"}],
        "personal": {
            "incident_date": "2026-05-31",
            "summary": "Zebedee Testcase was found at Nowhere Cottage.",
            "reported_by": "Sergeant Sample Onlyatest",
            "children": [
                {
                    "ref": "child-1",
                    "name": "Zebedee Testcase",
                    "date_of_birth": "2016-06-01",
                    "date_of_death": "2026-06-01",
                    "nhs_number": "9990000000",
                }
            ],
        },
    },
}


def incident(**changes: Any) -> dict[str, Any]:
    """Return a whole incident report; `changes` replace top-level attributes, or fields of `data` by `data__name`."""
    event = copy.deepcopy(_INCIDENT)
    for name, value in changes.items():
        if name.startswith("data__"):
            event["data"][name.removeprefix("data__")] = value
        else:
            event[name] = value
    return event


def event(type_: str, data: dict[str, Any], *, id_: str = "evt-2") -> dict[str, Any]:
    """Return an event of any type."""
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "/council/example",
        "type": type_,
        "time": "2026-06-02T10:00:00Z",
        "data": {"case_reference": "LCC-1", **data},
    }


def structured(event: Any) -> RawEvent:
    """Return an event as it travels in structured mode."""
    return RawEvent(json.dumps(event).encode(), STRUCTURED, {})
