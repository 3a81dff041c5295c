"""The pure parts of the page's audio: resampling, the jitter buffer, the meter, the codecs."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page
from tests.web.browsing import IN_BROWSER

from lumi.audio.format import AudioFormat
from lumi.audio.jitter import DEFAULT_MAX_MS, DEFAULT_START_MS
from lumi.audio.opus import OpusDecoder, OpusEncoder
from lumi.client.player import SILENT_PEAK
from lumi.testing import tone
from lumi.testing.sounds import loudness

pytestmark = IN_BROWSER

RESAMPLED = """async ([from, to, pitch, sizes]) => {
  const { Resampler } = await import("/sdk/audio/resampler.js");
  const input = Float32Array.from({ length: from }, (_, n) => 0.5 * Math.sin((2 * Math.PI * pitch * n) / from));
  const resampler = new Resampler(from, to);
  const out = [];
  for (let at = 0, k = 0; at < input.length; k += 1) {
    const size = sizes[k % sizes.length];
    out.push(...resampler.process(input.subarray(at, at + size)));
    at += size;
  }
  // Against the same tone made at the other rate: the best fit of sine and cosine, and what is left beside it.
  const middle = out.slice(200, -200);
  let [ss, cc, sc, xs, xc, xx] = [0, 0, 0, 0, 0, 0];
  middle.forEach((x, n) => {
    const [s, c] = [Math.sin((2 * Math.PI * pitch * n) / to), Math.cos((2 * Math.PI * pitch * n) / to)];
    ss += s * s; cc += c * c; sc += s * c; xs += x * s; xc += x * c; xx += x * x;
  });
  const det = ss * cc - sc * sc;
  const [a, b] = [(xs * cc - xc * sc) / det, (xc * ss - xs * sc) / det];
  const left = Math.max(xx - a * xs - b * xc, 1e-12);
  return { count: out.length, amplitude: Math.hypot(a, b), snr: 10 * Math.log10(xx / left) };
}"""


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(48_000, 16_000), (44_100, 16_000), (16_000, 48_000), (24_000, 44_100)]
)
async def test_a_tone_is_the_same_tone_at_another_rate(module_page, from_hz, to_hz):
    made = await module_page.evaluate(RESAMPLED, [from_hz, to_hz, 1_000, [128]])
    assert made["count"] == pytest.approx(to_hz, abs=60)
    assert made["amplitude"] == pytest.approx(0.5, abs=0.005)
    assert made["snr"] > 60


async def test_pieces_of_any_size_make_the_same_sound(module_page):
    whole, pieces = [
        await module_page.evaluate(RESAMPLED, [44_100, 16_000, 440, sizes])
        for sizes in ([50_000], [1, 7, 128, 1000])
    ]
    assert whole == pieces


async def test_what_the_lower_rate_cannot_hold_is_kept_out(module_page):
    made = await module_page.evaluate(RESAMPLED, [48_000, 16_000, 9_500, [128]])
    assert made["amplitude"] < 0.005


JITTER = """async (steps) => {
  const { JitterBuffer, START_MS, MAX_MS } = await import("/sdk/audio/jitter.js");
  const buffer = new JitterBuffer(1000, { startMs: 120, maxMs: 600 }); // a sample is a millisecond
  const told = [];
  const play = (ms) => {
    const out = new Float32Array(ms);
    const written = buffer.pull(out);
    told.push([written, out[0] || 0]);
  };
  const say = (value, turn = "t") => buffer.push(turn, new Float32Array(60).fill(value));
  for (const [what, ...more] of steps) {
    if (what === "begin") buffer.begin(more[0] ?? "t");
    else if (what === "say") say(...more);
    else if (what === "play") play(...more);
    else if (what === "complete") buffer.complete(more[0] ?? "t");
    else if (what === "flush") buffer.flush();
    else throw new Error(what);
  }
  return { told, stats: buffer.stats, waiting: buffer.waitingMs, passed: buffer.passedMs, over: buffer.over,
    start: START_MS, max: MAX_MS };
}"""


async def run(page: Page, *steps: list[Any]) -> dict[str, Any]:
    made: dict[str, Any] = await page.evaluate(JITTER, [["begin"], *steps])
    return made


async def test_it_plays_once_enough_waits(module_page):
    made = await run(module_page, ["say", 0.5], ["play", 60], ["say", 0.25], ["play", 60], ["play", 60])
    assert made["told"] == [[0, 0], [60, 0.5], [60, 0.25]]
    assert made["stats"]["underruns"] == 0
    assert (made["start"], made["max"]) == (DEFAULT_START_MS, DEFAULT_MAX_MS)


async def test_a_complete_speech_plays_however_short_and_is_over(module_page):
    made = await run(module_page, ["say", 0.5], ["complete"], ["play", 60], ["play", 60])
    assert made["told"] == [[60, 0.5], [0, 0]]
    assert made["over"]
    assert (made["passed"], made["waiting"]) == (60, 0)


async def test_running_dry_is_counted_when_more_comes_and_fills_up_again(module_page):
    two = [["say", 0.5], ["say", 0.5], ["play", 120], ["play", 60]]
    made = await run(module_page, *two)
    assert made["stats"]["underruns"] == 0, "this may have been the end"
    made = await run(module_page, *two, ["say", 0.5], ["play", 60], ["say", 0.5], ["play", 60])
    assert made["stats"]["underruns"] == 1
    assert made["told"][-2:] == [[0, 0], [60, 0.5]]


async def test_too_much_is_dropped_oldest_first_and_counts_as_passed(module_page):
    made = await run(module_page, *[["say", n / 100] for n in range(1, 13)], ["play", 60])
    assert made["stats"]["dropped"] == 2
    assert made["told"] == [[60, pytest.approx(0.03)]]
    assert made["passed"] == 180


async def test_a_delay_is_won_back_in_pauses_and_no_more_than_that(module_page):
    words = [["say", value] for value in (0.5, 0, 0, 0, 0, 0.5)]
    made = await run(module_page, *words, *[["play", 60]] * 4)
    assert made["stats"]["skipped"] == 2
    assert [first for _, first in made["told"]] == [0.5, 0, 0, 0.5]


async def test_another_turns_speech_is_stale_and_flushing_is_silence_at_once(module_page):
    made = await run(
        module_page,
        ["say", 0.5],
        ["say", 0.5],
        ["say", 0.9, "other"],
        ["play", 60],
        ["flush"],
        ["play", 60],
        ["say", 0.5],
        ["play", 60],
    )
    assert made["stats"]["stale"] == 2
    assert made["told"][0] == [60, 0.5]
    assert made["told"][1][0] == 0
    assert 0.4 < made["told"][1][1] < 0.5, "the last samples fade, so that it does not click"
    assert made["told"][2] == [0, 0]
    assert made["waiting"] == 0


async def test_the_meter_hears_as_people_do(module_page):
    loud, quiet, peak = await module_page.evaluate(
        """async () => {
          const { loudness, Meter } = await import("/sdk/audio/meter.js");
          const meter = new Meter();
          meter.add(new Float32Array(480).fill(0.25));
          const { wave, level, squares } = meter.take();
          return [loudness(1, 1), loudness(1e-7, 1), [wave.length, Math.max(...wave), level > 0.7, squares, meter.count]];
        }"""
    )
    assert (loud, quiet) == (1, 0)
    assert peak == [32, 0.25, True, 30, 0]


async def test_the_quietest_sound_is_the_python_players(module_page):
    source = await module_page.evaluate("fetch('/sdk/audio/jitter.js').then((answer) => answer.text())")
    assert f"SILENT_PEAK = {SILENT_PEAK} / 32768" in source


async def test_the_browsers_opus_is_understood_and_understands_ours(module_page):
    ours = OpusEncoder(AudioFormat())
    packets = [list(ours.encode(tone(60))) for _ in range(10)]
    theirs, decoded = await module_page.evaluate(
        """async (packets) => {
          const { openEncoder, bestAudioParams } = await import("/sdk/audio/encoder.js");
          const { openDecoder } = await import("/sdk/audio/decoder.js");
          const params = await bestAudioParams();
          const sent = [];
          const encoder = openEncoder(params, (packet) => sent.push([...packet]));
          for (let k = 0; k < 10; k += 1)
            encoder.encode(Float32Array.from({ length: 960 }, (_, n) => 0.25 * Math.sin((2 * Math.PI * 440 * (960 * k + n)) / 16000)));
          await encoder.flush();
          encoder.close();
          let squares = 0, seconds = 0;
          const decoder = openDecoder(params, (samples, rateHz) => {
            seconds += samples.length / rateHz;
            for (const sample of samples) squares += (sample * sample) / rateHz;
          });
          decoder.decode(new Uint8Array([255, 255, 255]));
          await decoder.flush();
          for (const packet of packets) decoder.decode(new Uint8Array(packet));
          await decoder.flush();
          decoder.close();
          return [sent, { seconds, rms: Math.sqrt(squares / seconds) * 32768 }];
        }""",
        packets,
    )
    decoder = OpusDecoder(AudioFormat())
    pcm = [decoder.decode(bytes(packet)) for packet in theirs]
    assert [len(piece) for piece in pcm] == [1920] * len(theirs)
    assert len(theirs) in (10, 11)
    assert loudness(b"".join(pcm[2:9])) == pytest.approx(0.25 * 32768 / 2**0.5, rel=0.15)
    assert decoded["seconds"] == pytest.approx(0.6, abs=0.07)
    assert decoded["rms"] == pytest.approx(loudness(tone(600)), rel=0.2)


async def test_pcm_goes_through_unchanged(module_page):
    back = await module_page.evaluate(
        """async () => {
          const { openEncoder } = await import("/sdk/audio/encoder.js");
          const { openDecoder } = await import("/sdk/audio/decoder.js");
          const params = { format: "pcm", sample_rate: 16000, channels: 1, frame_duration: 60 };
          const back = [];
          const decoder = openDecoder(params, (samples, rateHz) => back.push(...samples, rateHz));
          openEncoder(params, (packet) => decoder.decode(packet)).encode(Float32Array.of(0, 0.5, -0.5, 2, -2));
          return back;
        }"""
    )
    assert back == pytest.approx([0, 0.5, -0.5, 1, -1, 16_000], abs=1e-4)


async def test_a_browser_without_webcodecs_is_offered_pcm(module_page):
    params = await module_page.evaluate(
        """async () => {
          const { bestAudioParams } = await import("/sdk/audio/encoder.js");
          const { AudioEncoder } = globalThis;
          delete globalThis.AudioEncoder;
          try { return await bestAudioParams(); } finally { globalThis.AudioEncoder = AudioEncoder; }
        }"""
    )
    assert params == {"format": "pcm", "sample_rate": 16_000, "channels": 1, "frame_duration": 60}
