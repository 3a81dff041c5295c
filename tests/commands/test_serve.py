from __future__ import annotations

import gc
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import rich

from lumi.commands.serve import MOST_FILES, load_structlog, open_enough_files, serve
from lumi.config import Config
from lumi.errors import ConfigError
from lumi.server import app


async def test_flags_file_and_environment_make_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    served = []

    async def record(config, **_):
        served.append(config)

    monkeypatch.setattr(app, "serve", record)
    monkeypatch.setenv("LUMI_PORT", "8123")
    file = tmp_path / "lumi.toml"
    file.write_text("[tts]\nspeed = 1.5\n")
    assert await serve(file, {"server.host": "127.0.0.2", "server.port": None}) == 0
    (config,) = served
    assert (config.server.host, config.server.port, config.tts.speed) == ("127.0.0.2", 8123, 1.5)


async def test_a_wrong_setting_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="--port: 'http' will not do"):
        await serve(None, {"server.port": "http"})
    with pytest.raises(ConfigError, match="cannot be read"):
        await serve(tmp_path / "none.toml", {})


LOADED = """
import sys
from lumi.commands.serve import load_structlog
load_structlog()
import lumi.server.log
print("rich" in sys.modules)
import rich.traceback
"""


def test_the_log_is_loaded_without_rich_which_others_may_load_afterwards():
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_rich_that_is_loaded_already_stays():
    load_structlog()
    assert sys.modules["rich"] is rich


@pytest.mark.parametrize("collecting", [True, False])
async def test_garbage_is_collected_while_it_serves_as_it_was_before(
    monkeypatch: pytest.MonkeyPatch, collecting: bool
):
    seen = []

    async def look(_config, **_):
        seen.append(gc.isenabled())

    monkeypatch.setattr(app, "serve", look)
    (gc.enable if collecting else gc.disable)()
    try:
        assert await serve(None, {}) == 0
    finally:
        gc.enable()
    assert seen == [collecting]


def test_lan_stands_for_what_a_household_wants_unless_a_flag_says_otherwise():
    from lumi.commands.serve import with_lan

    assert with_lan({"server.host": None, "server.port": "9"}) == {
        "server.host": "0.0.0.0",
        "server.pairing": True,
        "server.announce": True,
        "server.port": "9",
    }
    assert with_lan({"server.host": "192.0.2.1"})["server.host"] == "192.0.2.1"


@pytest.mark.parametrize(
    ("lan", "text", "tls"),
    [(True, "", "local"), (True, '[server]\ntls = "off"\n', "off"), (False, "", "off")],
)
async def test_lan_means_tls_unless_it_is_set(monkeypatch, tmp_path, lan, text, tls):
    served: list[Config] = []

    async def record(config, **given):
        served.extend((config, given["reread"]()))

    monkeypatch.setattr(app, "serve", record)
    file = tmp_path / "lumi.toml"
    file.write_text(text)
    await serve(file, {}, lan=lan)
    assert [config.server.tls for config in served] == [tls, tls], "also when they are read anew"
    assert served[0].server.pairing is lan


def test_an_address_is_drawn_for_a_phone():
    from lumi.commands.serve import qr_code

    drawn = qr_code("http://192.0.2.1:8000/")
    assert len(drawn.splitlines()) > 10
    assert drawn != qr_code("http://192.0.2.2:8000/")


@pytest.mark.parametrize(
    ("soft", "hard", "asked"),
    [
        (1024, 524_288, (MOST_FILES, 524_288)),
        (1024, 4096, (4096, 4096)),
        (1024, resource.RLIM_INFINITY, (MOST_FILES, resource.RLIM_INFINITY)),
        (524_288, 524_288, None),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None),
    ],
)
def test_a_server_has_as_many_files_as_it_may_have(monkeypatch, soft, hard, asked):
    said: list[tuple[int, int]] = []

    def refuse(_: int, limits: tuple[int, int]) -> None:
        said.append(limits)
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    open_enough_files()
    assert said == ([] if asked is None else [asked])
