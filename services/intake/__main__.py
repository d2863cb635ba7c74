"""Runs the intake service as a process: `python -m services.intake`."""

from services.intake.main import create_app
from services.intake.settings import IntakeSettings
from services.kit.runtime import serve
from services.kit.settings import settings_of

if __name__ == "__main__":
    settings = settings_of(IntakeSettings)
    serve(create_app(settings), settings)
