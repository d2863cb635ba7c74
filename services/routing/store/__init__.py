"""Routing's SQL: set-based reads and writes for the decisions of a batch, and reads for the API and pages."""
