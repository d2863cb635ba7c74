"""Runs one audit process: `python -m services.audit`."""

from services.audit.main import create_app
from services.audit.settings import AuditSettings
from services.kit.runtime import serve

if __name__ == "__main__":
    settings = AuditSettings()
    serve(create_app(settings), settings)
