"""The token that the command line gives to somebody who reads from outside."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from handrail.cli.main import app
from handrail.embedded.errors import EmbeddedError
from services.kit.auth import Tokens
from services.kit.clock import FixedClock, SystemClock
from services.kit.errors import NotSignedIn
from tests.support.answering import running_at


def test_whoever_verifies_the_log_gets_a_token_for_an_hour_that_opens_what_an_auditor_reads(tmp_path: Path) -> None:
    running_at("http://127.0.0.1:1", tmp_path)

    given = CliRunner().invoke(app, ["token", "--role", "auditor", "--data", str(tmp_path)])

    public_key, token, now = tmp_path / "keys" / "token.pub", given.stdout.strip(), SystemClock().wall_now()
    who = Tokens(public_key, FixedClock(now)).verify(token)
    assert (who.role, who.client, who.body) == ("auditor", None, None)
    with pytest.raises(NotSignedIn):
        Tokens(public_key, FixedClock(now + timedelta(hours=1))).verify(token)


@pytest.mark.parametrize("role", ["operations", "review_officer", "service"])
def test_no_token_is_given_for_a_role_that_may_change_anything(role: str, tmp_path: Path) -> None:
    running_at("http://127.0.0.1:1", tmp_path)

    assert CliRunner().invoke(app, ["token", "--role", role, "--data", str(tmp_path)]).exit_code == 2


def test_without_the_key_of_the_installation_there_is_no_token(tmp_path: Path) -> None:
    running_at("http://127.0.0.1:1", tmp_path)
    (tmp_path / "keys" / "token.key").unlink()

    refused = CliRunner().invoke(app, ["token", "--role", "auditor", "--data", str(tmp_path)])

    assert isinstance(refused.exception, EmbeddedError)
    assert "only who may read the keys of an installation may act for it" in str(refused.exception)
