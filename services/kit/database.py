"""A service's database: transactions for writers, connections for readers. SQLAlchemy 2.1 on asyncpg.

Each service logs in with its own role and sees its own schema (its search path) and the legal clock. The hot path
sends set-based SQL with `text()` and `unnest`; nobody writes row by row.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from sqlalchemy import event, text
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.kit.errors import READ_ONLY, Unavailable
from services.kit.faults import faultpoint
from services.kit.quarantine import Sealer
from services.kit.transaction import PostgresTransaction

_LEGAL_NOW: Final = text("SELECT clock.legal_now(), pg_postmaster_start_time()")
_LEGAL_NOW_ALONE: Final = text("SELECT clock.legal_now()")
_LEGAL_NOW_WITH_PATIENCE: Final = text("""
    SELECT clock.legal_now(), pg_postmaster_start_time() FROM set_config('lock_timeout', :patience, true)
""")
_CONNECT_TIMEOUT_S: Final = 5
_COMMAND_TIMEOUT_S: Final = 60
IDLE_MS: Final = 20_000
LOCK_MS: Final = 40_000


async def legal_now(connection: AsyncConnection) -> datetime:
    """Return the legal clock, where no transaction knows it: aware, in UTC."""
    found: datetime = (await connection.execute(_LEGAL_NOW_ALONE)).scalar_one()
    return found


class Database:
    """One service's database."""

    def __init__(self, url: str, service: str, *, quarantine_key: str | None = None, pool_size: int = 15) -> None:
        self.service = service
        self.committed = asyncio.Event()  # the relay waits for it
        self.after_commit: list[Callable[[], object]] = [self.committed.set]
        """Called after each commit that emitted."""
        self.admit: Callable[[datetime | None], Awaitable[None]] | None = None
        """Asked before each transaction, and again with when its server was started: raises while it may not be written to."""
        self._sealer = Sealer(quarantine_key)
        self.engine: AsyncEngine = create_async_engine(
            asyncpg_url(url),
            pool_size=pool_size,
            max_overflow=0,  # what is opened beyond the pool is closed at once: a process of PostgreSQL for a question or two
            pool_timeout=10,
            pool_use_lifo=True,  # a few connections that know their statements and types, rather than all of them in turn
            hide_parameters=True,  # an exception's text must not quote what we store
            connect_args={
                "timeout": _CONNECT_TIMEOUT_S,
                "command_timeout": _COMMAND_TIMEOUT_S,
                "server_settings": {
                    "search_path": service,
                    "application_name": f"handrail-{service}",
                    # A transaction that is left open holds back every relay of the cluster and whoever wants the same case. A process that is
                    # frozen may have as many as the pool has connections, one behind the other: those that wait give up, too, or the
                    # case would be free only after the sum of their times.
                    "idle_in_transaction_session_timeout": str(IDLE_MS),
                    "lock_timeout": str(LOCK_MS),
                    # The relay's lock lives as long as its session: a machine that vanished must not keep it for hours.
                    "tcp_keepalives_idle": "10",
                    "tcp_keepalives_interval": "5",
                    "tcp_keepalives_count": "4",
                    "jit": "off",
                    # A statement's plan is kept from when its table was empty: it must not be one that reads all of it.
                    "enable_seqscan": "off",
                },
            },
        )
        event.listen(self.engine.sync_engine, "handle_error", _leave_read_only)
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def begin(self, *, patience_ms: int = 0) -> AsyncIterator[PostgresTransaction]:
        """Open a transaction; it commits, with its messages, when the block ends, and rolls back if it raises.

        Args:
            patience_ms: How long it waits for each lock before it raises; 0 as long as it must.
        """
        if self.admit:
            await self.admit(None)
        async with self.engine.connect() as connection:
            async with connection.begin():
                if patience_ms:
                    asked = connection.execute(_LEGAL_NOW_WITH_PATIENCE, {"patience": f"{patience_ms}ms"})
                else:
                    asked = connection.execute(_LEGAL_NOW)
                now, server = (await asked).one()
                if self.admit:
                    try:
                        await self.admit(server)
                    except Unavailable:
                        await connection.invalidate()  # to another server: the pool would give it to the next one, too
                        raise
                transaction = PostgresTransaction(self.service, now, connection, self._sealer)
                yield transaction
                await transaction.flush()
                faultpoint("transaction.before_commit")
            faultpoint("transaction.committed")
        if transaction.emitted:
            for tell in self.after_commit:
                tell()

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection for reading; each query stands alone, without the round trips of a transaction."""
        async with self._reading.connect() as connection:
            yield connection

    async def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            Exception: Whatever the driver says when there is none; see `errors.is_infrastructure`.
        """
        async with self._reading.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def _leave_read_only(context: ExceptionContext) -> None:
    """Give up every connection to a server that may only be read: after a failover, it is the one that was the primary."""
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True


def asyncpg_url(url: str) -> str:
    """Return a PostgreSQL URL with the driver that is used here.

    Raises:
        ValueError: It is none. Says what was expected, and not what was given: that holds a password.
    """
    wrong = ValueError(
        "expected a database URL like postgresql://role:password@host:port/database, other characters of the password as %40"
    )
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in {"postgres", "postgresql"}:
        raise wrong
    try:
        make_url(address := f"postgresql+asyncpg://{rest}")
    except (ValueError, ArgumentError):
        raise wrong from None
    return address
