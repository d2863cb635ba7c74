"""What the machine could do at most: the same bytes through the same broker and database, and nothing in between.

`uvicorn benchmarks.raw:app` is a bare FastAPI route with one asyncpg insert; `through_kafka` is an idempotent produce,
a consume and a COPY; `rows_again` is every row that reports left behind, by COPY into empty tables with the same indexes.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from fastapi import FastAPI, Request, Response

from benchmarks.load import report
from handrail.embedded.kafka import BrokerAddress
from schemas.topics import SERVICES

TABLE = (
    "CREATE TABLE IF NOT EXISTS public.raw (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL)"
)
_INSERT = "INSERT INTO public.raw (body) VALUES ($1)"


@asynccontextmanager
async def _pool(application: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["RAW_DATABASE_URL"], min_size=10, max_size=10) as pool:
        application.state.pool = pool
        yield


app = FastAPI(lifespan=_pool)


@app.post("/v1/events", status_code=202)
async def post_event(request: Request) -> Response:
    """Keep the body, then say so."""
    await request.app.state.pool.execute(_INSERT, await request.body())
    return Response(b'{"case_key": ""}', 202, media_type="application/json")


async def through_kafka(broker: BrokerAddress, database_url: str, topic: str, count: int) -> float:
    """Return how many reports a second go into a topic, out of it and into a table."""
    way = {
        "bootstrap_servers": broker.bootstrap,
        "security_protocol": broker.security_protocol,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": broker.user,
        "sasl_plain_password": broker.password,
    }
    producer = AIOKafkaProducer(**way, enable_idempotence=True, acks="all", compression_type="zstd", linger_ms=20)
    consumer = AIOKafkaConsumer(topic, **way, auto_offset_reset="earliest", enable_auto_commit=False)
    connection = await asyncpg.connect(database_url)
    await producer.start()
    await consumer.start()
    began = time.monotonic()
    try:
        for number in range(count):
            await producer.send(topic, report(number), key=str(number).encode())
        await producer.flush()
        kept = 0
        while kept < count:
            batches = await consumer.getmany(timeout_ms=1_000, max_records=500)
            rows = [(record.value,) for records in batches.values() for record in records]
            await connection.copy_records_to_table("raw", records=rows, columns=["body"], schema_name="public")
            kept += len(rows)
        return count / (time.monotonic() - began)
    finally:
        await consumer.stop()
        await producer.stop()
        await connection.close()


_COLUMNS = """
    SELECT c.oid::regclass::text AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE n.nspname = ANY($1) AND c.relkind = 'r'
    GROUP BY c.oid ORDER BY c.oid
"""


async def rows_again(database_url: str) -> tuple[int, float]:
    """Return how many rows the services have, and the seconds that it takes to write all of them once more.

    What was changed since it was written is not written twice, and nothing is read, locked or decided.
    """
    connection = await asyncpg.connect(database_url)
    count, seconds = 0, 0.0
    try:
        await connection.execute("CREATE SCHEMA again")
        for number, (table, columns) in enumerate(await connection.fetch(_COLUMNS, list(SERVICES))):
            rows = io.BytesIO()
            names = ", ".join(f'"{column}"' for column in columns)
            await connection.copy_from_query(f"SELECT {names} FROM {table}", output=rows, format="binary")  # noqa: S608
            await connection.execute(f"CREATE TABLE again.t{number} (LIKE {table} INCLUDING ALL)")
            rows.seek(0)
            began = time.monotonic()
            copied = await connection.copy_to_table(
                f"t{number}", schema_name="again", source=rows, columns=columns, format="binary"
            )
            seconds += time.monotonic() - began
            count += int(copied.split()[-1])
        return count, seconds
    finally:
        await connection.close()
