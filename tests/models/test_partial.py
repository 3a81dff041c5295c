"""`Part` alone; how it works with a server stands in test_download.py."""

from __future__ import annotations

from pathlib import Path

from lumi.models.partial import Part


def test_an_unknown_part_is_thrown_away(tmp_path: Path):
    (tmp_path / "a.part").write_bytes(b"from who knows where")
    with Part(tmp_path / "a") as part:
        assert (part.size_bytes, part.total_bytes, part.asking()) == (0, None, {})


def test_a_broken_note_is_no_note(tmp_path: Path):
    (tmp_path / "a.part").write_bytes(b"half")
    (tmp_path / "a.part.json").write_text("{")
    with Part(tmp_path / "a") as part:
        assert part.size_bytes == 0


def test_a_noted_part_is_taken_stock_of(tmp_path: Path):
    (tmp_path / "a.part").write_bytes(b"half")
    (tmp_path / "a.part.json").write_text('{"validator": "\\"1\\"", "total_bytes": 8}')
    with Part(tmp_path / "a") as part:
        assert dict(part.asking()) == {"Range": "bytes=4-", "If-Range": '"1"'}
        assert not part.is_whole
        part.write(b"half")
        assert part.is_whole
        part.complete()
    assert (tmp_path / "a").read_bytes() == b"halfhalf"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a"]
