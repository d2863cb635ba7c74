"""A case had one delay, one placement and, of each authority, one withdrawal: each is an item now, and what stands of it is carried over.

All that was stated of a kind in linked cases is of one item, as it was, so that of what is owed or was met nobody is told anew.
Its key is that of `schemas.identity.only_item`; intake looks it up by that.
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
_OWED = """(
    SELECT obligation_id, judged_on, md5(CASE kind WHEN 'withdrawal' THEN 'withdrawal ' || duty_holder ELSE kind END) AS item
    FROM routing.obligation JOIN (VALUES
        ('L-05', 'delay', 'delay.known_on'), ('N-22', 'placement', 'placement.made_on'), ('N-22A', 'placement', 'placement.made_on'),
        ('R-06', 'withdrawal', 'withdrawal.made_on')
    ) AS r(rule, kind, judged_on) USING (rule)
    WHERE subject = 'incident'
) AS o"""
STATEMENTS = (
    # That somebody was told of a delay was kept under both names for a while.
    f"""
    DELETE FROM routing.fact f USING {_RENAMED}
    WHERE f.name = r.before AND EXISTS (SELECT FROM routing.fact g WHERE g.event_id = f.event_id AND g.name = r.now)
    """,  # noqa: S608
    f"UPDATE routing.fact f SET name = r.now, subject = md5('delay') FROM {_RENAMED} WHERE f.name = r.before",  # noqa: S608
    "UPDATE routing.fact SET subject = md5('placement') WHERE starts_with(name, 'placement.') AND subject = 'incident'",
    # A withdrawal is stated of its authority, too, as before.
    """
    INSERT INTO routing.fact (event_id, subject, name, case_key, authority, value, occurred_at, recorded_at, corrects)
    SELECT event_id, md5('withdrawal ' || authority), r.now, case_key, authority, CASE r.now WHEN 'withdrawal.by' THEN substr(authority, 4) ELSE value END,
        occurred_at, recorded_at, corrects
    FROM routing.fact f JOIN (VALUES
        ('notification.withdrawn', 'withdrawal.reason'), ('notification.withdrawn_on', 'withdrawal.made_on'),
        ('notification.withdrawn', 'withdrawal.by')
    ) AS r(before, now) ON f.name = r.before AND (f.value IS NOT NULL OR (f.corrects IS NOT NULL AND r.now <> 'withdrawal.by'))
    WHERE starts_with(authority, 'la:')
        AND NOT EXISTS (SELECT FROM routing.fact g WHERE g.event_id = f.event_id AND starts_with(g.name, 'withdrawal.'))
    """,
    f"""
    UPDATE routing.delivery d SET payload = jsonb_set(d.payload, '{{grant,subject}}', to_jsonb(o.item))
    FROM {_OWED} WHERE d.obligation_id = o.obligation_id AND d.payload #>> '{{grant,subject}}' = 'incident'
    """,  # noqa: S608
    f"""
    UPDATE routing.obligation SET subject = o.item, anchor = o.judged_on || ' of ' || o.item,
        opened = jsonb_set(opened, '{{subject}}', to_jsonb(o.item))
    FROM {_OWED} WHERE obligation.obligation_id = o.obligation_id
    """,  # noqa: S608
    f"""
    UPDATE routing.question SET opened = opened || jsonb_build_object('fact', r.now, 'subject', md5('delay'))
    FROM {_RENAMED} WHERE opened ->> 'fact' = r.before
    """,  # noqa: S608
    """
    UPDATE routing.question SET opened = jsonb_set(opened, '{subject}', to_jsonb(md5('placement')))
    WHERE starts_with(opened ->> 'fact', 'placement.') AND opened ->> 'subject' = 'incident'
    """,
)


def upgrade() -> None:
    for each in STATEMENTS:
        op.execute(each)


def downgrade() -> None:
    """Leave the facts as they are: what was one delay of several cannot be told any more."""
