"""After an outage: one rung per duty, one digest per partnership and duty holder, nothing dropped."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.deadlines.domain.catch_up import DueRung, plan
from services.deadlines.domain.ladder import Rung

LEEDS = ("lscp:E08000035", "la:E08000035")
START = datetime(2026, 11, 2, 9, tzinfo=UTC)


def _due(rung_id: int, duty: int, day: int, *, kind: str = "soon", owed: tuple[str, str] = LEEDS) -> DueRung:
    rung = Rung("breach" if kind == "breach" else "soon", -1 if kind == "breach" else 3, START + timedelta(days=day))
    return DueRung(rung_id, UUID(int=duty), *owed, rung)


def _urgent(item: DueRung) -> bool:
    return item.rung.kind == "breach"


def test_only_the_highest_rung_of_a_duty_fires_and_the_others_are_superseded() -> None:
    three_left, due_day, breach = _due(1, 7, 0), _due(2, 7, 3), _due(3, 7, 4, kind="breach")

    found = plan([breach, three_left, due_day], digest_over=5, urgent=_urgent)

    assert found.fire == (breach,)
    assert found.superseded == (three_left, due_day)


def test_many_warnings_of_one_holder_in_one_partnership_become_one_digest_and_breaches_stand_alone() -> None:
    leeds = [_due(number, number, 0) for number in range(3)]
    late = _due(9, 9, 0, kind="breach")
    halton = _due(10, 10, 0, owed=("lscp:E06000006", "la:E06000006"))
    elsewhere = _due(11, 11, 0, owed=("lscp:E06000006", "la:E08000035"))

    found = plan([*leeds, late, halton, elsewhere], digest_over=2, urgent=_urgent)

    assert dict(found.digests) == {LEEDS: tuple(leeds)}  # 3 > 2; one breach and one of each other are told singly
    assert set(found.fire) == {*leeds, late, halton, elsewhere}


def test_as_many_warnings_as_the_limit_are_still_told_singly() -> None:
    assert not plan([_due(1, 1, 0), _due(2, 2, 0)], digest_over=2, urgent=_urgent).digests  # 2 is not more than 2


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9), st.booleans()), max_size=60), st.integers(0, 4))
def test_every_due_rung_is_fired_or_superseded_and_every_duty_fires_once(
    rungs: list[tuple[int, int, bool]], digest_over: int
) -> None:
    due = [
        _due(number, duty, day, kind="breach" if breach else "soon") for number, (duty, day, breach) in enumerate(rungs)
    ]

    found = plan(due, digest_over=digest_over, urgent=_urgent)

    assert sorted(item.rung_id for item in (*found.fire, *found.superseded)) == [item.rung_id for item in due]
    assert sorted(item.duty_id for item in found.fire) == sorted({item.duty_id for item in due})
    for item in found.fire:
        assert all(other.rung.due_at <= item.rung.due_at for other in due if other.duty_id == item.duty_id)
    assert all(len(items) > digest_over and not any(map(_urgent, items)) for items in found.digests.values())
