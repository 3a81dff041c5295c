"""The test bed itself: a real Chromium, a real server, and pages whose complaints are heard."""

from typing import Any

import pytest
from playwright.async_api import Browser, expect
from tests.flows.scripted import scripted_lumi
from tests.web.browsing import IN_BROWSER, Watch, watched_page

pytestmark = IN_BROWSER


async def test_the_page_of_a_real_server_connects_and_answers(open_page):
    async with scripted_lumi() as server:
        page = await open_page(server.page_url)
        assert await page.title() == "Lumi"
        await page.get_by_role("textbox").first.fill("What time is it?")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("It is noon.")).to_be_visible()


async def visit(browser: Browser, address: str, script: str, **options: Any) -> None:
    async with watched_page(browser, address, **options) as page:
        await page.goto("/")
        await page.evaluate(script)
        await page.evaluate("new Promise((done) => setTimeout(done, 50))")


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("console.error('a red line')", "a red line"),
        ("setTimeout(() => { throw new Error('nobody caught it') })", "uncaught.*nobody caught it"),
        ("fetch('http://127.0.0.1:9/x').catch(() => 0)", "Content Security Policy"),
        ("void (new Image().src = 'http://127.0.0.1:9/x.png')", "another host: http://127.0.0.1:9/x.png"),
    ],
)
async def test_what_goes_wrong_on_a_page_fails_its_test(browser, script, complaint):
    async with scripted_lumi() as server:
        with pytest.raises(AssertionError, match=complaint):
            await visit(browser, server.page_url, script)


async def test_a_complaint_that_a_test_provokes_can_be_allowed(browser):
    watch = Watch(allowed=["a red line"])
    async with scripted_lumi() as server:
        await visit(browser, server.page_url, "console.error('a red line')", watch=watch)
    assert len(watch.wrong) == 1


async def test_a_request_to_another_host_is_noticed_also_where_the_policy_lets_it_pass(browser):
    async with scripted_lumi() as server, scripted_lumi() as other:
        script = f"fetch('{other.page_url}', {{mode: 'no-cors'}})"
        with pytest.raises(AssertionError, match=rf"another host: {other.page_url}"):
            await visit(browser, server.page_url, script, bypass_csp=True)


async def test_the_microphone_hears_what_the_test_says(open_page, microphone):
    async with scripted_lumi() as server:
        page = await open_page(server.page_url)
        loud = (b"\x00\x40" * 24 + b"\x00\xc0" * 24) * 1000
        assert await page.evaluate(PEAK) < 0.01
        microphone.says(loud, 48_000)
        assert await page.evaluate(PEAK) > 0.1


PEAK = """async () => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let peak = 0;
  for (let i = 0; i < 10; i += 1) {
    await new Promise((done) => setTimeout(done, 40));
    analyser.getFloatTimeDomainData(samples);
    for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  }
  for (const track of stream.getTracks()) track.stop();
  await context.close();
  return peak;
}"""
