"""Who gets in, who is sent away, and that nothing is told about why."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import Depends, FastAPI
from joserfc import jwt
from joserfc.jwk import OKPKey

from services.kit.auth import Principal, public, require, require_page, unguarded
from services.kit.clock import FixedClock
from services.kit.http import build_http
from tests.support.kit import NOON
from tests.support.kit_http import bare_runtime

KEY = OKPKey.generate_key("Ed25519")
OTHER_KEY = OKPKey.generate_key("Ed25519")
CLAIMS: dict[str, Any] = {
    "iss": "handrail",
    "sub": "account-1",
    "name": "Invented Person",
    "role": "operations",
    "exp": int((NOON + timedelta(hours=1)).timestamp()),
}


def token(key: Any = KEY, **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return jwt.encode({"alg": "Ed25519"}, claims, key, algorithms=["Ed25519"])


def hmac_with_the_public_key() -> str:
    """Return the classic confusion: a symmetric signature whose secret is the public key."""
    head = urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=").decode()
    signed = f"{head}.{token().split('.')[1]}"
    digest = hmac.digest(KEY.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def with_header(header: bytes) -> str:
    """Return a token with a header that nobody signed."""
    return f"{urlsafe_b64encode(header).rstrip(b'=').decode()}.{token().partition('.')[2]}"


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    key_file = tmp_path / "token.pub"
    key_file.write_bytes(KEY.as_pem(private=False))
    app = build_http(bare_runtime(key_file, FixedClock(NOON)), "test")

    @app.get("/who")
    async def who(principal: Principal = Depends(require("operations", "partner"))) -> dict[str, Any]:  # noqa: B008
        return {name: getattr(principal, name) for name in ("subject", "role", "client", "body")}

    @app.post("/operate")
    async def operate(_by: Principal = Depends(require("operations"))) -> str:  # noqa: B008
        return "done"

    @app.get("/page")
    async def page(_by: Principal = Depends(require_page("auditor"))) -> str:  # noqa: B008
        return "page"

    @app.post("/form")
    async def form(_by: Principal = Depends(require_page("auditor"))) -> str:  # noqa: B008
        return "sent"

    return app


async def ask(app: FastAPI, method: str, path: str, *, session: str | None = None, **options: Any) -> httpx.Response:
    cookies = {"handrail_session": session} if session else {}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8402", cookies=cookies) as client:
        return await client.request(method, path, **options)


def bearer(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


async def test_a_valid_token_says_who_is_asking(app: FastAPI) -> None:
    given = token(client="leeds-police", body="police:west-yorkshire")
    answer = await ask(app, "GET", "/who", headers=bearer(given))

    assert answer.json() == {
        "subject": "account-1",
        "role": "operations",
        "client": "leeds-police",
        "body": "police:west-yorkshire",
    }


FORGED = {
    "no token": None,
    "not a token": "nonsense",
    "empty signature": token().rpartition(".")[0] + ".",
    "another key": token(OTHER_KEY),
    "HMAC with the public key": hmac_with_the_public_key(),
    "expired": token(exp=int(NOON.timestamp())),
    "another issuer": token(iss="somebody"),
    "no issuer": token(iss=None),
    "no expiry": token(exp=None),
    "no subject": token(sub=None),
    "expiry as text": token(exp="9999999999"),
    "unknown role": token(role="superuser"),
    "one bit flipped": token()[:-10] + ("A" if token()[-10] != "A" else "B") + token()[-9:],
    "alg none": "eyJhbGciOiJub25lIn0." + token().split(".")[1] + ".",
    "crit as a number": with_header(b'{"alg":"Ed25519","crit":1}'),
    "crit of lists": with_header(b'{"alg":"Ed25519","crit":[[]]}'),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
async def test_a_forged_token_is_refused_without_saying_why(app: FastAPI, forged: str | None) -> None:
    answer = await ask(app, "GET", "/who", headers=bearer(forged) if forged else {})

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "A valid access token is needed."


async def test_another_role_is_forbidden(app: FastAPI) -> None:
    answer = await ask(app, "POST", "/operate", headers=bearer(token(role="partner")))

    assert answer.status_code == 403


async def test_a_session_cookie_is_a_token(app: FastAPI) -> None:
    answer = await ask(app, "GET", "/who", session=token())

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://localhost:8400", 200), ("https://evil.example", 403), ("null", 403), ("http://[", 403)],
)
async def test_a_form_with_a_cookie_is_accepted_from_our_own_pages_only(app: FastAPI, origin: str, status: int) -> None:
    answer = await ask(app, "POST", "/operate", session=token(), headers={"Origin": origin})

    assert answer.status_code == status


async def test_a_page_without_a_session_leads_to_the_sign_in_page_and_back(app: FastAPI) -> None:
    for session in (None, "nonsense"):
        answer = await ask(app, "GET", "/page?case=1", session=session)

        assert answer.status_code == 303
        back = "http%3A%2F%2Flocalhost%3A8402%2Fpage%3Fcase%3D1"
        assert answer.headers["location"] == f"http://127.0.0.1:8400/sign-in?next={back}"


async def test_a_form_without_a_session_leads_to_the_sign_in_page_and_not_back(app: FastAPI) -> None:
    answer = await ask(app, "POST", "/form")

    assert (answer.status_code, answer.headers["location"]) == (303, "http://127.0.0.1:8400/sign-in")


async def test_a_page_of_another_role_is_forbidden(app: FastAPI) -> None:
    assert (await ask(app, "GET", "/page", headers=bearer(token()))).status_code == 403


async def test_a_route_that_nobody_guards_is_found(app: FastAPI) -> None:
    assert unguarded(app) == []

    @app.get("/open")
    async def open_to_all() -> str:
        return "x"

    @app.get("/public")
    @public
    async def meant_to_be_open() -> str:
        return "x"

    assert unguarded(app) == ["/open"]


def test_the_key_file_is_a_plain_public_key() -> None:
    pem = KEY.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    assert pem == KEY.as_pem(private=False)
