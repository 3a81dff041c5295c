from pathlib import Path

import pytest

from lumi.config import load
from lumi.errors import ConfigError


def write(directory: Path, text: str, name: str = "lumi.toml") -> Path:
    file = directory / name
    file.write_text(text, encoding="utf-8")
    return file


def refused(directory: Path, *, file=None, flags=None, **environ: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(file, flags=flags, environ=environ, directory=directory)
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_default_stands_where_nobody_says_anything(tmp_path):
    assert load(environ={}, directory=tmp_path).server.port == 8000


def test_flag_beats_environment_beats_file_beats_default(tmp_path):
    write(tmp_path, "[server]\nport = 1001\ndrain_s = 2\n[turn]\nsilence_ms = 500\n")
    environ = {"LUMI_SERVER__PORT": "1002", "LUMI_TURN__SILENCE_MS": "600"}
    config = load(flags={"server.port": 1003, "server.host": None}, environ=environ, directory=tmp_path)
    assert (config.server.port, config.turn.silence_ms, config.server.drain_s) == (1003, 600, 2.0)
    assert config.server.host == "127.0.0.1"


def test_short_names(tmp_path):
    environ = {"LUMI_HOST": "localhost", "LUMI_PORT": "9", "LUMI_DATA_DIR": str(tmp_path)}
    config = load(environ=environ, directory=tmp_path)
    assert (config.server.host, config.server.port, config.data_dir) == ("localhost", 9, tmp_path)


def test_an_empty_short_name_says_nothing(tmp_path):
    assert load(environ={"LUMI_PORT": ""}, directory=tmp_path).server.port == 8000


def test_a_file_may_be_named_by_argument_or_environment(tmp_path):
    file = write(tmp_path, "[server]\nport = 7\n", "other.toml")
    assert load(file, environ={}, directory=tmp_path).server.port == 7
    assert load(environ={"LUMI_CONFIG": str(file)}, directory=tmp_path).server.port == 7


def test_lists_are_written_with_commas_or_as_lists(tmp_path):
    write(tmp_path, '[server]\norigins = ["https://a.example"]\n')
    assert load(environ={}, directory=tmp_path).server.origins == ("https://a.example",)
    environ = {"LUMI_SERVER__ORIGINS": "https://b.example, https://c.example,"}
    assert load(environ=environ, directory=tmp_path).server.origins == (
        "https://b.example",
        "https://c.example",
    )


def test_a_table_that_people_name_is_joined_from_all_places(tmp_path):
    write(tmp_path, '[engines.spare]\nengine = "a"\nmodel = "m"\n[engines.spare.options]\nwords = 3\n')
    environ = {"LUMI_ENGINES__SPARE__MODEL": "n", "LUMI_ENGINES__SPARE__OPTIONS__LOUD": "true"}
    spare = load(environ=environ, directory=tmp_path).engines["spare"]
    assert (spare.engine, spare.model, spare.options) == ("a", "n", {"words": 3, "loud": True})


@pytest.mark.parametrize(
    ("environ", "key", "words"),
    [
        (
            {"LUMI_ENGINES__SPARE__MODEL": "m"},
            "engines.spare.engine",
            "is missing; accepted: text, not empty",
        ),
        ({"LUMI_ENGINES__SPARE__MODUL": "m"}, "LUMI_ENGINES__SPARE__MODUL", "LUMI_ENGINES__SPARE__MODEL"),
        ({"LUMI_ENGINES__SPARE": "m"}, "LUMI_ENGINES__SPARE", "accepted: a table with base_url"),
        ({"LUMI_ENGINES__SPARE__MODEL__X": "m"}, "LUMI_ENGINES__SPARE__MODEL__X", "no such setting"),
    ],
)
def test_what_is_wrong_in_a_table_that_people_name_is_named(tmp_path, environ, key, words):
    error = refused(tmp_path, **environ)
    assert error.key == key
    assert words in str(error)


def test_what_an_engine_takes_is_joined_from_all_places(tmp_path):
    write(tmp_path, '[stt.options]\nmodel = "a"\nwords = 3\n')
    config = load(environ={"LUMI_STT__OPTIONS__MODEL": "b"}, directory=tmp_path)
    assert config.stt.options == {"model": "b", "words": 3}


@pytest.mark.parametrize(
    ("environ", "key", "words"),
    [
        ({"LUMI_SERVER__PROT": "1"}, "LUMI_SERVER__PROT", "did you mean LUMI_SERVER__PORT"),
        ({"LUMI_PROT": "1"}, "LUMI_PROT", "did you mean LUMI_PORT?"),
        ({"LUMI_SRVER__PORT": "1"}, "LUMI_SRVER__PORT", "did you mean LUMI_SERVER__PORT"),
        ({"LUMI_XQ__ZZ": "1"}, "LUMI_XQ__ZZ", "sections are server, audio"),
        ({"LUMI_SERVER__PORT__X": "1"}, "LUMI_SERVER__PORT__X", "no such setting"),
        ({"LUMI_LLM__HEAT": "1"}, "LUMI_LLM__HEAT", "the engine itself takes it: LUMI_LLM__OPTIONS__HEAT"),
        (
            {"LUMI_PORT": "x"},
            "LUMI_PORT",
            "'x' will not do; accepted: a whole number, at least 0, at most 65535",
        ),
        ({"LUMI_LOG__LEVEL": "loud"}, "LUMI_LOG__LEVEL", "accepted: trace, debug, info, warning, error"),
        ({"LUMI_LOG__FILE": "perhaps"}, "LUMI_LOG__FILE", "accepted: true or false"),
        ({"LUMI_LOCALE__LOCALE": "english"}, "LUMI_LOCALE__LOCALE", "accepted: text like en_US"),
        (
            {"LUMI_LOCALE__TIMEZONE": "Mars/North"},
            "LUMI_LOCALE__TIMEZONE",
            "is no time zone; accepted: an IANA name",
        ),
        ({"LUMI_LOCALE__TIMEZONE": "../x"}, "LUMI_LOCALE__TIMEZONE", "is no time zone"),
    ],
)
def test_a_wrong_variable_is_named_with_its_mend(tmp_path, environ, key, words):
    error = refused(tmp_path, **environ)
    assert error.key == key
    assert str(error).startswith(f"{key}: ")
    assert words in str(error)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2", 2),
        ("true", True),
        ("0.5", 0.5),
        ('["a"]', ["a"]),
        ("base.en", "base.en"),
        ("a\nb = 1", "a\nb = 1"),
        ("", ""),
    ],
)
def test_an_engines_option_is_written_as_in_the_file(tmp_path, written, value):
    assert load(environ={"LUMI_STT__OPTIONS__X": written}, directory=tmp_path).stt.options == {"x": value}


def test_variables_of_others_are_left_alone(tmp_path):
    load(environ={"LUMI_URL": "ws://x", "PATH": "/bin"}, directory=tmp_path)


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("[server]\nprot = 1\n", "server.prot", "did you mean server.port"),
        ("[sever]\nport = 1\n", "sever", "did you mean server"),
        ("port = 1\n", "port", "no such setting"),
        ("server = 3\n", "server", "3 will not do"),
        ("[server]\nport = -1\n", "server.port", "-1 will not do"),
        ("[server.port]\nx = 1\n", "server.port.x", "no such setting"),
        ("[audio]\nthreads = 'many'\n", "audio.threads", "'many' will not do"),
    ],
)
def test_a_wrong_line_of_the_file_is_named_with_the_file(tmp_path, text, key, words):
    file = write(tmp_path, text)
    error = refused(tmp_path)
    assert error.key == key
    assert words in str(error)
    assert f"(in {file})" in str(error)


def test_several_mistakes_are_all_named(tmp_path):
    error = refused(tmp_path, LUMI_PORT="x", LUMI_LOG__LEVEL="y")
    assert error.key == "LUMI_PORT"
    assert str(error).endswith("also wrong: LUMI_LOG__LEVEL")


def test_a_wrong_secret_is_not_repeated(tmp_path):
    error = refused(tmp_path, LUMI_SERVER__TOKEN="short")
    assert "short" not in str(error).replace("LUMI_SERVER__TOKEN", "")
    assert "of at least 8 characters" in str(error)


def test_a_wrong_flag_is_named_as_typed(tmp_path):
    assert refused(tmp_path, flags={"server.port": 70_000}).key == "--port"
    assert refused(tmp_path, flags={"turn.silence_ms": 1}).key == "turn.silence_ms"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"[server\n", "is not TOML"), (b"\xff\xfe", "is not UTF-8 text"), (None, "cannot be read")],
)
def test_an_unreadable_file_is_named(tmp_path, content, words):
    file = tmp_path / "mine.toml"
    if content is not None:
        file.write_bytes(content)
    error = refused(tmp_path, file=file)
    assert error.key == str(file)
    assert words in str(error)


def test_an_address_that_others_reach_needs_a_token_or_a_plain_word(tmp_path):
    error = refused(tmp_path, LUMI_HOST="0.0.0.0")
    assert error.key == "LUMI_HOST"
    assert "server.token" in str(error)
    assert "server.open = true" in str(error)
    assert load(environ={"LUMI_HOST": "0.0.0.0", "LUMI_SERVER__OPEN": "true"}, directory=tmp_path).server.open
    assert load(
        environ={"LUMI_HOST": "0.0.0.0", "LUMI_SERVER__TOKEN": "12345678"}, directory=tmp_path
    ).server.token


def test_a_later_layer_may_replace_a_value_that_was_no_table(tmp_path):
    write(tmp_path, "[stt]\noptions = 3\n")
    assert load(environ={"LUMI_STT__OPTIONS__A": "1"}, directory=tmp_path).stt.options == {"a": 1}
    assert refused(tmp_path).key == "stt.options"
