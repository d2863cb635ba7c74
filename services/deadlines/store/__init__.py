"""The SQL of deadlines, one module per table. Everything is set-based; callers hold the locks of the cases concerned."""
