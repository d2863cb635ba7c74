"""Run the front: `python -m handrail.front`."""

from __future__ import annotations

import uvicorn

from handrail.front.main import create_app
from handrail.front.settings import FrontSettings


def main() -> None:
    """Serve until SIGTERM."""
    settings = FrontSettings()
    uvicorn.run(
        create_app(settings), host=settings.http_host, port=settings.http_port, access_log=False, log_level="warning"
    )


if __name__ == "__main__":
    main()
