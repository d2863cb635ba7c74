"""Everything intake says to PostgreSQL, one module per noun. Set-based: a batch costs as many statements as one event."""
