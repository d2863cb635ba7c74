"""Audit: appends what every topic but submissions carries to a verifiable log, and answers questions about it.

Topics in: case-events, decisions, deliveries, deadlines, every quarantine topic. Topics out: none.
Invariants: an entry is never changed or removed; a checkpoint is signed only for committed entries and never behind the
newest published one; poison becomes an entry too; nothing personal stands in an entry.
"""
