"""Stub recipients: one small real HTTP application with a mailbox for every recipient of the register.

It stands in for the systems of the Panel, Ofsted, partnerships and authorities in the demo and in tests. It knows
nothing of Handrail's code: it verifies signatures by the published format alone and journals everything that reached
it before it answers. Topics: none. Invariant: what it answered 200 to is on disk.
"""
