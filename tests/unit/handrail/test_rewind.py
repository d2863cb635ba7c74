"""Pins what `handrail relay catch-up` says about a restored database."""

from __future__ import annotations

from uuid import UUID

import pytest

from handrail.cli.rewind import found_lines

ANNOUNCED, DECIDED = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize("undone", [True, False])
def test_decisions_on_the_quarantine_that_a_restore_undid_are_asked_for_again(*, undone: bool) -> None:
    lacking = [(ANNOUNCED, "record.quarantined.v1"), *([(DECIDED, "record.resolved.v1")] if undone else [])]

    said = found_lines("intake", lacking, published=0)

    assert said[0] == f"lacks {ANNOUNCED} record.quarantined.v1"
    assert (
        any("1 decisions on the quarantine" in line and "handrail quarantine list" in line for line in said) == undone
    )
