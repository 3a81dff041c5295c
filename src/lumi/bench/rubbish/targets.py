"""What a fuzzer calls with bytes of its own making: each raises only where something is wrong with Lumi."""

from __future__ import annotations

from collections.abc import Callable

from lumi.audio.format import AudioFormat
from lumi.audio.opus import OpusDecoder
from lumi.bench.rubbish.decoder import FRAMINGS, opened
from lumi.errors import CorruptAudio, FrameError, ProtocolError
from lumi.protocol.codec import decode_client, encode
from lumi.protocol.frames import Framing, pack, unpack
from lumi.protocol.messages import AudioFrame, ErrorCode, Fault

LONGEST_MS = 120
"""No Opus packet is longer (RFC 6716, 2.1.4)."""

CUT = b"\xff\x00\xff\x00"
"""Where the input of `connection` is cut into frames."""

Target = Callable[[bytes], None]


def decode(data: bytes) -> None:
    """A text frame: a message that can be written and read again, or an error with a code."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        message = decode_client(text)
    except ProtocolError as error:
        ErrorCode(error.code)
        return
    again = decode_client(encode(message))
    assert type(again) is type(message), f"{message!r} was read again as {again!r}"


def framing(data: bytes) -> None:
    """A binary frame, its layout chosen by the first byte: what is unpacked packs to the same sound."""
    if not data:
        return
    layout = list(Framing)[data[0] % len(Framing)]
    try:
        frame = unpack(layout, data[1:])
    except FrameError as error:
        ErrorCode(error.code)
        return
    if isinstance(frame, AudioFrame) and len(frame.payload) <= 0xFFFF:
        assert unpack(layout, pack(layout, frame)) == frame, f"{frame!r} was unpacked otherwise"


def connection(data: bytes) -> None:
    """A connection after its hello, its framing chosen by the first byte: nothing is raised, every fault is answered."""
    if not data:
        return
    link = opened(FRAMINGS[data[0] % len(FRAMINGS)])
    for number, piece in enumerate(data[1:].split(CUT)):
        frame = piece.decode("utf-8", "surrogateescape") if number % 2 else piece
        for event in link.receive(frame):
            if isinstance(event, Fault):
                assert event.reply is not None, f"nobody was told of {event.code}"
                if event.fatal_close is not None:
                    return


def opus(data: bytes) -> None:
    """A packet from a client, at the rate that the first byte chooses: sound of a length that can be, or `CorruptAudio`."""
    if not data:
        return
    rates = (8_000, 12_000, 16_000, 24_000, 48_000)
    audio = AudioFormat(sample_rate_hz=rates[data[0] % len(rates)])
    decoder = OpusDecoder(audio)
    try:
        pcm = decoder.decode(data[1:])
    except CorruptAudio:
        return
    finally:
        decoder.close()
    ms = 1000 * len(pcm) / (2 * audio.sample_rate_hz)
    assert 0 < ms <= LONGEST_MS, f"a packet of {ms:g} ms"


TARGETS: dict[str, Target] = {target.__name__: target for target in (decode, framing, connection, opus)}
