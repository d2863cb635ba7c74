"""Reads the content of a notice as its recipient does, under a grant such as routing makes."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

import httpx

from tests.support.intake_app import Intake

NOTICE = str(uuid5(UUID(int=0), "notice"))
PANEL = {
    "harm": "in full",
    "incident.area": "in full",
    "personal.incident_date": "in full",
    "personal.child.name": "in full",
    "personal.child.date_of_birth": "in full",
    "personal.summary": "in full",
}


def claims(case_key: str, **changes: Any) -> dict[str, Any]:
    return {"jti": NOTICE, "sub": "panel", "case_keys": [case_key], "give": PANEL} | changes


async def read(running: Intake, token: str, notice_id: str = NOTICE) -> httpx.Response:
    return await running.http.get(f"/v1/content/{notice_id}", headers={"Authorization": f"Bearer {token}"})
