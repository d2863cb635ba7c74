"""Runs the deadlines service as a process: `python -m services.deadlines`."""

from services.deadlines.main import create_app
from services.deadlines.settings import DeadlinesSettings
from services.kit.runtime import serve

if __name__ == "__main__":
    settings = DeadlinesSettings()
    serve(create_app(settings), settings)
