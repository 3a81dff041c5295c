"""What looking costs: from processes to a table."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import pytest
from tests.web.household import household

from lumi.bench import console
from lumi.bench.console import Cost, Looking, Watcher, main, markdown, watching
from lumi.bench.statistics import spread
from lumi.errors import LumiError


def cost(alone: list[float], watched: list[float]) -> Cost:
    return Cost(100, 20, alone, watched, spread([1.0, 2.0]), spread([38_000.0]), 0.5, 0.25)


def test_one_console_is_the_median_difference_shared() -> None:
    measured = cost([10.0, 50.0, 20.0], [14.0, 50.0, 26.0])
    assert measured.each == pytest.approx(0.2)
    page = markdown(measured)
    assert "| **one console** | **0.20 % of a core** |" in page
    assert "| while 20 consoles look | 26.0 % of a core |" in page
    assert "| its size, median / p95 | 38.0 / 38.0 kB |" in page


def test_a_page_without_marks_is_refused_before_anything_runs(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Nothing\n", encoding="utf-8")
    assert main(["--markdown", str(page)]) == console.USAGE_ERROR
    said = capfd.readouterr().err
    assert "console:begin" in said


@pytest.mark.real
async def test_consoles_ask_what_a_browser_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "EVERY_S", 0.1)
    looking = Looking()
    async with household(tmp_path) as house:
        kitchen = await house.device("kitchen")
        await kitchen.chat("good morning")
        async with watching(house.server.page_url, house.token, 2, looking):
            await asyncio.sleep(0.5)
        assert len(looking.took_ms) >= 6
        assert max(looking.sizes) > 500
        assert min(looking.sizes) < max(looking.sizes)  # what it has, it does not ask for again
        stranger = Watcher(house.server.page_url, "wrong", looking)
        with closing(stranger), pytest.raises(LumiError, match="401"):
            await asyncio.to_thread(stranger.poll)
