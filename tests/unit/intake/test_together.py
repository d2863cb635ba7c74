"""Pins how submissions that wait at the same moment share a transaction, and that none depends on its neighbours."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from services.intake.together import MOST, Together
from tests.support.eventually import eventually


class Keeper:
    """Keeps names, batch by batch, once it is let go on; a batch with `bad` fails, `bad` alone fails too."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.batches: list[list[str]] = []
        self.alone: list[str] = []

    async def batch(self, names: Sequence[str]) -> list[str]:
        self.batches.append(list(names))
        await self.go_on.wait()
        if "bad" in names:
            raise ValueError("one of them is bad")
        return [f"{name} kept" for name in names]

    async def one(self, name: str) -> str:
        self.alone.append(name)
        if name == "bad":
            raise ValueError("it is bad")
        return f"{name} kept alone"


async def answers(keeper: Keeper, names: Sequence[str]) -> list[str | BaseException]:
    together = Together(keeper.batch, keeper.one)
    waiting = [asyncio.ensure_future(together.take(name)) for name in names]
    await eventually(lambda: keeper.batches, "the first batch")
    keeper.go_on.set()
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_lone_submission_waits_for_nobody() -> None:
    keeper = Keeper()

    assert await answers(keeper, ["a"]) == ["a kept"]
    assert keeper.batches == [["a"]]


async def test_what_waits_meanwhile_is_kept_together_in_order() -> None:
    keeper = Keeper()
    names = [f"n{number}" for number in range(200)]

    assert await answers(keeper, names) == [f"{name} kept" for name in names]
    assert [name for batch in keeper.batches for name in batch] == names
    assert max(map(len, keeper.batches)) == MOST
    assert not keeper.alone


async def test_what_waits_meanwhile_grows_into_one_batch() -> None:
    keeper = Keeper()
    together = Together(keeper.batch, keeper.one)
    first = asyncio.ensure_future(together.take("first"))
    await eventually(lambda: keeper.batches, "the first batch")
    others = [asyncio.ensure_future(together.take(f"n{number}")) for number in range(MOST)]
    await asyncio.sleep(0)
    keeper.go_on.set()
    await asyncio.gather(first, *others)

    assert [len(batch) for batch in keeper.batches] == [1, MOST]


async def test_a_bad_one_fails_alone_and_its_neighbours_are_kept() -> None:
    keeper = Keeper()

    first, second, *rest = await answers(keeper, ["a", "bad", "c"])

    assert (first, rest) == ("a kept alone", ["c kept alone"])
    assert isinstance(second, ValueError)
    assert sorted(keeper.alone) == ["a", "bad", "c"]


async def test_a_caller_that_has_gone_holds_up_nobody() -> None:
    keeper = Keeper()
    together = Together(keeper.batch, keeper.one)
    gone = asyncio.ensure_future(together.take("gone"))
    stays = asyncio.ensure_future(together.take("stays"))
    await asyncio.sleep(0)
    gone.cancel()
    keeper.go_on.set()

    assert await stays == "stays kept"


async def test_who_comes_just_as_a_batch_ends_does_not_wait_for_the_next_comer() -> None:
    async def keep(batch: Sequence[int]) -> Sequence[int]:
        return batch

    async def keep_alone(one: int) -> int:
        raise AssertionError(one)

    together = Together[int, int](keep, keep_alone)

    async with asyncio.timeout(5):
        assert [await together.take(1), await together.take(2)] == [1, 2]
