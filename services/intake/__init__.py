"""Intake: checks, keeps, names and emits what partners report. It never decides, and drops nothing that reached it.

In: `POST /v1/events`, topics `safeguarding.submissions.<client>.v1`; for receipts, `decisions` and `deliveries`.
Out: `case-events`, `intake.quarantine`. Invariants: no 2xx before the commit; the same event again has no second effect;
nothing personal leaves but under a grant, and each such read is logged.
"""
