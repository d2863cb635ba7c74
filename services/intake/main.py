"""Puts the intake service together: the only place that constructs things."""

from __future__ import annotations

import secrets
from dataclasses import replace
from uuid import UUID

from fastapi import FastAPI

from schemas import vocabulary
from services.intake.api import build_api, build_content_api
from services.intake.clients_api import build_clients_api
from services.intake.contents import Contents, Grants
from services.intake.handlers import build_router
from services.intake.letterbox import Letterbox
from services.intake.pages import TEMPLATES, build_pages
from services.intake.posting import Posting
from services.intake.reading import Reader
from services.intake.reads import Reads, build_reads, build_reads_page
from services.intake.receipts import Receipts
from services.intake.senders import sender
from services.intake.service import IntakeService
from services.intake.settings import IntakeSettings
from services.intake.vault import Vault
from services.kit.http import build_http
from services.kit.quarantine_api import quarantine_router
from services.kit.runtime import Runtime, lifespan
from services.kit.settings import decode_key
from services.kit.ui import build_templates, install_ui, navigation_of

_DESCRIPTION = "Report events about serious child safeguarding incidents, and see what became of them."


def create_app(settings: IntakeSettings | None = None) -> FastAPI:
    """Return the intake service; its lifespan runs the consumers and the relay."""
    settings = settings or IntakeSettings()
    runtime = Runtime(settings, "intake")
    database, facts = runtime.database, vocabulary.load()
    vault = Vault.from_text(settings.vault_key.get_secret_value())
    identity_key = decode_key(settings.identity_key.get_secret_value())
    letterbox = Letterbox(settings.submission_key.get_secret_value())
    reader = Reader(letterbox, identity_key, facts)
    service = IntakeService(reader, vault, runtime.bodies, mint=_random_key)
    receipts = Receipts(database, facts, runtime.bodies, settings.intake_url)
    by_client = sender(database)

    router = build_router(service, runtime.consume)
    app = build_http(runtime, "Handrail intake", description=_DESCRIPTION, lifespan=lifespan(runtime, [router], []))
    posting = Posting(database, service, receipts, vault, _random_id)
    app.include_router(build_api(posting=posting, receipts=receipts, letterbox=letterbox, sender=by_client))
    grants = Grants(settings.grant_public_key_file, runtime.clock)
    contents = Contents(reader, vault, runtime.bodies, identity_key)
    app.include_router(build_content_api(database, contents, grants))
    app.include_router(build_clients_api(database, runtime.bodies))
    reads = Reads(database)
    app.include_router(build_reads(reads))
    app.include_router(quarantine_router(runtime))

    navigation = replace(navigation_of(settings), receipts="/receipts", reads="/reads")
    templates = build_templates(TEMPLATES, navigation=navigation)
    app.include_router(build_pages(database, receipts, templates))
    app.include_router(build_reads_page(reads, templates))
    install_ui(app, templates, navigation)
    return app


def _random_key() -> str:
    """Return a case or child key: 128 random bits, so that it says nothing and cannot be guessed."""
    return secrets.token_hex(16)


def _random_id() -> UUID:
    return UUID(bytes=secrets.token_bytes(16), version=4)
