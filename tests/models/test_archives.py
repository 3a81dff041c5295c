from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from lumi.errors import ModelError
from lumi.models.archives import unpack


def packed(path: Path, members: dict[str, bytes], *odd: tarfile.TarInfo, mode: str = "w:bz2") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for member in odd:
            tar.addfile(member)
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_the_folder_around_everything_is_left_out(mode: str, tmp_path: Path):
    members = {"voice/model.onnx": b"weights", "voice/espeak-ng-data/lang/zh": b"zh", "README": b"outside"}
    archive = packed(tmp_path / "a.tar", members, special("voice/dict", tarfile.DIRTYPE), mode=mode)
    unpack(archive, tmp_path / "out")
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*")}
    assert found == {"model.onnx", "espeak-ng-data", "espeak-ng-data/lang", "espeak-ng-data/lang/zh"}
    assert (tmp_path / "out" / "model.onnx").read_bytes() == b"weights"


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "a/../../b", "../b", "a/..", "a\\..\\b", "C:/windows", "a/c:b"]
)
def test_nothing_is_written_elsewhere(name: str, tmp_path: Path):
    archive = packed(tmp_path / "a.tar", {"a/fine": b"1", name: b"2"})
    with pytest.raises(ModelError, match="refused"):
        unpack(archive, tmp_path / "out" / "in")
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} <= {"a.tar", "fine"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(kind: bytes, tmp_path: Path):
    archive = packed(tmp_path / "a.tar", {}, special("a/link", kind, "/etc"))
    with pytest.raises(ModelError, match="neither file nor folder"):
        unpack(archive, tmp_path / "out")


def test_a_bomb_does_not_go_off(tmp_path: Path):
    archive = packed(tmp_path / "a.tar", {"a/b": bytes(10_000), "a/c": bytes(10_000)})
    with pytest.raises(ModelError, match="more than 15000 bytes"):
        unpack(archive, tmp_path / "out", largest_bytes=15_000)
    assert not (tmp_path / "out" / "c").exists()


@pytest.mark.parametrize("keep", [0, 3, 60])
def test_a_broken_archive_is_said_to_be_broken(keep: int, tmp_path: Path):
    archive = packed(tmp_path / "a.tar.bz2", {"a/b": bytes(range(256)) * 400})
    archive.write_bytes(archive.read_bytes()[:keep] if keep else b"<html>not found</html>")
    with pytest.raises(ModelError, match=r"a\.tar\.bz2"):
        unpack(archive, tmp_path / "out")
