"""Cases are decided again a few at a step, and one that cannot be decided holds up none of the others."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from services.kit.transaction import Transaction
from services.routing import deciding_again
from services.routing.deciding_again import Again
from services.routing.service import RoutingService
from tests.support.road import Road, laws
from tests.support.routing import CASE, OTHER_CASE, aware, reported, suspects

BECAUSE = "an invented reason"


class Failing(RoutingService):
    """A service that cannot decide one case."""

    failing = True
    decided: list[str]

    async def decide_again(self, case_keys: Collection[str], tx: Transaction, because: str) -> bool:
        if self.failing and CASE in case_keys:
            raise ValueError("an invented bug")
        self.decided = [*getattr(self, "decided", []), *case_keys]
        return await super().decide_again(case_keys, tx, because)


@pytest.fixture
async def two_cases(road: Road) -> Road:
    for key in (CASE, OTHER_CASE):
        await road.route(reported(case_key=key), aware(case_key=key), suspects(case_key=key))
    return road


async def test_a_case_that_cannot_be_decided_holds_up_none_behind_it_and_is_tried_again(two_cases: Road) -> None:
    service = Failing(laws())
    again = Again(two_cases.database, service)
    again.begin([CASE, OTHER_CASE], BECAUSE)

    with pytest.raises(RuntimeError, match="1 sets of linked cases"):
        await again.go_on()
    behind_it = service.decided
    service.failing = False
    await again.go_on()

    assert behind_it == [OTHER_CASE]
    assert service.decided == [OTHER_CASE, CASE]
    assert not again.left


async def test_a_step_is_short_however_many_cases_there_are(two_cases: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding_again, "AT_A_STEP", 1)
    again = Again(two_cases.database, two_cases.service)
    again.begin([CASE, OTHER_CASE], BECAUSE)

    left = []
    for _ in range(2):
        await again.go_on()
        left.append(again.left)

    assert left == [True, False]
