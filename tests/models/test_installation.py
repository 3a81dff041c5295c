"""From catalogue to folder, over a real socket."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import msgspec
import pytest
from tests.models.conftest import FileServer

from lumi.errors import ModelError
from lumi.models.catalogue import HUB, Model, ModelFile
from lumi.models.download import Downloader, Patience
from lumi.models.installation import install
from lumi.models.library import Installed, Library

pytestmark = pytest.mark.real


def archive(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:bz2") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(f"voice/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


async def fetch(model: Model, library: Library, hub: str = HUB) -> Installed:
    async with Downloader(Patience(waits_s=(0.0,), connect_s=2, silence_s=2)) as downloader:
        return await install(model, library, downloader, hub=hub)


@pytest.fixture
def model(server: FileServer) -> Model:
    server.files |= {
        "/weights": b"weights" * 1000,
        "/tokens.txt": b"a 0",
        "/voice.tar.bz2": archive({"dict/jieba": b"words", "model.onnx": b"model"}),
    }
    files = (
        ModelFile(f"{server.url}/weights", "model.bin", 7000),
        ModelFile(f"{server.url}/tokens.txt", "tokens.txt"),
        ModelFile(f"{server.url}/voice.tar.bz2"),
    )
    return Model("sherpa", "tts", ("zh",), 1, "MIT", "", "", "", files, name="tiny")


async def test_a_model_is_put_together(model: Model, tmp_path: Path):
    library = Library(tmp_path)
    installed = await fetch(model, library)
    names = {path.relative_to(tmp_path / "tiny").as_posix() for path in (tmp_path / "tiny").rglob("*")}
    assert names == {"model.bin", "tokens.txt", "dict", "dict/jieba", "model.onnx", "lumi-model.json"}
    assert library.find("tiny") == installed
    assert [file.vouched for file in installed.files] == [False, False, False]


async def test_nothing_appears_before_all_is_there(model: Model, server: FileServer, tmp_path: Path):
    library, whole = Library(tmp_path), server.files.pop("/voice.tar.bz2")
    with pytest.raises(ModelError, match="404"):
        await fetch(model, library)
    assert not (tmp_path / "tiny").exists()
    server.files["/voice.tar.bz2"] = whole
    server.requests.clear()
    await fetch(model, library)
    assert [path for path, _ in server.requests] == ["/voice.tar.bz2"], "what was whole is not fetched again"


async def test_what_came_first_is_what_must_come_again(model: Model, server: FileServer, tmp_path: Path):
    library = Library(tmp_path)
    await fetch(model, library)
    library.remove("tiny")
    server.files["/tokens.txt"] = b"b 0"
    with pytest.raises(ModelError, match="was expected"):
        await fetch(model, library)


async def test_a_hash_of_the_catalogue_vouches(model: Model, tmp_path: Path):
    digest = "4a5bd6a9d8d8a4a8b6bd5f1a6d2a6a2b" * 2
    wrong = msgspec.structs.replace(model.files[1], sha256=digest)
    with pytest.raises(ModelError, match=digest):
        await fetch(msgspec.structs.replace(model, files=(wrong,)), Library(tmp_path))


async def test_another_hub_is_asked_instead(server: FileServer, tmp_path: Path):
    server.files["/someone/a/resolve/main/b"] = b"1"
    model = Model(
        "whisper",
        "stt",
        ("zh",),
        1,
        "",
        "",
        "",
        "",
        (ModelFile(f"{HUB}/someone/a/resolve/main/b", "b"),),
        name="x",
    )
    installed = await fetch(model, Library(tmp_path), hub=server.url)
    assert installed.files[0].url.startswith(HUB)


async def test_a_place_that_cannot_be_made_is_named(model: Model, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelError, match="LUMI_DATA_DIR"):
        await fetch(model, Library(tmp_path / "file"))
