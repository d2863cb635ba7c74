"""The command line: `handrail --help`."""
