"""The operator's view in a real browser: who may see it, what it shows of a living server, and what it does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect
from tests.web.browsing import IN_BROWSER, Watch
from tests.web.conftest import Visit
from tests.web.household import DEAF, Household, ask, household

from lumi.config.tree import known_paths
from lumi.engines.circuit import State
from lumi.errors import Trouble
from lumi.server import load_history
from lumi.server.audit import Reason
from lumi.server.auth import Verdict
from lumi.testing.engines import ScriptedStt
from lumi.voice.events import Ending, Stage

pytestmark = IN_BROWSER

CONSOLE = Path(__file__).parents[2] / "src" / "lumi" / "web" / "console"
LIGHT = ("turns", "devices", "settings")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
CODE = re.compile(r"`([^`]+)`")
DARK = ("overview", "sessions", "recordings", "problems")


async def enter(page: Page, house: Household) -> None:
    await page.goto("/console")
    await page.get_by_label("Admin token").fill(house.token)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("navigation")).to_be_visible()


async def test_it_asks_for_the_token_and_forgets_it_with_the_tab(visit: Visit, tmp_path: Path):
    async with household(tmp_path) as house:
        page = await house.stack.enter_async_context(
            visit(house.server.page_url, path="/console", watch=Watch(allowed=["401"]))
        )
        await expect(page.get_by_role("heading", name="Who runs this server?")).to_be_visible()
        await page.get_by_label("Admin token").fill("a guess")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("lumi token admin")
        await enter(page, house)
        await expect(page.get_by_role("status").first).to_have_text("ready")
        await page.reload()
        await expect(page.get_by_role("navigation")).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_label("Admin token")).to_be_focused()
        assert await page.evaluate("JSON.stringify([localStorage, sessionStorage])") == "[{},{}]"


async def test_sessions_and_turns_are_seen_and_a_device_says_what_is_typed(visit: Visit, tmp_path: Path):
    async with household(tmp_path) as house:
        kitchen = await house.device("kitchen")
        await ask(kitchen)
        page = await house.stack.enter_async_context(visit(house.server.page_url, path=None))
        await enter(page, house)
        await page.get_by_role("link", name="Sessions").click()
        await expect(page.get_by_role("row", name=re.compile("kitchen idle lumi · recorded"))).to_be_visible()
        await page.get_by_role("link", name="Turns").click()
        turn = page.locator("details.turn")
        await expect(turn).to_contain_text("kitchen")
        blocks = await turn.locator("summary .bar i").evaluate_all(
            "all => all.map(one => [one.className, one.getBoundingClientRect().width])"
        )
        assert [name for name, _ in blocks] == ["stt", "llm", "tts"]
        assert all(width > 5 for _, width in blocks)
        await turn.locator("summary").click()
        await expect(turn.locator(".stages .bar")).to_have_count(5)
        await expect(turn.locator(".stages")).to_contain_text("to the first sound")

        await page.get_by_role("link", name="Sessions").click()
        await page.get_by_role("button", name="Say something").click()
        await page.get_by_label("What it is to say").fill("Dinner is ready.")
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_role("dialog")).to_contain_text("It is being said.")
        await kitchen.expect("tts", state="sentence_start", text="Dinner is ready.")
        await page.get_by_role("button", name="Close").click()
        await page.get_by_role("link", name="Turns").click()
        await expect(turn).to_have_count(2)
        await page.get_by_role("link", name="Overview").click()
        await page.get_by_text("All counters").click()
        await expect(
            page.get_by_role("row", name=re.compile('lumi_turns_total kind="spoken" 2'))
        ).to_be_visible()


async def test_a_device_is_let_in_named_and_shut_out(visit: Visit, tmp_path: Path):
    async with household(tmp_path) as house:
        code = await house.code_of("aa:bb")
        page = await house.stack.enter_async_context(
            visit(house.server.page_url, path=None, watch=Watch(allowed=["404"]))
        )
        await enter(page, house)
        await page.get_by_role("link", name="Devices").click()
        row = page.get_by_role("row", name="aa:bb")
        await expect(row).to_contain_text("waits to be let in")
        field = page.get_by_label("Code that the device shows")
        await field.fill("123456" if code != "123456" else "654321")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert").first).to_contain_text("no device shows this code")
        await field.fill(code)
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("aa:bb is let in.")).to_be_visible()
        await row.get_by_role("button", name="Name…").click()
        await page.get_by_label("Name", exact=True).fill("Bedroom")
        await page.get_by_role("button", name="Save").click()
        bedroom = page.get_by_role("row", name="Bedroom")
        await bedroom.get_by_role("button", name="Shut out…").click()
        await page.get_by_role("button", name="Yes").click()
        await expect(bedroom).to_contain_text("shut out")
        device = house.server.registry.get("aa:bb")
        assert device is not None
        assert (device.name, device.state) == ("Bedroom", "revoked")


async def test_a_recording_is_played_with_its_transcript(visit: Visit, tmp_path: Path):
    async with household(tmp_path) as house:
        await ask(await house.device("kitchen"), 480)
        page = await house.stack.enter_async_context(visit(house.server.page_url, path=None))
        await enter(page, house)
        await page.get_by_role("link", name="Recordings").click()
        await page.get_by_role("button", name="Open").click()
        said = page.locator(".said button")
        await expect(said).to_have_count(2)
        await expect(said.first).to_contain_text("what time is it")
        await expect(said.last).to_contain_text("It is noon.")
        play = page.locator(".player").get_by_role("button", name="Play")
        await expect(play).to_be_enabled()
        assert all(peak > 0.05 for peak in await page.evaluate(LOUDEST))
        await play.click()
        await expect(said.last).to_have_attribute("aria-current", "true")
        slider = page.get_by_label("Position")
        length = float(await slider.get_attribute("max") or 0)
        await expect(play).to_be_visible()  # it has come to its end
        assert float(await slider.input_value()) >= length - 100
        await said.first.click()
        assert float(await slider.input_value()) < length / 2
        await page.get_by_text("All messages").click()
        await expect(page.locator(".lines")).to_contain_text("client_packet")


LOUDEST = """async () => {
  const { parse } = await import("/console/recording.js");
  const { Player } = await import("/console/player.js");
  const token = sessionStorage.getItem("lumi.admin_token");
  const headers = { Authorization: `Bearer ${token}` };
  const list = await (await fetch("/api/v1/recordings", { headers })).json();
  const file = await fetch(`/api/v1/recordings/${list.recordings[0].session_id}`, { headers });
  const player = new Player(parse(await file.text()).entries, () => {});
  await player.decode();
  return ["client", "server"].map((side) => Math.max(...player.stretches.filter((one) => one.side === side)
    .map((one) => Math.max(...one.sound.getChannelData(0)))));
}"""


@pytest.mark.parametrize(
    ("locale", "scheme", "width", "heading", "parts"),
    [
        ("en-US", "light", 1200, "Load, last two hours", LIGHT),
        ("zh-CN", "dark", 360, "最近两小时的负载", DARK),
    ],
)
async def test_every_part_fits_and_can_be_read(
    visit: Visit,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    locale: str,
    scheme: str,
    width: int,
    heading: str,
    parts: tuple[str, ...],
):
    monkeypatch.setattr(load_history, "EVERY_S", 0.2)
    async with household(tmp_path, stt=ScriptedStt(("what time is it", DEAF))) as house:
        kitchen = await house.device("kitchen")
        await ask(kitchen)
        await ask(kitchen, 180)
        await house.code_of("hall")
        options = {"viewport": {"width": width, "height": 740}, "locale": locale, "color_scheme": scheme}
        page = await house.stack.enter_async_context(visit(house.server.page_url, path="/console", **options))
        await page.locator("#token").fill(house.token)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name=heading)).to_be_visible()
        assert (
            await page.evaluate("document.querySelector('header').offsetHeight") < 60
        )  # one line, also there
        for part in parts:
            await page.goto(f"/console#{part}")
            await expect(page.locator(f"#tabs a[href='#{part}']")).to_have_attribute("aria-current", "page")
            await expect(page.locator("main")).not_to_be_empty()
            if part == "turns":
                await page.locator("details.turn summary").first.click()
            if part == "settings":
                await page.get_by_label("Only what differs").check()
            if part == "recordings":
                await page.locator("td.acts .primary").click()
                await expect(page.locator(".said button").first).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, part
            assert await serious(page) == [], part


async def test_on_a_phone_the_choices_are_behind_a_button(visit: Visit, tmp_path: Path):
    async with household(tmp_path) as house:
        await ask(await house.device("kitchen"))
        await house.server.registry.confirm(await house.code_of("kitchen"))
        await house.server.registry.change("kitchen", name="The kitchen")
        options = {"viewport": {"width": 360, "height": 740}}
        page = await house.stack.enter_async_context(visit(house.server.page_url, path=None, **options))
        await enter(page, house)
        language, more = page.get_by_label("Language", exact=True), page.locator("#more")
        await expect(language).to_be_hidden()
        await expect(more).to_have_accessible_name("Choices")
        await more.focus()
        await page.keyboard.press("Enter")
        await expect(more).to_have_attribute("aria-expanded", "true")
        await language.select_option("zh")
        await page.get_by_role("link", name="对话轮次").click()
        await expect(page.locator("details.turn summary")).to_contain_text("The kitchen")
        await house.code_of("newcomer")
        await page.get_by_role("link", name="设备").click()
        await expect(page.locator("main tbody th").first).to_contain_text("newcomer")  # who waits comes first
        await page.get_by_role("button", name="退出").click()
        await expect(language).to_be_hidden()
        await expect(page.locator("#token")).to_be_focused()


async def serious(page: Page) -> list[str]:
    found = (await Axe().run(page)).response
    assert len(found["passes"]) > 5
    return [
        f"{one['id']}: {one['nodes'][0]['html']}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
    ]


async def test_every_code_of_the_server_is_said_in_words(module_page: Page):
    reasons = await module_page.evaluate("async () => (await import('/console/reasons.js')).REASONS")
    assert set(reasons["refusal"]) == {*Verdict, *Reason} - {
        Verdict.WELCOME
    }  # mypy: nothing else is a reason
    assert set(reasons["trouble"]) == set(Trouble)
    assert set(reasons["event"]) == set(complaints()), "say it in src/lumi/web/console/reasons.js"
    for code, said in [pair for table in reasons.values() for pair in table.items()]:
        (english, mend), (chinese, chinese_mend) = said
        assert english, code
        assert CHINESE.search(chinese), code
        assert not CHINESE.search(english + mend), code
        assert bool(mend) == bool(CHINESE.search(chinese_mend)), code
        assert CODE.findall(english + mend) == CODE.findall(chinese + chinese_mend), code


async def test_the_settings_and_commands_that_reasons_name_are_there(module_page: Page):
    reasons = await module_page.evaluate("async () => (await import('/console/reasons.js')).REASONS")
    named = {
        code
        for table in reasons.values()
        for (said, _) in table.values()
        for code in CODE.findall(" ".join(said))
    }
    settings = {code.split(" = ")[0] for code in named if "." in code}
    assert len(settings) > 8
    assert settings <= {".".join(path) for path in known_paths()}
    assert {code.split()[1] for code in named if code.startswith("lumi ")} == {"doctor", "reload", "token"}


def complaints() -> Iterator[str]:
    """What the server warns of: the first argument of each such call, where it is no sentence with holes."""
    for path in (
        CONSOLE.parents[1] / part for part in ("server", "tools", "voice", "skills", "store", "engines")
    ):
        for source in path.rglob("*.py"):
            for call in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                match call:
                    case ast.Call(
                        func=ast.Attribute(attr=level), args=[ast.Constant(value=str(event)), *_]
                    ) if (
                        level in {"warning", "error", "exception"}
                        and "%" not in event
                        and "log" in ast.unparse(call.func)
                    ):
                        yield event


async def test_refusals_and_problems_are_told_with_what_to_do(visit: Visit, tmp_path: Path):
    async with household(tmp_path, stt=ScriptedStt((DEAF,))) as house:
        for bad in ("guess", "another guess"):
            async with ClientSession() as web:
                await web.get(
                    f"{house.server.page_url}api/v1/live", headers={"Authorization": f"Bearer {bad}"}
                )
        await ask(await house.device("kitchen"))
        page = await house.stack.enter_async_context(visit(house.server.page_url, path=None))
        await enter(page, house)
        await page.get_by_role("link", name="Devices").click()
        refused = page.get_by_role("row", name="bad_admin_token")
        await expect(refused).to_have_count(2)
        await expect(refused.first).to_contain_text("A wrong admin token, or none")
        await expect(refused.first).to_contain_text("lumi token admin prints the right one.")
        await page.get_by_role("link", name="Problems").click()
        await expect(page.get_by_role("row", name="why=bad_admin_token").first).to_contain_text(
            "Somebody was refused: A wrong admin token, or none refused"
        )
        await page.get_by_label("Language").select_option("zh")
        await expect(page.get_by_role("row", name="trouble=failed").first).to_contain_text("失败")
        await expect(page.get_by_role("row", name="why=bad_admin_token").first).to_contain_text(
            "有人被拒绝：管理令牌不正确或缺失"
        )


async def test_settings_are_explained_in_the_language_and_found_in_both(visit: Visit, tmp_path: Path):
    async with household(tmp_path) as house:
        page = await house.stack.enter_async_context(visit(house.server.page_url, path=None, locale="zh-CN"))
        await page.goto("/console#settings")
        await page.locator("#token").fill(house.token)
        await page.keyboard.press("Enter")
        row = page.get_by_role("row", name="server.announce")
        await expect(row).to_contain_text("在局域网中广播此服务器，让客户端能找到它。")
        for sought in ("local network", "局域网"):
            await page.locator("#filter").fill(sought)
            await expect(row).to_be_visible()
            await expect(page.get_by_role("row", name="server.port")).to_be_hidden()
        await page.locator("#language").select_option("en")
        await expect(row).to_contain_text("Tell the local network that a server is here")


async def test_everything_is_said_in_both_languages(module_page: Page):
    texts = await module_page.evaluate("async () => (await import('/console/texts.js')).TEXTS")
    english, chinese = texts["en"], texts["zh"]
    assert list(english) == list(chinese)
    holes = re.compile(r"\{\w+\}")
    for key, text in english.items():
        assert text, key
        assert sorted(holes.findall(text)) == sorted(holes.findall(chinese[key])), key
    sources = [
        path.read_text(encoding="utf-8") for path in CONSOLE.iterdir() if path.suffix in {".js", ".html"}
    ]
    said = {
        key for source in sources for key in re.findall(r'(?:\bt\(|data-t=|data-label=)"([\w.]+)"', source)
    }
    assert len(said) > 60
    assert said <= set(english)
    assert {*Stage, *Ending, *(f"engine.{state}" for state in (*State, "unavailable"))} <= set(english)
