"""Each planted bug is found within five hundred seeds, by the invariant that it breaks.

On real PostgreSQL the same is held by directed tests, each of which fails with the bug in question:

* acknowledges before the commit: `test_a_batch_killed_before_its_commit_is_handled_by_the_next_process`
  (tests/integration/kit/test_consume.py);
* reads past running transactions: `test_a_transaction_that_commits_late_is_not_skipped` (tests/contract/kit/test_cursor.py);
* holds no case: `test_a_second_writer_of_a_case_waits_for_the_first` (tests/contract/kit/test_transaction.py);
* has no inbox: `test_the_same_message_at_two_offsets_has_one_effect` (tests/contract/kit/test_path.py);
* has no fence: `test_skipped_records_drop_their_partition_only_and_say_where_to_read_again` (tests/contract/kit/test_path.py);
* timers without generation: `test_a_redated_duty_cannot_be_breached_on_its_old_date`
  (tests/integration/deadlines/test_firing.py);
* holds no head: `test_two_writers_at_once_lose_and_repeat_nothing` (tests/contract/audit/test_log.py);
* knows no entry: `test_the_same_event_again_changes_nothing` (tests/contract/audit/test_log.py);
* signs before the commit: `test_what_was_not_committed_is_not_signed` (tests/contract/audit/test_log.py).
"""

from __future__ import annotations

import pytest

from tests.simulation.bugs import BUGS
from tests.simulation.simulate import simulate

SEEDS = 500
FOUND_BY = {
    "acknowledges before the commit": "every_event_has_its_effect_once",
    "reads past running transactions": "everything_committed_is_published",
    "holds no case": "events_of_a_case_are_handled_in_order",
    "has no inbox": "every_event_has_its_effect_once",
    "has no fence": "every_event_has_its_effect_once",
    "timers without generation": "every_overdue_duty_is_breached",
    "holds no head": "each_message_is_one_entry",
    "knows no entry": "each_message_is_one_entry",
    "signs before the commit": "nobody_refuses_to_sign",
}


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str) -> None:
    broken = (simulate(seed, BUGS[name]).violations for seed in range(SEEDS))

    assert any(violation.startswith(FOUND_BY[name]) for violations in broken for violation in violations)
