"""The fault points that are killed are all there are."""

from __future__ import annotations

import services.audit.publisher
import services.deadlines.firing
import services.routing.dispatch.dispatcher
from services.kit import faults
from tests.support.faults.killing import POINTS

REGISTER_THEIRS = (services.audit.publisher, services.deadlines.firing, services.routing.dispatch.dispatcher)


def test_every_registered_point_is_killed_in_some_service() -> None:
    killed = {point for points in POINTS.values() for point in points}

    assert killed == {point for point in faults.registered() if not point.startswith("test.")}
    assert len(REGISTER_THEIRS) == 3
