"""What users touch: the `handrail` command, the embedded installation, the demo and the client for partner systems."""
