import re
from collections.abc import Iterator

from lumi.config import Config
from lumi.config.explained import chinese, explained
from lumi.config.reference import described, properties
from lumi.config.serving import ServerSettings


def test_every_setting_has_a_value_and_a_purpose():
    config = Config(server=ServerSettings(port=1, token="secret-token", tokens=("other-secret",)))  # type: ignore[arg-type]
    found = {one.name: one for one in explained(config)}
    assert (found["server.port"].value, found["server.port"].default) == (1, 8000)
    assert found["server.port"].accepted == "a whole number, at least 0, at most 65535"
    assert found["server.token"].value == "***"
    assert found["server.tokens"].value == ["***"]
    assert [name for name, one in found.items() if not one.about] == []
    assert found["mcp"].about.startswith("A tool server")
    assert found["mcp"].about_zh.startswith("工具服务器")
    assert found["server.port"].about_zh == "监听的端口；0 表示任选一个空闲端口。"


def test_what_every_setting_is_for_is_said_in_chinese_too():
    english = {described(path) for name in Config.model_fields for path in everything(name)}
    assert len(english) > 120
    assert english - set(chinese()) == set(), "say these in src/lumi/config/chinese.toml, too"
    assert set(chinese()) - english == set(), (
        "nothing says this any more: take it out, or change it with the English"
    )
    for said, translated in chinese().items():
        assert re.search("[\u4e00-\u9fff]", translated), said
        assert set(re.findall("`[^`]+`", translated)) == set(re.findall("`[^`]+`", said)), said


def everything(name: str) -> Iterator[tuple[str, ...]]:
    """All settings of a section, and what people name, where its tables are named by them."""
    path, schema = properties(name)
    yield from ((*path, key) for key in schema["properties"])
    if len(path) > 1:
        yield (name,)
