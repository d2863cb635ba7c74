"""Runs one audit process: `python -m services.audit`."""

from services.audit.main import create_app
from services.audit.settings import AuditSettings
from services.kit.runtime import serve
from services.kit.settings import settings_of

if __name__ == "__main__":
    settings = settings_of(AuditSettings)
    serve(create_app(settings), settings)
