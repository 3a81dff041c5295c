"""The demo's timeline, with scripted engines behind the real server; tests/test_quiet.py runs the program itself."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
import typer
from rich.console import Console

import lumi
from lumi import demo
from lumi.audio.format import duration_ms
from lumi.audio.wav import Sound, read_wav
from lumi.client.events import Audio
from lumi.config import load
from lumi.errors import ConnectionLost, ReplyTimeout
from lumi.protocol.messages import Stt, Tts, TtsState
from lumi.server.server import Server
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad
from lumi.testing.sounds import tone


class Screen:
    """A console whose text can be read."""

    def __init__(self) -> None:
        self._out = io.StringIO()
        self.console = Console(file=self._out, width=200)

    @property
    def text(self) -> str:
        return self._out.getvalue()


def scripted_server(folder: Path) -> Server:
    flags = {
        "server.port": 0,
        "server.data_dir": folder,
        "store.engine": "memory",
        "log.level": "warning",
        "log.file": False,
    }
    return Server(
        load(flags=flags, environ={}, directory=folder),
        vad=ScriptedVad(),
        stt=ScriptedStt(["what time is it"]),
        llm=ScriptedLlm({"what time is it": "It is noon."}),
        tts=ScriptedTts(ms_per_character=20),
    )


def test_the_timeline_counts_from_the_turns_start_and_shows_the_first_packet_only() -> None:
    screen = Screen()
    timeline = demo.Timeline(screen.console, begun_s=10.0)
    timeline.event(Stt(text="hello", confidence=0.5, session_id="s"), 12.0)
    timeline.event(Tts(state=TtsState.START, session_id="s"), 12.1)
    for number in range(3):
        timeline.event(Audio(b"12345"), 12.2 + number)
    timeline.event(Tts(state=TtsState.STOP, session_id="s"), 15.0)
    assert [line.strip() for line in screen.text.splitlines()] == [
        "2000 ms  ← stt “hello”, confidence 0.50",
        "2100 ms  ← tts start",
        "2200 ms  ← first packet, 5 bytes",
        "5000 ms  ← tts stop after 3 packets",
    ]


@pytest.mark.real
async def test_a_conversation_is_shown_and_its_answer_returned(tmp_path: Path) -> None:
    screen = Screen()
    sound = Sound(tone(600), 16_000)
    async with scripted_server(tmp_path) as server, lumi.connect(server.url, device_id="test") as client:
        reply = await demo.converse(client, sound, screen.console)
    assert (reply.transcript, reply.text) == ("what time is it", "It is noon.")
    assert reply.audio_s > 0.1
    for words in (
        "listen start",
        "10 frames sent, 0.60 s of sound",
        "stt “what time is it”",
        "first packet",
        "tts stop after",
    ):
        assert words in screen.text


@pytest.mark.real
async def test_an_answer_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "ANSWER_LIMIT_S", 0.05)
    async with scripted_server(tmp_path) as server, lumi.connect(server.url, device_id="test") as client:
        with pytest.raises(ReplyTimeout, match=r"0\.05 s"):
            await demo.converse(client, Sound(tone(120), 16_000), Screen().console)


@pytest.mark.real
async def test_a_line_that_closes_in_the_middle_is_an_error(tmp_path: Path) -> None:
    async with scripted_server(tmp_path) as server, lumi.connect(server.url, device_id="test") as client:

        async def close_after_the_transcript() -> None:
            with client.events() as events:
                async for event in events:
                    if isinstance(event, Stt):
                        await client.close()

        async with asyncio.TaskGroup() as group:
            group.create_task(close_after_the_transcript())
            with pytest.raises(ConnectionLost):
                await demo.converse(client, Sound(tone(120), 16_000), Screen().console)


@pytest.mark.real
async def test_recordings_that_are_not_here_are_left_out_aloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = demo.Recording("front center", tmp_path / "missing.wav", "alsa-utils")
    monkeypatch.setattr(demo, "RECORDINGS", (missing,))
    screen = Screen()
    asked = [name async for name, _ in demo.questions(screen.console)]
    assert asked == ["what time is it (the built-in voice)"]
    assert "alsa-utils is not installed" in screen.text


def test_question_and_answer_are_kept_as_files(tmp_path: Path) -> None:
    sound, reply = Sound(tone(100), 16_000), Sound(tone(200), 16_000)
    written = demo._keep(tmp_path, "what time is it (the built-in voice)", sound, reply)
    assert [path.name for path in written] == [
        "what-time-is-it-question.wav",
        "what-time-is-it-answer.wav",
    ]
    heard = read_wav(written[1])
    assert duration_ms(heard.pcm, heard.rate_hz) == pytest.approx(200)


def test_a_folder_that_cannot_be_made_is_one_message(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(typer.Exit) as stopped:
        demo.command(tmp_path / "file" / "folder")
    assert stopped.value.exit_code == demo.USAGE_ERROR
    assert "lumi demo:" in capfd.readouterr().err
