"""What audit reads from Kafka: every topic but submissions, as bytes, so that poison is logged like everything else."""

from collections.abc import Sequence

from faststream.kafka import KafkaRouter

from schemas import topics
from services.audit.domain.entry import Record
from services.audit.service import Sequencer
from services.kit.consume import UNHURRIED_REST_S, Consume
from services.kit.kafka_compat import RawRecord
from services.kit.transaction import Transaction


def build_router(sequencer: Sequencer, consume: Consume) -> KafkaRouter:
    """Subscribe audit to everything that services tell each other."""
    router = KafkaRouter()

    @consume.batches(router, *topics.AUDITED, group_id="audit", raw=True, rest_s=UNHURRIED_REST_S)
    async def on_records(records: Sequence[RawRecord], tx: Transaction) -> None:
        read = [Record(one.topic, one.partition, one.offset, one.value or b"") for one in records]
        await sequencer.append(read, tx.connection, tx.now)

    return router
