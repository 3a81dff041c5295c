"""How the console reads the file of a recording: the same format as `lumi.store.recordings`, written here by that."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from playwright.async_api import Page
from tests.web.browsing import IN_BROWSER

from lumi.store.recordings import (
    Agreed,
    ClientPacket,
    Closed,
    FromClient,
    FromServer,
    Header,
    Line,
    ServerPacket,
    SoundFormat,
    encoded,
)

pytestmark = IN_BROWSER

FORM = SoundFormat("opus", 16_000, 60)
ENTRIES: list[Line] = [
    Agreed(at_ms=0.0, uplink=FORM, downlink=FORM),
    FromClient(at_ms=1.0, message={"type": "listen", "state": "start"}),
    *(ClientPacket(at_ms=10.0 + 60 * number, packet=bytes([number])) for number in range(5)),
    ClientPacket(at_ms=310.0, packet=b""),
    FromServer(at_ms=400.0, message={"type": "stt", "text": "hello", "is_final": False}),
    FromServer(at_ms=500.0, message={"type": "stt", "text": "hello there"}),
    FromServer(at_ms=600.0, message={"type": "tts", "state": "sentence_start", "text": "Hi."}),
    *(ServerPacket(at_ms=at, packet=b"x") for at in (600.0, 600.0, 600.0, 660.0, 720.0)),
    FromServer(at_ms=60_720.0, message={"type": "response", "content": "Done."}),
    Closed(at_ms=60_800.0, code=1000, reason="bye"),
]
HEADER = Header(session_id="s", device_id="d", started_at=1.0)

READ = """async (text) => {
  const { isShortened, parse, stretches, transcript } = await import("/console/recording.js");
  const { header, entries, cut } = parse(text);
  return {
    header, cut, count: entries.length, said: transcript(entries), shortened: isShortened(entries),
    stretches: stretches(entries).map(({ side, start, ms, packets }) => [side, start, ms, packets.map((one) => [...one])]),
  };
}"""


def text(*, torn: str = "") -> str:
    return b"".join(map(encoded, (HEADER, *ENTRIES))).decode() + torn


async def test_it_reads_what_the_server_writes(module_page: Page):
    found = await module_page.evaluate(READ, text())
    assert found["header"]["session_id"] == "s"
    assert (found["count"], found["cut"]) == (len(ENTRIES), False)
    assert found["stretches"] == [
        ["client", 10, 300, [[0], [1], [2], [3], [4]]],
        ["server", 600, 300, [[120]] * 5],
    ]
    assert [(line["at"], line["who"], line["text"]) for line in found["said"]] == [
        (10, "you", "hello there"),  # said from there on
        (600, "lumi", "Hi."),
        (1720, "lumi", "Done."),  # a minute of silence is a second
        (1800, "", "1000 bye"),  # put into words by its key
    ]


async def test_what_was_typed_stands_there_once_and_pauses_are_told_of_where_there_are_any(module_page: Page):
    typed: list[Line] = [
        FromClient(at_ms=1.0, message={"type": "listen", "state": "detect", "text": "tell me a joke"}),
        FromServer(at_ms=2.0, message={"type": "stt", "text": "tell me a joke"}),  # the server's echo of it
        FromClient(at_ms=900.0, message={"type": "listen", "state": "start"}),
        FromServer(at_ms=1000.0, message={"type": "stt", "text": "tell me a joke"}),  # said aloud
    ]
    file = b"".join(map(encoded, (HEADER, *typed))).decode()
    found = await module_page.evaluate(READ, file)
    assert [line["at"] for line in found["said"]] == [1, 1000]
    assert not found["shortened"]
    assert (await module_page.evaluate(READ, text()))["shortened"]


async def test_a_file_that_is_cut_off_is_read_as_far_as_it_goes(module_page: Page):
    found = await module_page.evaluate(READ, text(torn='{"kind":"from_cl'))
    assert (found["count"], found["cut"]) == (len(ENTRIES), True)


async def test_another_format_is_refused(module_page: Page):
    with pytest.raises(Exception, match="format 2; this page reads 1"):
        await module_page.evaluate(READ, text().replace('"lumi_recording":1', '"lumi_recording":2'))


async def test_packets_become_a_file_that_the_browser_decodes(module_page: Page):
    from lumi.audio.format import AudioFormat
    from lumi.audio.opus import OpusEncoder
    from lumi.testing.sounds import tone

    audio = AudioFormat()
    encoder, pcm = OpusEncoder(audio), tone(600)
    cuts = range(0, len(pcm), audio.frame_bytes)
    packets = [base64.b64encode(encoder.encode(pcm[at : at + audio.frame_bytes])).decode() for at in cuts]
    found: Any = await module_page.evaluate(DECODE, packets)
    assert found["seconds"] == pytest.approx(0.6, abs=0.02)
    assert found["peak"] > 0.1


DECODE = """async (packets) => {
  const { ogg } = await import("/console/ogg.js");
  const bytes = packets.map((packet) => Uint8Array.from(atob(packet), (one) => one.charCodeAt(0)));
  const sound = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(ogg(bytes, 60, 16000).buffer);
  return { seconds: sound.duration, peak: Math.max(...sound.getChannelData(0)) };
}"""
