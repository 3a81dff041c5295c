from lumi.config import read
from lumi.config.effective import effective

FILE = """
[server]
port = 1001
[turn]
silence_ms = 500
[engines.spare]
engine = "a"
[profiles.home.turn]
silence_ms = 600
"""


def test_every_setting_is_told_with_who_said_it(tmp_path):
    (tmp_path / "lumi.toml").write_text(FILE)
    environ = {"LUMI_TTS__SPEED": "1.5", "LUMI_SERVER__ORIGINS": "https://a.example", "LUMI_PROFILE": "home"}
    reading = read(environ=environ, flags={"server.port": 1, "server.data_dir": tmp_path}, directory=tmp_path)
    shown = {one.name: (one.value, one.source) for one in effective(reading)}
    assert shown["server.port"] == (1, "--port")
    assert shown["server.data_dir"] == (str(tmp_path), "--data-dir")
    assert shown["server.origins"] == (["https://a.example"], "LUMI_SERVER__ORIGINS")
    assert shown["tts.speed"] == (1.5, "LUMI_TTS__SPEED")
    assert shown["turn.silence_ms"] == (600, "lumi.toml [profiles.home]")
    assert shown["engines.spare.engine"] == ("a", "lumi.toml")
    assert shown["engines.spare.model"] == ("", "default")
    assert shown["stt.options"] == (None, "default")
    assert shown["server.host"] == ("127.0.0.1", "default")
