from __future__ import annotations

from lumi.testing.device_tools import ScriptedDeviceTools, never, twice, under_another_id


def ask(method: str, **params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}


async def test_it_answers_as_boards_do() -> None:
    tools = ScriptedDeviceTools(
        {"a": lambda told: f"a {told['x']}", "b": lambda _: ValueError("broken")}, page=1
    )
    (opened,) = await tools.answers(ask("initialize"))
    assert (opened["id"], "protocolVersion" in opened["result"]) == (7, True)
    (first,) = await tools.answers(ask("tools/list"))
    (second,) = await tools.answers(ask("tools/list", cursor=first["result"]["nextCursor"]))
    assert [page["result"]["tools"][0]["name"] for page in (first, second)] == ["a", "b"]
    assert "nextCursor" not in second["result"]
    (done,) = await tools.answers(ask("tools/call", name="a", arguments={"x": 1}))
    assert done["result"]["content"] == [{"type": "text", "text": "a 1"}]
    for name, words in (("b", "broken"), ("c", "Unknown tool: c")):
        (failed,) = await tools.answers(ask("tools/call", name=name, arguments={}))
        assert failed["error"] == {"message": words}
    assert tools.calls == [("a", {"x": 1}), ("b", {}), ("c", {})]
    (refused,) = await tools.answers(ask("notifications/initialized"))
    assert refused["error"]["code"] == -32601
    assert await tools.answers({"id": 1, "result": {}}) == []
    assert tools.methods[-1] == ""


async def test_it_misbehaves_on_request() -> None:
    tools = ScriptedDeviceTools(manner=never)
    assert await tools.answers(ask("initialize")) == []
    tools.manner = twice
    assert len(await tools.answers(ask("initialize"))) == 2
    tools.manner, tools.delay_s = under_another_id, 0.1
    assert [answer["id"] for answer in await tools.answers(ask("initialize"))] == [1007]
