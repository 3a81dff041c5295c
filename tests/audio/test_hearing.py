"""Packets of many ears decoded and scored together."""

from __future__ import annotations

import pytest
from tests.audio.sounds import OPUS, PCM, CountingVad, opus_packets, samples, tone

from lumi.audio import hearing
from lumi.audio.format import AudioFormat, Codec
from lumi.audio.hearing import Ear, PcmDecoder, hear
from lumi.errors import AudioError, CorruptAudio


def pcm_packets(ms: float, audio: AudioFormat = PCM) -> list[bytes]:
    pcm, size = tone(ms, audio.sample_rate_hz), audio.frame_bytes
    return [pcm[start : start + size] for start in range(0, len(pcm), size)]


def test_windows_of_several_ears_share_calls():
    vad = CountingVad()
    ears = [Ear(OPUS), Ear(PCM), Ear(OPUS)]
    heard = hear(vad, [(ear, opus_packets(120) if ear is not ears[1] else pcm_packets(60)) for ear in ears])
    assert [len(one.pcm) for one in heard] == [3840, 1920, 3840]
    assert [len(one.speech) for one in heard] == [3, 1, 3]
    assert vad.batches == [[1, 2, 3], [1, 3], [1, 3]]


def test_a_window_may_begin_in_one_packet_and_end_in_another():
    vad = CountingVad()
    ear = Ear(PCM)
    counts = [len(hear(vad, [(ear, [packet])])[0].speech) for packet in pcm_packets(60 * 16)]
    assert sum(counts) == 30
    assert set(counts) == {1, 2}


def test_scores_stand_in_the_order_of_the_windows():
    vad = CountingVad()
    packets = [bytes(1024), tone(32), bytes(1024), tone(32)]
    assert hear(vad, [(Ear(PCM), packets)])[0].speech == (0.1, 0.9, 0.1, 0.9)


@pytest.mark.parametrize("rate_hz", [8_000, 12_000, 24_000, 48_000])
def test_opus_of_any_rate_is_heard_at_16_khz(rate_hz):
    audio = AudioFormat(sample_rate_hz=rate_hz, frame_ms=20)
    (heard,) = hear(CountingVad(), [(Ear(audio), opus_packets(200, audio))])
    assert len(heard.pcm) == 200 * 32


def test_pcm_of_any_rate_and_two_channels_is_heard_at_16_khz():
    audio = AudioFormat(Codec.PCM, 24_000, channels=2)
    mono = tone(600, 24_000)
    stereo = b"".join(mono[start : start + 2] * 2 for start in range(0, len(mono), 2))
    packets = [stereo[i : i + audio.frame_bytes] for i in range(0, len(stereo), audio.frame_bytes)]
    (heard,) = hear(CountingVad(), [(Ear(audio), packets)])
    assert 550 < len(heard.pcm) / 32 <= 600
    assert max(samples(heard.pcm)) == pytest.approx(8000, rel=0.1)


def test_a_corrupt_packet_is_concealed_and_counted_where_it_was():
    packets = opus_packets(180)
    packets[1] = b"\xff\xff"
    good, bad = hear(CountingVad(), [(Ear(OPUS), opus_packets(180)), (Ear(OPUS), packets)])
    assert (good.corrupt, bad.corrupt) == (0, 1)
    assert len(bad.pcm) == len(good.pcm)
    assert bad.error is None


def test_torn_pcm_is_concealed_by_silence():
    (heard,) = hear(CountingVad(), [(Ear(PCM), [tone(60), b"abc"])])
    assert heard.corrupt == 1
    assert heard.pcm == tone(60) + bytes(1920)
    with pytest.raises(CorruptAudio, match="3 bytes are no whole number"):
        PcmDecoder(PCM).decode(b"abc")


def test_a_detector_that_fails_costs_the_scores_not_the_sound():
    vad = CountingVad()
    vad.broken = True
    packets = pcm_packets(60)
    heard, short = hear(vad, [(Ear(PCM), packets), (Ear(PCM), [packets[0][:100]])])
    assert heard.pcm == packets[0]
    assert heard.speech == (0.0,)
    assert "broken on purpose" in str(heard.error)
    assert short.error is None, "who had no window to score has lost nothing"


def test_one_ear_that_cannot_decode_leaves_the_others_alone():
    vad = CountingVad()
    deaf = Ear(AudioFormat(frame_ms=50))
    bad, good = hear(vad, [(deaf, [b"x", b"y"]), (Ear(PCM), pcm_packets(60))])
    assert (bad.pcm, bad.corrupt) == (b"", 2)
    assert isinstance(bad.error, AudioError)
    assert good.speech == (0.9,)
    deaf.release(vad)


def test_decoder_and_slot_are_taken_late_and_given_back():
    vad = CountingVad()
    ear = Ear(OPUS)
    ear.release(vad)
    assert vad.opened == 0
    hear(vad, [(ear, opus_packets(60))])
    assert vad.open_slots == {1}
    ear.release(vad)
    ear.release(vad)
    assert vad.open_slots == set()
    other = Ear(PCM)
    hear(vad, [(other, pcm_packets(60))])
    other.release(vad)
    assert vad.open_slots == set()


def test_nothing_to_hear():
    assert hear(CountingVad(), []) == []
    assert hearing.Heard(b"").speech == ()
