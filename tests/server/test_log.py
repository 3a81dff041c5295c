import io
import json
import logging
import queue

import pytest
import structlog

from lumi.config.serving import LogSettings
from lumi.errors import ConfigError
from lumi.server import log
from lumi.server.log import Subject, logger, writing


@pytest.fixture
def written(tmp_path):
    """Runs something while logs are written; gives the console's text and the file's lines."""

    def write(act, **settings):
        console = io.StringIO()
        with writing(LogSettings(**settings), tmp_path, console):
            act()
        file = tmp_path / "logs" / "lumi.log"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return console.getvalue(), [json.loads(line) for line in lines]

    return write


def test_a_line_names_its_subject_its_time_and_its_values(written):
    console, lines = written(lambda: logger(Subject.WEBSOCKET, session="abc").info("closed", code=1000))
    assert "closed" in console
    assert "lumi.webSocket" in console
    (line,) = lines
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "closed",
        "level": "info",
        "logger": "lumi.webSocket",
        "session": "abc",
        "code": 1000,
    }


def test_subjects_are_those_of_the_founding_document_and_what_came_since():
    assert {"webSocket", "error", "audio", "voice", "session"} <= {str(subject) for subject in Subject}


def test_what_is_no_text_is_written_too(written):
    _, (line,) = written(lambda: logger(Subject.HTTP).warning("refused", name="a\udcff"))
    assert line["name"] == "a\udcff"


def test_console_and_file_have_levels_of_their_own(written):
    def act():
        made = logger(Subject.VOICE)
        made.debug("quiet")
        made.warning("loud")

    console, lines = written(act, level="warning", file_level="debug")
    assert "quiet" not in console
    assert "loud" in console
    assert [line["event"] for line in lines] == ["quiet", "loud"]


def test_frames_are_the_finest_level(written):
    def act():
        made = logger(Subject.AUDIO)
        assert made.is_tracing
        made.trace("frame", size=60)

    console, lines = written(act, level="trace", file_level="debug")
    assert "frame" in console
    assert lines == []
    _, lines = written(act, level="info", file_level="trace")
    assert (lines[0]["level"], lines[0]["size"]) == ("trace", 60)


def test_what_nobody_reads_costs_nothing(written):
    def act():
        made = logger(Subject.AUDIO)
        assert not made.is_tracing
        made.trace("frame")
        made.debug("detail")

    assert written(act) == ("", [])


def test_no_sound_no_secret_and_no_words_above_debug(written):
    def act():
        values = {"data": b"123", "Token": "abcdefgh", "text": "I am ill", "content": None, "code": 5}
        logger(Subject.SESSION).info("x", **values)
        logger(Subject.SESSION).debug("x", **values)

    console, lines = written(act, level="debug", file_level="debug")
    assert "abcdefgh" not in console
    public, private = lines
    assert (public["data"], public["Token"], public["text"], public["code"]) == (
        "3 bytes",
        "***",
        "8 characters",
        5,
    )
    assert (private["data"], private["Token"], private["text"]) == ("3 bytes", "***", "I am ill")


def test_an_empty_secret_may_be_seen_to_be_empty(written):
    _, lines = written(lambda: logger(Subject.HTTP).info("x", token=""))
    assert lines[0]["token"] == ""


def test_a_traceback_is_kept_without_the_variables(written):
    def act():
        word = "a word of the user"
        try:
            int(word[:0] or "x")
        except ValueError:
            logger(Subject.ERROR).exception("message failed")

    console, lines = written(act)
    for text in (console, lines[0]["exception"]):
        assert "ValueError: invalid literal" in text
        assert "a word of the user" not in text.replace('word = "a word of the user"', "")
    assert lines[0]["level"] == "error"


def test_other_rooms_reach_the_same_log(written):
    before = structlog.get_config()

    def act():
        log.install()
        structlog.get_logger("lumi.voice").info("turn ended", text="secret words")
        logging.getLogger("lumi.engines.worker").warning("restarted %s", "it")

    try:
        _, lines = written(act)
    finally:
        structlog.configure(**before)
    assert (lines[0]["logger"], lines[0]["text"]) == ("lumi.voice", "12 characters")
    assert (lines[1]["event"], lines[1]["level"]) == ("restarted it", "warning")


def test_afterwards_everything_is_as_before(written):
    root = logging.getLogger("lumi")
    before = (root.level, root.propagate, list(root.handlers))
    written(lambda: None, level="trace")
    assert (root.level, root.propagate, list(root.handlers)) == before


def test_without_a_file_none_is_made(written, tmp_path):
    written(lambda: logger(Subject.SERVER).info("x"), file=False)
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_cannot_be_written_is_a_setting_to_mend(tmp_path):
    (tmp_path / "logs").write_text("in the way")
    with pytest.raises(ConfigError, match=r"log\.file = false") as caught, writing(LogSettings(), tmp_path):
        pass
    assert caught.value.key == "server.data_dir"


def test_files_are_turned_over_at_their_size(tmp_path):
    with writing(LogSettings(file_mb=1, files=2, level="error"), tmp_path, io.StringIO()):
        made = logger(Subject.SERVER)
        for _ in range(30):
            made.info("x" * 100_000)
    assert sorted(file.name for file in (tmp_path / "logs").iterdir()) == [
        "lumi.log",
        "lumi.log.1",
        "lumi.log.2",
    ]
    assert all(file.stat().st_size <= 1024 * 1024 for file in (tmp_path / "logs").iterdir())


def test_what_does_not_fit_into_the_queue_is_dropped():
    waiting: queue.Queue[logging.LogRecord] = queue.Queue(1)
    entrance = log._Entrance(waiting)
    for text in ("first", "second"):
        entrance.handle(logging.makeLogRecord({"msg": text}))
    assert waiting.get_nowait().msg == "first"
    assert waiting.empty()


def test_a_sink_has_no_other_methods():
    with pytest.raises(AttributeError):
        log._sink("lumi.x").shout("x")
