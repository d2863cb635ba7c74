"""The test build of a service: `python -m tests.support.faults.service NAME [WITHOUT]`.

The same process as `python -m services.NAME`, but its fault points can be armed, and one of the parts that hold the
promise can be taken out, to show that the checks would notice.
"""

from __future__ import annotations

import runpy
import sys

from tests.support.faults.switch import arm_from_environment
from tests.support.faults.taken_out import take_out


def main() -> None:
    """Run until told to stop."""
    service, *without = sys.argv[1:]
    arm_from_environment()
    for part in without:
        take_out(part)
    runpy.run_module(f"services.{service}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
