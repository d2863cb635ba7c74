"""Puts the audit service together; the only place that constructs things."""

import secrets
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fastapi import FastAPI

from services.audit.api import build_api
from services.audit.domain.entry import SALT_BYTES
from services.audit.domain.note import NoteKey
from services.audit.handlers import build_router
from services.audit.loops import INDEX_EVERY_S, SIGN_EVERY_S, Loops
from services.audit.pages import TEMPLATES, build_pages
from services.audit.publisher import Publisher
from services.audit.reader import Reader
from services.audit.service import Sequencer
from services.audit.settings import AuditSettings
from services.audit.sink import CheckpointFolder
from services.kit.consume import UNHURRIED_REST_S
from services.kit.http import build_http
from services.kit.quarantine_api import quarantine_router
from services.kit.runtime import Loop, Runtime, lifespan
from services.kit.ui.environment import build_templates, navigation_of
from services.kit.ui.web import install_ui


def create_app(settings: AuditSettings | None = None) -> FastAPI:
    """Return the application of one audit process; its lifespan starts everything else."""
    settings = settings or AuditSettings()
    runtime = Runtime(settings, "audit", publish_rest_s=UNHURRIED_REST_S)
    key = _signing_key(settings)
    note_key = NoteKey(settings.log_origin, key.public_key().public_bytes_raw())
    publisher = Publisher(settings.log_origin, key, CheckpointFolder(settings.checkpoint_dir, note_key))
    loops = Loops(runtime.database, publisher, runtime.clock)
    runtime.health.ready["log"] = loops.unready
    sequencer = Sequencer(settings.log_origin, lambda: secrets.token_bytes(SALT_BYTES))
    running = (
        Loop("sign", loops.sign, every_s=SIGN_EVERY_S),
        Loop("index", loops.index, every_s=INDEX_EVERY_S),
    )
    reader = Reader(runtime.database)
    navigation = replace(navigation_of(settings), log="/log")
    templates = build_templates(TEMPLATES, navigation=navigation)
    routers = [build_router(sequencer, runtime.consume)]
    app = build_http(runtime, "Handrail audit", lifespan=lifespan(runtime, routers, running))
    app.include_router(build_api(reader))
    app.include_router(quarantine_router(runtime))
    app.include_router(build_pages(reader, templates, note_key, runtime.clock, loops.unready))
    install_ui(app, templates, navigation)
    return app


def _signing_key(settings: AuditSettings) -> Ed25519PrivateKey:
    key = load_pem_private_key(settings.log_key.get_secret_value().encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        message = "HANDRAIL_LOG_KEY must be an Ed25519 private key in PEM: make one with `handrail up`"
        raise TypeError(message)
    return key
