"""What intake decides, as pure functions: values in, values out. Nothing here waits, logs, draws an id or reads a clock."""
