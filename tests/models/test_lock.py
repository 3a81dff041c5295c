from __future__ import annotations

from pathlib import Path

import pytest

from lumi.errors import ModelError
from lumi.models.lock import alone


def test_the_second_is_told_to_wait_and_the_third_may(tmp_path: Path):
    place = tmp_path / "deep" / "tiny.lock"
    with alone(place), pytest.raises(ModelError, match="fetching tiny right now"), alone(place):
        pass
    with alone(place):
        pass
