"""Faults of partners: two of them report different cases under the very same names and ids, by HTTP and by Kafka."""

from __future__ import annotations

from datetime import date
from typing import Final

from schemas import identity
from tests.support.faults.load import Load
from tests.support.faults.rig import wait_for
from tests.support.faults.table import Fault, Landed, Scene
from tests.support.reports import SOURCE

OTHER_DAY: Final = date(2026, 6, 8)  # so that it is another event, and not only another sender
SHARED: Final = 20
CASES: Final = 400  # of which some are reported by HTTP by one and by Kafka by the other: those ids differ

_APART: Final = """SELECT count(*) FROM unnest(CAST($1 AS uuid[]), CAST($2 AS uuid[])) AS pair(mine, theirs)
    JOIN intake.submission m ON m.event_id = pair.mine JOIN intake.submission t ON t.event_id = pair.theirs
    WHERE m.event_id <> t.event_id AND m.receipt_id <> t.receipt_id AND m.case_key <> t.case_key"""


def same_ids(scene: Scene) -> Landed:
    """Let another police force report cases of its own under the names and ids that the first uses, at the same time."""
    load, other = scene.load, scene.other
    with Load(scene.rig, other, load.prefix, on=OTHER_DAY) as second:
        names = [f"{load.prefix}-{case}{place}" for case in range(1, CASES + 1) for place in ("", "-0", "-1")]
        pairs = [[identity.event_id(who, SOURCE, name) for name in names] for who in (load.sent.client, other.client)]
        apart = wait_for(
            lambda: (count := scene.rig.ask(_APART, *pairs)) >= SHARED and count, "ids that both have reported"
        )
    load.sent.add_others(second.sent)
    return Landed("two partners, each with its own cases under the same ids", f"{apart} ids with a receipt for each")


SAME_IDS: Final = Fault("Messages: the same ids from two clients", same_ids, may_repeat=False)
