"""Runs the deadlines service as a process: `python -m services.deadlines`."""

from services.deadlines.main import create_app
from services.deadlines.settings import DeadlinesSettings
from services.kit.runtime import serve
from services.kit.settings import settings_of

if __name__ == "__main__":
    settings = settings_of(DeadlinesSettings)
    serve(create_app(settings), settings)
