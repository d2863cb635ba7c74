"""A token is given to the address that was chosen and to no other: a redirect is not followed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from handrail.installation.web import CallFailed, Web
from handrail.verify import CannotCheck, over_http
from tests.support.answering import serving


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("read", "failed"),
    [
        pytest.param(lambda url: Web(url, "hr_x").get("/v1/keys"), CallFailed, id="the command line"),
        pytest.param(lambda url: over_http(url, "hr_x")("/v1/checkpoint"), CannotCheck, id="the verifier"),
    ],
)
def test_a_redirect_is_not_followed(read: Callable[[str], object], failed: type[Exception], status: int) -> None:
    with (
        serving((200, {}, {})) as elsewhere,
        serving((status, {}, {"Location": elsewhere.url})) as server,
        pytest.raises(failed, match=str(status)),
    ):
        read(server.url)

    assert elsewhere.requests == []
