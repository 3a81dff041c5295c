import pytest

from lumi.config import read
from lumi.errors import ConfigError

FILE = """
profile = "home"
[server]
port = 1001
drain_s = 1
[turn]
silence_ms = 500
[profiles.home.server]
port = 1002
drain_s = 2
[profiles.home.stt.options]
words = 3
[profiles.away]
turn = { silence_ms = 900 }
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "lumi.toml").write_text(FILE)
    return tmp_path


def test_flag_beats_environment_beats_profile_beats_file(folder):
    reading = read(environ={}, directory=folder)
    assert reading.profile == "home"
    config = reading.config
    assert (config.server.port, config.server.drain_s, config.turn.silence_ms) == (1002, 2, 500)
    assert config.stt.options == {"words": 3}
    environ = {"LUMI_PORT": "1003"}
    assert read(environ=environ, directory=folder).config.server.port == 1003
    assert read(environ=environ, flags={"server.port": 1004}, directory=folder).config.server.port == 1004


def test_it_is_chosen_by_flag_before_environment_before_file(folder):
    environ = {"LUMI_PROFILE": "away"}
    away = read(environ=environ, directory=folder)
    assert (away.profile, away.config.server.port, away.config.turn.silence_ms) == ("away", 1001, 900)
    assert read(environ=environ, flags={"profile": "home"}, directory=folder).profile == "home"
    assert read(environ={"LUMI_PROFILE": ""}, flags={"profile": None}, directory=folder).profile == "home"


def refused(folder, text=None, *, flags=None, **environ: str) -> str:
    if text is not None:
        (folder / "lumi.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(environ=environ, flags=flags, directory=folder)
    return str(caught.value)


def test_an_unknown_profile_is_named_with_those_that_there_are(folder):
    file = folder / "lumi.toml"
    assert refused(folder, LUMI_PROFILE="work") == (
        f"LUMI_PROFILE: there is no profile 'work' (in {file}); there are: home, away"
    )
    assert refused(folder, flags={"profile": "work"}).startswith("--profile: there is no profile 'work'")
    assert refused(folder, 'profile = "x"\n').endswith("write one as [profiles.x.llm] …")
    file.unlink()
    assert "(there is no lumi.toml)" in refused(folder, LUMI_PROFILE="work")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[profiles.home.server]\nprot = 1\n",
            "profiles.home.server.prot: no such setting (in {file}); did you mean profiles.home.server.port",
        ),
        ("[profiles.home.sever]\nport = 1\n", "did you mean profiles.home.server"),
        ("[profiles.home.server]\nport = -1\n", "profiles.home.server.port: -1 will not do (in {file})"),
        ("[profiles]\nhome = 1\n", "profiles: will not do (in {file}); accepted: tables like"),
        ("profile = 1\n", "profile: 1 will not do (in {file}); accepted: the name of a profile"),
        ("profiles = 1\n", "profiles: will not do"),
    ],
)
def test_a_mistake_in_a_profile_names_its_place_also_while_it_is_not_chosen(folder, text, words):
    assert words.format(file=folder / "lumi.toml") in refused(folder, text)


def test_a_misspelt_variable_is_named(folder):
    assert "did you mean LUMI_PROFILE?" in refused(folder, LUMI_PROFIL="home")
