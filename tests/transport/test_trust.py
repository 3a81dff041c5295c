import pytest

from lumi.errors import ConfigError
from lumi.transport.trust import trusting


@pytest.mark.parametrize(("text", "words"), [("x", "holds no certificate"), (None, "cannot be read")])
def test_a_file_that_will_not_do_is_named(tmp_path, text, words):
    path = tmp_path / "ca.pem"
    if text:
        path.write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        trusting(path)
    assert caught.value.key == "--ca"


def test_one_more_authority_is_trusted_beside_the_systems(tmp_path):
    from datetime import UTC, datetime

    from lumi.server.local_authority import make_authority, make_key

    path = tmp_path / "ca.pem"
    path.write_text(make_authority(make_key(), (), datetime.now(UTC)))
    assert "Lumi at home" in str(trusting(path).get_ca_certs())
