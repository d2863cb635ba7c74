"""Pins that no server outlives the process that started it, however that process ends."""

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

OWNER = """
import json, sys, threading
from pathlib import Path
from handrail.embedded.stack import Stack

stack = Stack(Path(sys.argv[1]), environ={}).start()
print(json.dumps([stack.embedded_kafka.pid, stack.embedded_postgres.pid]), flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize("victim", ["owner", "guards"])
def test_no_server_outlives_a_killed_process(victim: str) -> None:
    with tempfile.TemporaryDirectory(prefix="handrail-test-") as folder:
        Path(folder).chmod(0o711)
        owner = subprocess.Popen([sys.executable, "-c", OWNER, folder], stdout=subprocess.PIPE, text=True)
        assert owner.stdout is not None
        servers = [psutil.Process(pid) for pid in json.loads(owner.stdout.readline())]
        guards = [server.parent() for server in servers]
        assert None not in guards
        family = [*servers, *(child for server in servers for child in server.children(recursive=True))]

        if victim == "guards":
            for guard in guards:
                assert guard is not None
                guard.send_signal(signal.SIGKILL)
        owner.kill()
        owner.wait()
        owner.stdout.close()

        _, left = psutil.wait_procs(family, timeout=40)
        assert left == []
        assert not psutil.wait_procs([guard for guard in guards if guard], timeout=20)[1]
        if victim == "owner":
            log = Path(folder, "postgres", "postgres.log").read_text()
            assert "database system is shut down" in log, "the guard ends the server in good order"
