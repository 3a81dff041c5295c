from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from lumi.commands.keyboard import MAX_LINES, Keyboard

pytestmark = pytest.mark.real


async def test_lines_come_as_they_are_typed_until_the_end():
    reading, writing = os.pipe()
    keyboard = Keyboard(reading)
    os.write(writing, "你好\r\nsecond".encode())
    assert await anext(keyboard) == "你好"
    os.write(writing, b" line\nlast \xff")
    assert await anext(keyboard) == "second line"
    os.close(writing)
    assert await anext(keyboard) == "last \ufffd"
    for _ in range(2):
        with pytest.raises(StopAsyncIteration):
            await anext(keyboard)
    os.close(reading)


async def test_more_lines_than_may_wait_are_not_lost(tmp_path: Path):
    file = tmp_path / "lines"
    file.write_text("".join(f"{n}\n" for n in range(MAX_LINES + 500)))
    with file.open("rb") as stdin:
        keyboard = Keyboard(stdin.fileno())
        await asyncio.sleep(0)
        assert [line async for line in keyboard] == [str(n) for n in range(MAX_LINES + 500)]


async def test_a_descriptor_that_cannot_be_read_is_at_its_end():
    reading, writing = os.pipe()
    os.close(writing)
    os.close(reading)
    assert [line async for line in Keyboard(reading)] == []


def test_a_loop_that_has_gone_is_not_called():
    reading, writing = os.pipe()
    keyboard = Keyboard(reading)
    loop = asyncio.new_event_loop()
    loop.close()
    os.write(writing, b"line\n")
    os.close(writing)
    thread = threading.Thread(target=keyboard._read, args=(loop,))
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
    os.close(reading)
