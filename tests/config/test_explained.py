from lumi.config import Config
from lumi.config.explained import explained
from lumi.config.serving import ServerSettings


def test_every_setting_has_a_value_and_a_purpose():
    config = Config(server=ServerSettings(port=1, token="secret-token", tokens=("other-secret",)))  # type: ignore[arg-type]
    found = {one.name: one for one in explained(config)}
    assert (found["server.port"].value, found["server.port"].default) == (1, 8000)
    assert found["server.port"].accepted == "a whole number, at least 0, at most 65535"
    assert found["server.token"].value == "***"
    assert found["server.tokens"].value == ["***"]
    nameless = [name for name, one in found.items() if not one.about]
    assert nameless == ["engines", "devices", "clients", "mcp"]
