import asyncio

from lumi.voice.utterance import Utterance

PIECE = bytes(32 * 60)  # 60 ms at 16 kHz


async def test_pieces_come_out_in_order_until_the_end() -> None:
    utterance = Utterance(1000)
    utterance.push(b"a" * 32)
    utterance.push(b"b" * 32)
    utterance.end()
    assert [piece async for piece in utterance] == [b"a" * 32, b"b" * 32]


async def test_a_reader_waits_for_what_comes() -> None:
    utterance = Utterance(1000)

    async def read() -> list[bytes]:
        return [piece async for piece in utterance]

    reader = asyncio.create_task(read())
    await asyncio.sleep(1)
    utterance.push(PIECE)
    await asyncio.sleep(1)
    utterance.end()
    assert await reader == [PIECE]


async def test_it_says_when_it_is_as_long_as_it_may_be() -> None:
    utterance = Utterance(120)
    assert utterance.push(PIECE)
    assert not utterance.push(PIECE)
    assert utterance.length_ms == 120


async def test_after_the_end_nothing_is_taken_and_the_end_stays() -> None:
    utterance = Utterance(1000)
    assert utterance.ended_at is None
    utterance.end()
    ended_at = utterance.ended_at
    await asyncio.sleep(1)
    utterance.end()
    utterance.push(PIECE)
    assert utterance.ended_at == ended_at
    assert [piece async for piece in utterance] == []
