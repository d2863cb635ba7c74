"""Run the front: `python -m handrail.front`."""

from __future__ import annotations

import uvicorn

from handrail.front.main import create_app
from handrail.front.settings import FrontSettings
from services.kit.logging import configure_logging, log_what_nobody_caught
from services.kit.settings import settings_of


def main() -> None:
    """Serve until SIGTERM."""
    settings = settings_of(FrontSettings)
    app = create_app(settings)
    configure_logging("front")
    log_what_nobody_caught()
    uvicorn.run(app, host=settings.http_host, port=settings.http_port, access_log=False, log_config=None)


if __name__ == "__main__":
    main()
