import pytest

from lumi.config import load
from lumi.errors import ConfigError


def settings(tmp_path, **environ: str):
    return load(directory=tmp_path, environ=environ)


def test_it_is_off_by_default(tmp_path):
    assert settings(tmp_path).wyoming.port == 0


def test_a_port_that_others_reach_must_be_wanted(tmp_path):
    others = {"LUMI_HOST": "0.0.0.0", "LUMI_SERVER__TOKEN": "long enough", "LUMI_WYOMING__PORT": "10300"}
    with pytest.raises(
        ConfigError, match=r"LUMI_WYOMING__PORT: 0\.0\.0\.0 can be reached .* set wyoming\.open = true"
    ):
        settings(tmp_path, **others)
    assert settings(tmp_path, **others, LUMI_WYOMING__OPEN="true").wyoming.port == 10300
    assert settings(tmp_path, **others, LUMI_WYOMING__HOST="127.0.0.1").wyoming.open is False
    assert settings(tmp_path, LUMI_WYOMING__PORT="10300").wyoming.host == ""
