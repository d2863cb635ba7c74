"""What was stated of the one delay of a case, under the names that the facts of each delay have now.

What was told together becomes one delay; a correction goes with what it corrects. That somebody was told of it was kept
twice for a while.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

_RENAMED = """(VALUES
    ('review.delay', 'delay.cause'),
    ('review.delay_known_on', 'delay.known_on'),
    ('review.expected_on', 'delay.expected_on'),
    ('review.delay_panel_told_on', 'delay.panel_told_on'),
    ('review.delay_secretary_told_on', 'delay.secretary_told_on')
) AS r(before, now)"""
_STATEMENTS = (
    f"""
    DELETE FROM routing.fact f USING {_RENAMED}
    WHERE f.name = r.before AND EXISTS (SELECT FROM routing.fact g WHERE g.event_id = f.event_id AND g.name = r.now)
    """,  # noqa: S608 - our own names
    f"""
    UPDATE routing.fact f SET name = r.now, subject = md5(f.event_id::text) FROM {_RENAMED} WHERE f.name = r.before
    """,  # noqa: S608
)


def upgrade() -> None:
    for each in _STATEMENTS:
        op.execute(each)


def downgrade() -> None:
    """Leave the facts as they are: what was one delay of several cannot be told any more."""
