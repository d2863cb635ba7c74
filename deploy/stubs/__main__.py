"""Start the stub recipients: `python -m deploy.stubs --journal FOLDER --key FILE [--host H] [--port N]`.

Every option can also come from the environment, as containers have it.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from deploy.stubs.app import create_app


def main() -> None:
    """Serve until told to stop."""
    options = _options()
    app = create_app(options.journal, [_read_key(path) for path in options.key])
    web.run_app(
        app,
        host=options.host,
        port=options.port,
        print=None,
        access_log=None,
        shutdown_timeout=2,
        handler_cancellation=True,
    )


def _options() -> argparse.Namespace:
    env = os.environ
    parser = argparse.ArgumentParser(prog="python -m deploy.stubs", description="Stub recipients of signed notices.")
    parser.add_argument("--host", default=env.get("HANDRAIL_HTTP_HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(env.get("HANDRAIL_HTTP_PORT", "8405")))
    parser.add_argument("--journal", type=Path, default=env.get("HANDRAIL_STUB_JOURNAL"), help="folder of the journal")
    parser.add_argument(
        "--key",
        type=Path,
        action="append",
        help="public Ed25519 key of the sender (PEM); give it again while keys change",
    )
    options = parser.parse_args()
    from_environment = env.get("HANDRAIL_WEBHOOK_PUBLIC_KEY_FILE")
    if options.key is None and from_environment:
        options.key = [Path(from_environment)]
    if options.journal is None or options.key is None:
        parser.error("expected --journal FOLDER and --key FILE")
    return options


def _read_key(path: Path) -> Ed25519PublicKey:
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise SystemExit(f"expected an Ed25519 public key in {path}")
    return key


if __name__ == "__main__":
    main()
