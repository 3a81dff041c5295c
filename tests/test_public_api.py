"""What `lumi` offers, and what importing it costs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import lumi

PUBLIC = [
    "Audio",
    "AudioFormat",
    "Client",
    "Codec",
    "Error",
    "Features",
    "LlmEmotion",
    "LumiError",
    "Notify",
    "ReconnectPolicy",
    "Response",
    "ServerError",
    "SpokenReply",
    "Stt",
    "Tts",
    "TtsState",
    "__version__",
    "connect",
    "serve",
    "tool",
]

HEAVY = {
    "aiohttp",
    "av",
    "babel",
    "hassil",
    "miniaudio",
    "numpy",
    "onnxruntime",
    "pocketsphinx",
    "prometheus_client",
    "pydantic",
    "rich",
    "soxr",
    "structlog",
    "typer",
    "uvloop",
    "webrtcvad",
}
SERVER_ROOMS = {"lumi.server", "lumi.voice", "lumi.engines", "lumi.skills", "lumi.config", "lumi.store"}


def test_the_public_names_are_a_list():
    assert sorted(lumi.__all__) == PUBLIC
    assert set(PUBLIC) <= set(dir(lumi))


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "serve"])
def test_every_name_is_there(name: str):
    assert getattr(lumi, name) is not None


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        lumi.nonsense  # noqa: B018


def loaded(statement: str) -> set[str]:
    """Top-level packages and rooms of Lumi that a fresh interpreter has loaded after `statement`."""
    code = f"{statement}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    modules = json.loads(out.stdout)
    return {name.split(".")[0] for name in modules} | {".".join(name.split(".")[:2]) for name in modules}


@pytest.mark.real
@pytest.mark.parametrize(
    "statement", ["import lumi", "import lumi.protocol", "import lumi.protocol.connection"]
)
def test_importing_loads_no_server_no_runtime_and_no_transport(statement: str):
    assert loaded(statement) & (HEAVY | SERVER_ROOMS) == set()


@pytest.mark.real
def test_the_client_loads_its_transport_and_no_server():
    assert loaded("from lumi import connect") & (HEAVY | SERVER_ROOMS) == {"aiohttp"}
