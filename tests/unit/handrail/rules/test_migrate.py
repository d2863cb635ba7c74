"""`handrail rules migrate`: what became of each duty, in words; and what is no case is refused before anything is asked."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from rich.console import Console

from handrail.cli.rules_shown import migrated
from schemas.decisions import RulebookRef
from services.routing.migrating import Became, MigratedDutyView, MigratedView
from services.routing.views import BodyView
from tests.support.rules_command import Rules

CASE = "a" * 32
LEEDS = BodyView(id="la:E08000035", name="Leeds City Council")
PANEL = BodyView(id="panel", name="the Panel")


def duty(became: Became, due_on: date | None = None, reason: str | None = None) -> MigratedDutyView:
    return MigratedDutyView(
        obligation_id=UUID(int=1),
        rule="N-01",
        duty_holder=LEEDS,
        recipients=(PANEL,),
        became=became,
        due_on=due_on,
        reason=reason,
    )


def test_each_duty_is_said_with_what_became_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    book = RulebookRef(id="england", version="2026.12.0", sha256="0" * 64, approved=True)
    duties = (duty("moved", date(2026, 6, 3)), duty("withdrawn", reason="no [longer] so"))

    migrated(
        Console(soft_wrap=True),
        MigratedView(case_keys=(CASE,), before={CASE: "2026.11.0"}, rulebook=book, duties=duties),
    )

    assert capsys.readouterr().out.splitlines() == [
        f"Case {CASE} was decided by 2026.11.0 and is now by 2026.12.0",
        "  moved      N-01 Leeds City Council tells the Panel, due Wednesday 3 June 2026",
        "  withdrawn  N-01 Leeds City Council tells the Panel: no [longer] so",
    ]


def test_what_is_no_key_of_a_case_is_refused(rules: Rules) -> None:
    ran = rules("migrate", "LCC-2026-0078", "--to", "2026.12.0", "--reason", "why not")

    assert ran.code == 2
    assert "`LCC-2026-0078` is not the key of a case" in ran.err
