"""Deadlines: follows every duty to its date, and tells a person in time.

Promise: each duty that routing opens gets its timers; each timer fires once, never early, also through outages, clock
moves and several copies of this service. In: decisions, deliveries. Out: deadlines. Invariants: this service never
interprets law (periods, dates and citations come in the message); the legal clock alone says what time it is; an alert
stands until a person acknowledges it or its cause is gone.
"""
