"""Routing: merges the facts of a case, evaluates the rulebook in force, and delivers what is owed.

Promise: every case event is decided once under the law in force; every notice that is owed and released is delivered, or
a person is told that it could not be. Topics in: case-events. Topics out: decisions, deliveries. Invariants: routing
alone opens and closes obligations; owed is not sent; a re-decision that changes nothing makes no new notice; a
recipient's 2xx meets no duty.
"""
