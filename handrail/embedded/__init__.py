"""The local runtime: a real Kafka broker and a real PostgreSQL server as child processes of this one.

Used by the demo, by `handrail up` and by the tests, so that none of them needs Docker. Everything listens
on loopback only, needs a password, and dies with the process that started it.
"""
