from __future__ import annotations

import pytest
from tests.commands.screen import Screen


@pytest.fixture
def screen(capsys: pytest.CaptureFixture[str]) -> Screen:
    return Screen(capsys)
