"""A real HTTP server in this process for page tests, on a free port of loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket | None = None) -> AsyncIterator[str]:
    """Serve `app` and yield its address, such as `http://127.0.0.1:40123`; without a listener, on a free port."""
    listener = listener or free_listener()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield address_of(listener)
    finally:
        server.should_exit = True
        await running


def free_listener() -> socket.socket:
    """Return a socket that already listens, so that its address can be known before the application is built."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the address at which a browser reaches `listener`."""
    host, port = listener.getsockname()
    return f"http://{host}:{port}"
