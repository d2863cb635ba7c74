"""A server on loopback that answers as it is told: for what calls services, without a service."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from handrail.installation.keys import make_keys
from handrail.installation.running import Running
from schemas.topics import SERVICES

RECEIPT = {"receipt_id": "r", "event_id": "e", "case_key": "c", "missing": []}
PROBLEM = {"Content-Type": "application/problem+json"}
Answer = tuple[int, dict[str, Any] | list[Any] | bytes, dict[str, str]]


class Server:
    """Answers with what it was told to, one after the other; the last for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, str, bytes]] = []
        self.url = ""

    def answer(self) -> Answer:
        """Return the next answer."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def serving(*answers: Answer) -> Iterator[Server]:
    """Serve on a port of loopback."""
    told = Server(*answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told.requests.append((self.path, self.headers.get("Authorization", ""), body))
            status, content, headers = told.answer()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content if isinstance(content, bytes) else json.dumps(content).encode())

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def running_at(url: str, folder: Path) -> None:
    """Write the status file of an installation whose every service is at one address, and its keys."""
    make_keys(folder / "keys")
    (folder / "keys" / "kafka-admin.password").write_text("a password")
    Running(
        folder=str(folder),
        keys=str(folder / "keys"),
        demo=True,
        urls=dict.fromkeys(("front", *SERVICES), url),
        kafka_bootstrap="127.0.0.1:1",
        kafka_security="SASL_PLAINTEXT",
        kafka_admin="admin",
        kafka_ca_file=None,
        database="127.0.0.1:1/handrail",
        log_public_key=str(folder / "keys" / "log.pub"),
    ).write()
