"""A backup of one service's tables, and its restoration: what `pg_dump --schema` and `pg_restore` do, without the programs."""

from __future__ import annotations

import asyncpg

_TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = $1"
_SEQUENCES = "SELECT quote_ident(sequencename) AS name, last_value FROM pg_sequences WHERE schemaname = $1"


class Backup:
    """What a service's schema held at one moment; it is kept in a schema beside it."""

    def __init__(self, url: str, schema: str) -> None:
        """Name the database, with its administrator's address, and the schema."""
        self._url = url
        self._schema = schema
        self._kept = f"{schema}_backup"
        self._sequences: dict[str, int | None] = {}

    async def take(self) -> None:
        """Keep what is there now."""
        connection = await asyncpg.connect(self._url)
        try:
            async with connection.transaction(isolation="repeatable_read"):
                await connection.execute(f"DROP SCHEMA IF EXISTS {self._kept} CASCADE; CREATE SCHEMA {self._kept}")
                for table in await self._tables(connection):
                    await connection.execute(f"CREATE TABLE {self._kept}.{table} AS TABLE {self._schema}.{table}")
                rows = await connection.fetch(_SEQUENCES, self._schema)
                self._sequences = {row["name"]: row["last_value"] for row in rows}
        finally:
            await connection.close()

    async def restore(self) -> None:
        """Put back what was there, and forget what came since."""
        connection = await asyncpg.connect(self._url)
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL session_replication_role = replica")  # no foreign keys meanwhile
                tables = await self._tables(connection)
                await connection.execute(f"TRUNCATE {', '.join(f'{self._schema}.{table}' for table in tables)}")
                for table in tables:
                    await connection.execute(
                        f"INSERT INTO {self._schema}.{table} OVERRIDING SYSTEM VALUE TABLE {self._kept}.{table}"
                    )
                for name, last in self._sequences.items():
                    await connection.execute(
                        "SELECT setval($1::text::regclass, $2, $3)",
                        f"{self._schema}.{name}",
                        last or 1,
                        last is not None,
                    )
        finally:
            await connection.close()

    async def _tables(self, connection: asyncpg.Connection) -> list[str]:
        return [row[0] for row in await connection.fetch(_TABLES, self._schema)]
