"""Puts the deadlines service together: the only place that constructs things."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI

from schemas.calendar import load_england
from services.deadlines.api import build_api
from services.deadlines.desk import TEMPLATES, build_desk
from services.deadlines.firing import Firing
from services.deadlines.handlers import GROUP, build_router
from services.deadlines.reading import Reader
from services.deadlines.rearming import Rearming
from services.deadlines.service import DeadlinesService
from services.deadlines.settings import DeadlinesSettings
from services.deadlines.waiting import Waiting
from services.deadlines.watch import ClockWatch, witness
from services.kit.backlog import Backlog
from services.kit.consume import UNHURRIED_REST_S
from services.kit.http import build_http
from services.kit.quarantine_api import quarantine_router
from services.kit.runtime import Loop, Runtime, lifespan
from services.kit.ui import build_templates, install_ui, navigation_of

REARMING_S: Final = 60.0
"""How often it is asked whether reminders are left to be moved; after the first look none are until the next start."""


def create_app(settings: DeadlinesSettings | None = None) -> FastAPI:
    """Return the deadlines service; its lifespan runs the consumer, the relay and the firing loop."""
    settings = settings or DeadlinesSettings()
    runtime = Runtime(settings, "deadlines", publish_rest_s=UNHURRIED_REST_S)
    database, calendar = runtime.database, load_england()
    watch = ClockWatch(database, witness(runtime.clock))
    firing = Firing(database, calendar, watch)
    runtime.health.going["firing"] = firing.failing
    router = build_router(DeadlinesService(calendar), runtime.consume)
    waiting = Waiting(firing.step, lambda: Backlog(database, runtime.consume.workers[GROUP]).is_read)
    loops = [
        Loop("firing", waiting.step, every_s=0),  # it sleeps for itself
        Loop("rearming", Rearming(database, calendar).step, every_s=REARMING_S),
    ]
    app = build_http(runtime, "Handrail deadlines", lifespan=lifespan(runtime, [router], loops))

    navigation = navigation_of(settings)
    templates = build_templates(TEMPLATES, navigation=navigation)
    reader = Reader(database, calendar)
    app.include_router(build_api(database, reader, clock_movable=settings.clock_movable))
    app.include_router(build_desk(database, reader, templates))
    app.include_router(quarantine_router(runtime))
    install_ui(app, templates, navigation)
    return app
