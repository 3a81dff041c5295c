import logging

import pytest

from lumi.server.line import described
from lumi.server.log import TRACE
from lumi.testing.rehearsal import Rehearsal, spoken


async def test_frames_are_written_down_at_the_finest_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(TRACE, logger="lumi.webSocket")
    async with Rehearsal() as house, house.device() as device:
        await device.hello(token="very secret")
        await device.chat("good morning")
        await device.listen("start", mode="manual")
        await device.play(spoken(120))
    frames = [record.getMessage() for record in caplog.records if record.levelno == TRACE]
    text = "\n".join(frames)
    assert '"content":"good morning"' in text.replace("\\", "")
    assert " bytes" in text
    assert "very secret" not in text


async def test_otherwise_no_frame_is_written_down(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="lumi.webSocket")
    async with Rehearsal() as house, house.device() as device:
        await device.hello()
        await device.chat("good morning")
    assert not [record for record in caplog.records if "content" in record.getMessage()]


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (b"12345", "5 bytes"),
        ('{"type":"ping"}', '{"type":"ping"}'),
        ('{"type":"hello","token":"x"}', "hello, 28 characters"),
        ('{"type":"mcp","Token":"x"}', "26 characters, perhaps a secret among them"),
        (r'{"type":"\u0068ello","t\u006fken":"x"}', "38 characters, perhaps a secret among them"),
    ],
)
def test_a_frame_is_described_without_sound_or_secret(frame: str | bytes, told: str) -> None:
    assert described(frame) == told
