"""The dispatcher: sends the delivery rows that decisions wrote, signed, in order, with retries that never give up silently.

No row is sent without the independent check of `guard`; nothing is sent inside a transaction.
"""
