import os

import pytest

from lumi.config import Config
from lumi.config.serving import ServerSettings
from lumi.server.called import command, reaching


@pytest.mark.skipif(os.name != "posix", reason="shells elsewhere know no such words")
def test_another_terminal_is_told_where_an_unusual_server_is(tmp_path):
    assert reaching(Config(), 8000) == command()
    place = tmp_path / "at home"
    config = Config(server=ServerSettings(port=0, data_dir=place))
    assert reaching(config, 8123) == f"LUMI_DATA_DIR='{place}' LUMI_PORT=8123 {command()}"
