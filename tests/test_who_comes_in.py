"""From another network: whoever may not come in is refused with the right status, and nothing that was shown is logged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.empty_network import way_in

pytestmark = pytest.mark.real

EXPECTED = {
    "plain http at the tls port": 400,
    "no token, by tls": 401,
    "unknown authority": 0,  # the client's own refusal: no answer was read
    "no token": 401,
    "wrong token": 401,
    "wrong token in the address": 401,
    "expired token": 401,
    "revoked token": 403,
    "wrong origin": 403,
    "right token": 101,
    "no admin token": 401,
    "wrong admin token": 401,
    "pairing code": 200,
    "replayed pairing code": 404,
}
REASONS = ("no_token", "bad_token", "expired_token", "revoked", "bad_origin", "bad_admin_token")


@pytest.mark.timeout(180)
@pytest.mark.skipif(
    way_in() is None, reason="two networks need root (or user namespaces), unshare, nsenter, ip"
)
def test_strangers_in_another_network_are_refused_and_nothing_they_show_is_logged(tmp_path: Path) -> None:
    command = way_in()
    assert command is not None
    script = Path(__file__).with_name("two_networks.py")
    done = subprocess.run(
        [*command, sys.executable, str(script), str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=150,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["statuses"] == EXPECTED
    assert seen["leaked"] == []
    for reason in REASONS:
        assert reason in seen["logged"], "each refusal is in the log by its reason"
