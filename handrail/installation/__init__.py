"""One installation of Handrail on one machine: its folder, keys, passwords and processes.

`handrail demo`, `handrail up` and the end-to-end tests all start the system through `Installation`.
"""
