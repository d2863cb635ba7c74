"""What goes to this machine goes past the proxy that the environment names: http is allowed there because nothing leaves it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import yaml

from tests.support.answering import Server, serving
from tests.support.repository import ROOT

CALLS = {
    "client": "from handrail.client import HandrailClient; HandrailClient(url, 'hr_x', tries=1).keys()",
    "web": "from handrail.installation.web import Web; Web(url, 'hr_x').get('/v1/keys')",
    "start": "from handrail.installation.waiting import _ask; assert _ask(url) == ''",
    "verify": "from handrail.verify import over_http; over_http(url, 'hr_x')('/v1/checkpoint')",
}
_PAGE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CHECKS = {
    name: service["healthcheck"]["test"][-1]
    for name, service in _PAGE["services"].items()
    if service.get("healthcheck", {}).get("test", [])[:2] == ["CMD", "python"]
}


def call(code: str, proxy: Server, port: str) -> subprocess.CompletedProcess[str]:
    """Run Python where the environment names a proxy for everything."""
    clean = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    named = {"http_proxy": proxy.url, "https_proxy": proxy.url, "HANDRAIL_HTTP_PORT": port}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=clean | named,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("code", [pytest.param(code, id=name) for name, code in (CALLS | CHECKS).items()])
def test_no_token_and_no_report_to_this_machine_is_given_to_a_proxy(code: str) -> None:
    with serving((200, {"keys": []}, {})) as ours, serving((200, {"keys": []}, {})) as proxy:
        done = call(f"url = {ours.url!r}; {code}", proxy, ours.url.rpartition(":")[2])

    assert done.returncode == 0, done.stderr
    assert (len(ours.requests), proxy.requests) == (1, [])


def test_what_goes_elsewhere_takes_the_proxy_as_everything_does() -> None:
    with serving((200, {"keys": []}, {})) as proxy:
        done = call(
            "from handrail.installation.web import Web; Web('http://intake.example').get('/v1/keys')", proxy, "0"
        )

    assert done.returncode == 0, done.stderr
    assert [path for path, _, _ in proxy.requests] == ["http://intake.example/v1/keys"]
