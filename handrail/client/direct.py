"""Calls go to the address that was chosen: to this machine past any proxy, as http is allowed there, and not where a redirect says."""

from __future__ import annotations

import urllib.request
from typing import Any, Final
from urllib.parse import urlsplit

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def is_private(url: str) -> bool:
    """Say whether what is sent to an address stays unread on its way: by https, or by http within this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


class Direct(urllib.request.ProxyHandler):
    """For `build_opener`, in the place of the handler of proxies: leaves out those for loopback."""

    def proxy_open(self, req: urllib.request.Request, proxy: str, type: str) -> Any:  # noqa: A002 - as the base has it
        """Send a request by way of the proxy; None sends it straight."""
        if urlsplit(req.full_url).hostname in LOOPBACK:
            return None
        return super().proxy_open(req, proxy, type)


class AsItStands(urllib.request.HTTPErrorProcessor):
    """For `build_opener`: every status is an answer. A redirect is none to follow: it would carry token and event where nobody chose."""

    def http_response(self, request: urllib.request.Request, response: Any) -> Any:  # noqa: ARG002 - as the base has it
        """Return the answer."""
        return response

    https_response = http_response
