"""The test build of a service: what `python -m services.NAME` runs, but its fault points can be armed.

One of the parts that hold the promise can be taken out as well, to show that the checks would notice.
"""

from __future__ import annotations

import os
import runpy
from typing import Final

from tests.support.faults.switch import arm_from_environment
from tests.support.faults.taken_out import take_out

SERVICE: Final = "HANDRAIL_TEST_SERVICE"
WITHOUT: Final = "HANDRAIL_TEST_WITHOUT"


def main() -> None:
    """Run until told to stop."""
    arm_from_environment()
    for part in os.environ[WITHOUT].split():
        take_out(part)
    runpy.run_module(f"services.{os.environ[SERVICE]}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
