"""Every query of the audit service, in SQL: what the sequencer writes, what the publisher signs, what readers ask."""
