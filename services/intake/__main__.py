"""Runs the intake service as a process: `python -m services.intake`."""

from services.intake.main import create_app
from services.intake.settings import IntakeSettings
from services.kit.runtime import serve

if __name__ == "__main__":
    settings = IntakeSettings()
    serve(create_app(settings), settings)
