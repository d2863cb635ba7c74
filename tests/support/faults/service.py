"""The test build of a service: what `python -m services.NAME` runs, but its fault points can be armed.

One of the parts that hold the promise can be taken out as well, to show that the checks would notice.
"""

from __future__ import annotations

import runpy

from tests.support.faults.switch import arm_from_environment
from tests.support.faults.taken_out import take_out


def run(service: str, *without: str) -> None:
    """Run until told to stop, without some parts."""
    arm_from_environment()
    for part in without:
        take_out(part)
    runpy.run_module(f"services.{service}", run_name="__main__", alter_sys=True)
