"""What a browser keeps for a page: unanswered chats of tabs that are gone, and whose session is whose."""

from __future__ import annotations

from tests.web.browsing import IN_BROWSER, from_disk

pytestmark = IN_BROWSER

OPEN = """async (name) => {
  const { openStorage } = await import("/sdk/storage.js");
  const made = await openStorage("browser", name);
  window.made = made;
  return made.kept.map(({ id, content, order }) => [id, content, order]);
}"""
PUT = "([id, order]) => made.store.put({ id, content: `text of ${id}`, order })"


async def test_chats_come_back_in_order_after_a_reload_and_answered_ones_do_not(module_page):
    name = "reload"
    assert await module_page.evaluate(OPEN, name) == []
    for entry in (["b", 2], ["a", 1], ["c", 3]):
        await module_page.evaluate(PUT, entry)
    await module_page.evaluate("made.store.remove('a')")
    await module_page.reload()
    assert await module_page.evaluate(OPEN, name) == [["b", "text of b", 2], ["c", "text of c", 3]]


async def test_a_tab_leaves_those_of_another_alone_until_that_is_gone(module_page):
    name = "tabs"
    await module_page.evaluate(OPEN, name)
    other = await module_page.context.new_page()
    third = await module_page.context.new_page()
    for page in (other, third):
        await page.route("**/*", from_disk)
        await page.goto("/sdk/lumi.js")
    assert await other.evaluate(OPEN, name) == []
    await other.evaluate(PUT, ["theirs", 1])
    await module_page.evaluate(PUT, ["ours", 2])
    assert await third.evaluate(OPEN, name) == []
    await other.close()
    await third.reload()
    assert await third.evaluate(OPEN, name) == [["theirs", "text of theirs", 1]]
    await module_page.reload()
    assert await module_page.evaluate(OPEN, name) == [["ours", "text of ours", 2]]
    await third.close()


async def test_where_the_browser_keeps_nothing_memory_does(module_page):
    made = await module_page.evaluate(
        """async () => {
          const { openStorage, MemoryChats, MemorySession } = await import("/sdk/storage.js");
          const { indexedDB } = globalThis;
          Object.defineProperty(globalThis, "indexedDB", { value: undefined, configurable: true });
          const without = await openStorage("browser", "none");
          Object.defineProperty(globalThis, "indexedDB", { value: indexedDB, configurable: true });
          const chosen = await openStorage("memory", "none");
          chosen.session.set({ a: 1 });
          return [without.store instanceof MemoryChats, without.kept, chosen.session instanceof MemorySession,
            chosen.session.get(), await chosen.store.load()];
        }"""
    )
    assert made == [True, [], True, {"a": 1}, []]


async def test_a_browser_goes_by_the_same_names_each_time(module_page):
    names = "import('/sdk/storage.js').then(({ ownNames }) => ownNames())"
    first = await module_page.evaluate(names)
    await module_page.reload()
    assert await module_page.evaluate(names) == first
    assert len(first["deviceId"]) == len(first["clientId"]) == 32
    assert first["deviceId"] != first["clientId"]
