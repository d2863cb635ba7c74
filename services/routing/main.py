"""The routing service, put together; nothing else constructs anything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI

from services.kit.consume import UNHURRIED_REST_S
from services.kit.http import build_http
from services.kit.quarantine_api import quarantine_router
from services.kit.runtime import Loop, Runtime
from services.kit.runtime import lifespan as kit_lifespan
from services.kit.ui import build_templates, install_ui, navigation_of
from services.routing.announcing import Announcer
from services.routing.api import build_api, build_considering, build_migrating, build_preview, build_recorded
from services.routing.considering import Considering
from services.routing.dispatch.body import Composer
from services.routing.dispatch.dispatcher import Dispatcher
from services.routing.dispatch.endpoints import Endpoints
from services.routing.dispatch.grants import read_key
from services.routing.dispatch.guard import Guard
from services.routing.dispatch.sender import WebhookChannel, open_session
from services.routing.dispatch.sign import read_private_keys
from services.routing.handlers import build_router
from services.routing.laws import FolderOfLaws
from services.routing.migrating import Migrator
from services.routing.pages.cases import build_pages
from services.routing.pages.comparing import build_comparison
from services.routing.pages.considered import build_considered
from services.routing.pages.recording import Intake, build_recording
from services.routing.pages.rulebook import build_rulebook_pages
from services.routing.reading import Reader
from services.routing.recorded import Recorder
from services.routing.recounting import Recount
from services.routing.service import RoutingService
from services.routing.settings import RoutingSettings
from services.routing.succeeding import Succession

TEMPLATES: Final = Path(__file__).parent / "pages" / "templates"
POLL_S: Final = 0.2
REST_S: Final = 0.02
SUCCESSION_S: Final = 5.0


def create_app(settings: RoutingSettings | None = None) -> FastAPI:
    """Return the whole service; its lifespan starts the subscription, the relay and the dispatcher."""
    settings = settings or RoutingSettings()
    runtime = Runtime(settings, "routing", publish_rest_s=UNHURRIED_REST_S)
    laws = FolderOfLaws(settings.rulebooks, settings.rulebook)
    channel = WebhookChannel()
    intake = Intake(settings.intake_url)
    keys = read_private_keys(settings.webhook_key.get_secret_value().encode())
    guard = Guard((law.text for law in laws.all), laws.newest.register_text)
    composer = Composer(guard, read_key(settings.grant_key.get_secret_value().encode()), settings.intake_url)
    endpoints = Endpoints(settings.endpoints_file, plain_text_ok=settings.endpoints_plaintext_ok)
    dispatcher = Dispatcher(
        runtime.database,
        channel,
        composer,
        endpoints=endpoints,
        keys=keys,
        clock=runtime.clock,
    )
    laws.after_change.append(lambda: composer.check_by(law.text for law in laws.all))
    service = RoutingService(laws)
    routers = [build_router(service, runtime.consume)]
    announcer = Announcer(runtime.database, laws)
    runtime.health.ready |= {"rulebooks": announcer.unready, "endpoints": endpoints.unready}

    async def look_and_claim() -> bool:
        await announcer.step()  # a notice may rest on what another process has just taken
        return await dispatcher.claim_step()

    claim = Loop("claim", look_and_claim, every_s=POLL_S, rest_s=REST_S)
    runtime.database.after_commit.append(claim.wake)  # what was just decided is sent at once
    settle = Loop("settle", dispatcher.settle_step, every_s=POLL_S, rest_s=REST_S)
    dispatcher.after_attempt = settle.wake
    loops = [
        claim,
        settle,
        Loop("succession", Succession(runtime.database, service, laws).step, every_s=SUCCESSION_S),
        Loop("recount", Recount(runtime.database, service, laws).step, every_s=SUCCESSION_S),
    ]
    start_kit = kit_lifespan(runtime, routers, loops)

    @asynccontextmanager
    async def open_sessions() -> AsyncIterator[None]:
        async with open_session() as session:
            channel.session = intake.session = session
            yield

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_sessions(), start_kit(app):
            yield
            await dispatcher.drain()  # what was sent is settled before the database closes

    app = build_http(runtime, "Handrail routing", description="Who must be told, and who was.", lifespan=lifespan)
    app.state.open_sessions = open_sessions  # for pages without the loops
    navigation = navigation_of(settings)
    templates = build_templates(TEMPLATES, navigation=navigation)
    reader = Reader(runtime.database, laws)
    considering = Considering(runtime.database, laws)
    app.include_router(build_api(reader, runtime.database, keys))
    app.include_router(build_preview(laws))
    app.include_router(build_considering(considering))
    app.include_router(build_migrating(Migrator(runtime.database, service)))
    app.include_router(build_recorded(Recorder(runtime.database, laws)))
    app.include_router(build_recording(reader, templates, intake, laws.register))
    app.include_router(build_pages(reader, templates, laws.register))
    app.include_router(build_comparison(templates, laws))  # before the rules: /rules/compare is none
    app.include_router(build_rulebook_pages(templates, laws))
    app.include_router(build_considered(considering, templates, laws.register))
    app.include_router(quarantine_router(runtime))
    install_ui(app, templates, navigation)
    return app
