"""Faults of the legal clock: moved and logged, forwards and back; and moved behind everybody's back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Final
from uuid import UUID

from tests.support.faults.rig import DidNotLand, Rig, wait_for
from tests.support.faults.table import Fault, Landed, Scene
from tests.support.reports import TOLD

DAY_S: Final = 86_400
FAR_S: Final = 40 * DAY_S
BACK_S: Final = -2 * 3600
CHANGES: Final = (
    # Thursday before Easter; Tuesday after it is the next working day. Summer time begins on the Sunday.
    (date(2027, 3, 25), datetime(2027, 3, 30, 23, tzinfo=UTC)),
    # Friday; Monday is the next working day. Summer time ends on the Sunday.
    (date(2027, 10, 29), datetime(2027, 11, 2, 0, tzinfo=UTC)),
    # Friday; Monday is the next working day. Summer time begins on the Sunday.
    (date(2028, 3, 24), datetime(2028, 3, 27, 23, tzinfo=UTC)),
    # Friday; Monday is the next working day. Summer time ends on the Sunday.
    (date(2028, 10, 27), datetime(2028, 10, 31, 0, tzinfo=UTC)),
)
"""By day of the report, when it is overdue. The next two that the clock has not passed are gone through, one of each kind."""

_BREACHES: Final = """SELECT array_agg(r.due_at) FROM deadlines.rung r JOIN deadlines.duty d USING (duty_id, generation)
    JOIN intake.submission s ON s.case_key = d.case_key
    WHERE s.event_id = $1 AND r.kind = 'breach' AND r.state = 0 AND d.kind = 'obligation'"""
_TODAY: Final = "SELECT CAST(clock.legal_now() AT TIME ZONE 'Europe/London' AS date)"
_DUE_WITHIN: Final = "SELECT CAST($1 AS timestamptz) < clock.legal_now() + CAST($2 AS int) * interval '1 second'"
_FIRED_EARLY: Final = """SELECT count(*) FROM deadlines.rung
    WHERE state = 1 AND settled_at > clock.legal_now() + interval '1 day'"""
_BEHIND: Final = "UPDATE clock.legal_clock SET offset_s = offset_s + $1 RETURNING offset_s"
_DISTRUST: Final = "SELECT count(*) FROM deadlines.alert WHERE kind = 'clock.distrusted'"


def far_ahead(scene: Scene) -> Landed:
    """Move the clock ahead of the due dates of a case that is reported today."""
    _some_cases(scene)
    event, timers = _due_meanwhile(scene, "far-ahead")
    scene.rig.move_clock(FAR_S, "fault table")
    wait_for(lambda: not scene.rig.ask(_BREACHES, event), "its timers fire")
    return Landed("the clock moved on by 40 days", f"{timers} timers that were due meanwhile, and fired")


def back(scene: Scene) -> Landed:
    """Move the clock back over moments at which timers have fired."""
    _some_cases(scene)
    before = scene.rig.ask("SELECT count(*) FROM deadlines.clock_move")
    scene.rig.move_clock(BACK_S, "fault table")
    moved = wait_for(lambda: scene.rig.ask("SELECT count(*) FROM deadlines.clock_move") - before, "the logged move")
    return Landed("the clock moved back by 2 hours", f"{moved} move in the clock's log")


def behind_our_back(scene: Scene) -> Landed:
    """Let the clock leap without a word, as a wrong machine would; put it right once deadlines has noticed."""
    _some_cases(scene)
    event, timers = _due_meanwhile(scene, "behind-our-back")
    before = scene.rig.ask(_DISTRUST)
    scene.rig.ask(_BEHIND, FAR_S)
    try:
        told = wait_for(lambda: scene.rig.ask(_DISTRUST) - before, "an alert about the clock")
    finally:
        scene.rig.ask(_BEHIND, -FAR_S)
    left, early = len(scene.rig.ask(_BREACHES, event) or ()), scene.rig.ask(_FIRED_EARLY)
    if early or left != timers:
        raise DidNotLand(f"{early} timers fired by a clock that is not trusted, {left} of {timers} wait")
    return Landed("the clock leapt by 40 days, unlogged, and back", f"{told} alert that it is not trusted")


def changed(scene: Scene) -> Landed:
    """Report just before each change of the clocks what is due after it; go on to the moment when it is overdue."""
    today = scene.rig.ask(_TODAY)
    ahead = [change for change in CHANGES if change[0] > today][:2]
    if len(ahead) < 2:
        raise DidNotLand("the calendar in CHANGES has come to its end: add the next years")
    for reported_on, over_at in ahead:
        scene.rig.move_clock_to(datetime.combine(reported_on, time(12), UTC), "fault table")
        event = scene.load.post_one(f"{scene.load.prefix}-{reported_on}", reported_on)
        timed = _timed(scene.rig, event)
        if timed != [over_at, over_at]:
            raise DidNotLand(f"expected breaches at {over_at}, got {timed}")
        scene.rig.move_clock_to(over_at, "fault table")
        wait_for(lambda event=event: not scene.rig.ask(_BREACHES, event), "both breaches told")  # type: ignore[misc]
    return Landed("the two changes of the year's clocks", "breaches timed for midnight in England, and told")


def _due_meanwhile(scene: Scene, name: str) -> tuple[UUID, int]:
    """Report a case of today; return its event, and how many timers of it are due within the days of a leap."""
    event = scene.load.post_one(f"{scene.load.prefix}-{name}", scene.rig.ask(_TODAY))
    timers = _timed(scene.rig, event)
    if not scene.rig.ask(_DUE_WITHIN, max(timers), FAR_S):
        raise DidNotLand(f"expected timers that are due within 40 days, got {timers}")
    return event, len(timers)


def _timed(rig: Rig, event: UUID) -> list[datetime]:
    """Wait until each duty of a case has the timer of its breach; return when these are due."""

    def each() -> list[datetime] | None:
        found: list[datetime] = rig.ask(_BREACHES, event) or []
        return found if len(found) == len(TOLD) else None

    due_at: list[datetime] = wait_for(each, "a timer for each duty")
    return due_at


def _some_cases(scene: Scene) -> None:
    """Wait until the row has timers of its own."""
    wait_for(lambda: _duties(scene.rig, scene) > 0, "duties of this row")


def _duties(rig: Rig, scene: Scene) -> int:
    query = """SELECT count(*) FROM deadlines.duty WHERE case_key IN
        (SELECT case_key FROM intake.submission WHERE event_id = ANY($1))"""
    return int(rig.ask(query, list(scene.load.sent.tried)))


FAULTS: Final = (
    Fault("Clock: +40 days", far_ahead, may_repeat=False),
    Fault("Clock: -2 hours", back, may_repeat=False),
    Fault("Clock: +40 days, unlogged", behind_our_back, may_repeat=False),
    Fault("Clock: the two changes of the year", changed, may_repeat=False),
)
