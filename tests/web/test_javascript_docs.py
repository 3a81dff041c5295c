"""docs/javascript.md: its example runs as it stands there, and its tables name what there is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from playwright.async_api import expect
from tests.flows.scripted import answering, scripted_lumi
from tests.web.browsing import IN_BROWSER, Watch

from lumi.config.serving import ServerSettings
from lumi.server.port import listening
from lumi.testing import ScriptedStt, tone

pytestmark = IN_BROWSER

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "web_page.html"
DOCS = (ROOT / "docs" / "javascript.md").read_text()


@asynccontextmanager
async def elsewhere(page: str) -> AsyncIterator[str]:
    """Somebody else's web server, with this one page."""

    async def serve(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", serve)
    async with listening(app, ServerSettings(port=0)) as port:
        yield f"http://127.0.0.1:{port}/"


def section(heading: str) -> str:
    return DOCS.split(f"## {heading}\n")[1].split("\n## ")[0]


def first_cells(heading: str, title: str) -> set[str]:
    """Names in the first column of the table with this title row."""
    rows = re.search(rf"^\| {title} \|.*\n\|[-|]+\n((?:\|.*\n)+)", section(heading), re.MULTILINE)
    assert rows
    cells = [re.split(r"(?<!\\)\|", row)[1] for row in rows[1].splitlines()]
    return {name for cell in cells for name in re.findall(r"`\.?([\w.]+)", cell)}


async def test_the_example_is_the_one_in_the_docs_has_twenty_lines_and_works_from_another_server(
    visit, microphone
):
    example = EXAMPLE.read_text()
    assert f"```html\n{example}```" in DOCS
    assert len(example.splitlines()) <= 20
    watch = Watch(allowed=["a request to another host"])  # that is what it is about
    async with (
        scripted_lumi(stt=ScriptedStt(), llm=answering("It is noon.", "Time to eat.")) as server,
        elsewhere(example.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")) as address,
        visit(address, "/", watch=watch) as page,
    ):
        await expect(page.get_by_role("status")).to_have_text("ready")
        await page.get_by_role("textbox").fill("What time is it?")
        await page.get_by_role("button", name="Ask").click()
        await expect(page.get_by_text("It is noon.")).to_be_visible()
        microphone.says(tone(1500), 16_000)
        talk = page.get_by_role("button", name="Hold to talk")
        await talk.dispatch_event("pointerdown")
        await asyncio.sleep(0.7)
        await talk.dispatch_event("pointerup")
        await expect(page.get_by_text("Time to eat.")).to_be_visible()
        assert all("a request to another host: " in one and f":{server.port}/" in one for one in watch.wrong)


async def test_the_docs_name_every_member_and_every_export(module_page):
    client, voice, exports, states = await module_page.evaluate(
        """async () => {
          const lumi = await import("/sdk/lumi.js");
          const { Voice } = await import("/sdk/audio/voice.js");
          const members = (one) => [...Object.getOwnPropertyNames(Object.getPrototypeOf(one)), ...Object.keys(one)]
            .filter((name) => name !== "constructor");
          const client = new lumi.LumiClient({ storage: "memory" });
          const statics = Object.getOwnPropertyNames(Voice).filter((n) => !["length", "name", "prototype"].includes(n));
          return [members(client), [...members(new Voice(client)), ...statics.map((n) => `Voice.${n}`)], Object.keys(lumi), lumi.STATES];
        }"""
    )
    told = first_cells("LumiClient", "member")
    parts = {"start", "stop", "listen.start", "listen.stop"}
    assert told - parts | {"listen"} == set(client)
    assert first_cells("Voice", "member") - {"holdToTalk.down", "up"} | {"holdToTalk"} == set(voice)
    for name in exports:
        assert f"`{name}" in DOCS, name
    assert re.findall(r"`(\w+)`", section("States"))[: len(states)] == states


async def test_the_docs_name_every_event(module_page):
    sources = await module_page.evaluate(
        """async () => Promise.all(["/sdk/client.js", "/sdk/audio/voice.js"]
          .map((path) => fetch(path).then((answer) => answer.text())))"""
    )
    client, voice = (set(re.findall(r"#tell\(\"(\w+)\"", source)) for source in sources)
    assert client - {"hello"} <= first_cells("LumiClient", "event")
    assert first_cells("Voice", "event") == voice
