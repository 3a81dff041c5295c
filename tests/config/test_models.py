from __future__ import annotations

import pytest

from lumi.config import load
from lumi.errors import ConfigError


def test_another_hub_can_be_named():
    assert load(environ={}).models.hub == "https://huggingface.co"
    assert load(environ={"LUMI_MODELS__HUB": "https://hub.example"}).models.hub == "https://hub.example"


def test_a_hub_is_an_address():
    with pytest.raises(ConfigError, match="LUMI_MODELS__HUB"):
        load(environ={"LUMI_MODELS__HUB": "hub.example"})
