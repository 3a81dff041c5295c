from __future__ import annotations

import logging

from lumi.audio.format import AudioFormat, Codec
from lumi.audio.opus import OpusEncoder
from lumi.client import downlink as module
from lumi.client.downlink import Downlink
from lumi.errors import OpusUnavailable
from lumi.protocol.messages import AudioFrame


def test_opus_is_decoded_at_the_agreed_rate():
    audio = AudioFormat(Codec.OPUS, 24_000, 1, 20)
    packet = OpusEncoder(audio).encode(bytes(960))
    heard = Downlink(audio).decode(AudioFrame(packet), "t1")
    assert (len(heard.pcm), heard.rate_hz, heard.packet, heard.turn_id) == (960, 24_000, packet, "t1")


def test_pcm_is_itself():
    downlink = Downlink(AudioFormat(Codec.PCM))
    downlink.reset()
    assert downlink.decode(AudioFrame(b"\1\2")).pcm == b"\1\2"


def test_an_empty_packet_is_no_sound():
    assert Downlink(AudioFormat()).decode(AudioFrame(b"")).pcm == b""


def test_a_broken_packet_is_hidden_and_counted():
    downlink = Downlink(AudioFormat())
    downlink.reset()
    heard = downlink.decode(AudioFrame(b"\xff" * 3))
    assert len(heard.pcm) == 1920
    assert downlink.corrupt == 1


def test_without_opus_packets_stay_packets(monkeypatch, caplog):
    def none(_audio: AudioFormat) -> None:
        raise OpusUnavailable("install it")

    monkeypatch.setattr(module, "OpusDecoder", none)
    with caplog.at_level(logging.WARNING, "lumi.client.audio"):
        downlink = Downlink(AudioFormat())
    downlink.reset()
    assert downlink.decode(AudioFrame(b"packet")).pcm == b""
    assert "install it" in caplog.text
