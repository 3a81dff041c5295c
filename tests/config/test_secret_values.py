"""Secrets that stand elsewhere, and that nobody is shown."""

import pytest

from lumi.config import load, read
from lumi.config.effective import effective
from lumi.config.secret_values import readable_by_all
from lumi.errors import ConfigError

KEY = "sk-very-secret"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "key").write_text(KEY + "\n")
    (tmp_path / "key").chmod(0o600)
    return tmp_path


def settings(folder, text, **environ: str):
    file = folder / "lumi.toml"
    file.write_text(text)
    file.chmod(0o600)
    return read(file, environ=environ)


def key_of(reading) -> str:
    secret = reading.config.llm.api_key
    assert secret is not None
    return str(secret.get_secret_value())


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_from_a_file_beside_the_settings_without_its_line_end(folder, ending):
    (folder / "key").write_bytes((KEY + ending).encode())
    reading = settings(folder, '[llm]\napi_key = "file:key"\n')
    assert key_of(reading) == KEY
    assert reading.warnings == ()


def test_a_secret_from_the_environment(folder):
    assert key_of(settings(folder, '[llm]\napi_key = "env:MY_KEY"\n', MY_KEY=KEY)) == KEY


def test_references_may_stand_in_the_environment_and_in_named_tables(folder):
    file = folder / "key"
    config = load(
        environ={"LUMI_ENGINES__A__ENGINE": "x", "LUMI_ENGINES__A__API_KEY": f"file:{file}"}, directory=folder
    )
    assert config.engines["a"].arguments == {"api_key": KEY}


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("file:nowhere", "nowhere cannot be read (No such file or directory)"),
        ("file:empty", "empty is empty; write the secret into it"),
        ("file:binary", "is not UTF-8 text"),
        ("env:NOT_THERE", "the environment has no NOT_THERE, which is to hold the secret: set it"),
    ],
)
def test_what_cannot_be_read_is_named(folder, reference, words):
    (folder / "empty").write_text("\n")
    (folder / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError) as caught:
        settings(folder, f'[llm]\napi_key = "{reference}"\n')
    assert str(caught.value).startswith("llm.api_key: ")
    assert words in str(caught.value)


def test_a_secret_that_all_may_read_is_warned_of(folder):
    (folder / "key").chmod(0o644)
    (warning,) = settings(folder, '[llm]\napi_key = "file:key"\n').warnings
    assert f"the secret is in {folder / 'key'}" in warning
    assert "chmod 600" in warning
    (folder / "lumi.toml").chmod(0o644)
    (warning,) = read(folder / "lumi.toml", environ={"LUMI_LLM__API_KEY": KEY}).warnings or ("",)
    assert not warning, "what is in the environment is no file's business"
    (folder / "lumi.toml").write_text(f'[llm]\napi_key = "{KEY}"\n')
    (warning,) = read(folder / "lumi.toml", environ={}).warnings
    assert warning.startswith("llm.api_key stands in ")
    assert KEY not in warning


def test_it_is_shown_nowhere(folder):
    reading = settings(folder, '[llm]\napi_key = "file:key"\n[llm.options]\nauth_token = "tok-1"\nsize = 3\n')
    shown = {one.name: one for one in effective(reading)}
    assert (shown["llm.api_key"].value, shown["llm.api_key"].source) == ("***", "lumi.toml")
    assert shown["llm.options.auth_token"].value == "***"
    assert shown["llm.options.size"].value == 3
    assert KEY not in repr(reading)
    assert KEY not in repr(settings(folder, f'[llm]\napi_key = "{KEY}"\n'))
    assert KEY not in str(list(shown.values()))


def test_a_secret_that_is_refused_is_not_shown(folder):
    with pytest.raises(ConfigError) as caught:
        settings(folder, '[server]\ntoken = "env:T"\n', T="short")
    assert "this will not do" in str(caught.value)
    assert "short" not in str(caught.value)


def test_a_secret_that_is_no_text_is_refused(folder):
    with pytest.raises(ConfigError, match=r"llm\.api_key: this will not do"):
        settings(folder, "[llm]\napi_key = 3\n")


def test_a_file_that_is_not_there_is_readable_by_nobody(folder):
    assert not readable_by_all(folder / "nowhere")
    assert not readable_by_all(folder)
