"""A program for the tests of the nursery: says who it is, and then waits, or ends at once with the code it is given."""

import os
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.stdout.write(f"{os.environ['WHO']} {Path.cwd().name}\n")
    sys.stdout.flush()
    if code := os.environ.get("CODE"):
        sys.exit(int(code))
    signal.pause()
