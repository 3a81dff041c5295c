from pathlib import Path

import pytest
from pydantic import ValidationError

from lumi.config.serving import ServerSettings
from lumi.config.settings import Config, is_loopback


def test_nothing_has_to_be_set():
    config = Config()
    assert (config.server.host, config.server.port) == ("127.0.0.1", 8000)
    assert config.data_dir.is_absolute()


def test_settings_are_frozen():
    with pytest.raises(ValidationError):
        Config().server.port = 1


def test_a_secret_is_not_shown():
    config = Config(server=ServerSettings(token="very-secret-word"))  # type: ignore[arg-type]
    assert "very-secret-word" not in repr(config)
    assert config.server.token is not None
    assert config.server.token.get_secret_value() == "very-secret-word"


def test_the_data_directory_may_be_given():
    config = Config(server=ServerSettings(data_dir=Path("~/here")))
    assert config.data_dir == Path.home() / "here"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost", "LOCALHOST", "lumi.localhost"]
)
def test_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.com", "localhost.example.com", ""])
def test_not_loopback(host):
    assert not is_loopback(host)
