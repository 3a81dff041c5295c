from pathlib import Path

import pytest

from lumi.server.firmware import Firmware, ordered


@pytest.fixture
def firmware(tmp_path: Path) -> Firmware:
    for name in ("box-3_1.9.0.bin", "box-3_1.10.bin", "other_9.0.bin", "notes.txt", "box-3_2.0.bin.part"):
        (tmp_path / name).write_bytes(b"firmware")
    (tmp_path / "box-3_8.0.bin").mkdir()
    return Firmware(tmp_path)


@pytest.mark.parametrize(
    ("board", "version", "offered"),
    [
        ("box-3", "1.9.0", "box-3_1.10.bin"),
        ("BOX-3", "v1.9.1", "box-3_1.10.bin"),
        ("box-3", "1.10.0", None),
        ("box-3", "2.0", None),
        ("box-3", "unreadable", None),
        ("box", "1.0", None),
        ("", "1.0", None),
    ],
)
def test_the_newest_file_is_offered_to_who_has_an_older_one(firmware, board, version, offered):
    image = firmware.newer(board, version)
    assert (image.path.name if image else None) == offered


def test_files_are_found_by_their_name_and_nothing_else_is(firmware, tmp_path: Path):
    assert firmware.find("other_9.0.bin") == tmp_path / "other_9.0.bin"
    for name in ("notes.txt", "../secret_1.0.bin", "box-3_8.0.bin", "box-3_2.0.bin.part"):
        assert firmware.find(name) is None
    assert Firmware(tmp_path / "not there").newer("box-3", "1.0") is None


def test_versions_are_numbers():
    assert ordered("1.10") == ordered("v1.10.0-rc1")
    assert ordered("x") is None
