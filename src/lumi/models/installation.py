"""From an entry of the catalogue to a folder that an engine can load."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lumi.errors import ModelError
from lumi.models.archives import unpack
from lumi.models.catalogue import HUB, Model, ModelFile, from_hub
from lumi.models.download import Downloader, Fetched, OnProgress, Source, no_progress
from lumi.models.library import FETCHING, Installed, Kept, Library
from lumi.models.lock import alone


async def install(
    model: Model,
    library: Library,
    downloader: Downloader,
    on_progress: OnProgress = no_progress,
    *,
    hub: str = HUB,
) -> Installed:
    """Fetch all files of a model, check and unpack them; the model appears in the library when all is there.

    A file without a hash in the catalogue must be the same as the one that came here first, if one did.

    Raises:
        ModelError: something cannot be had, or is not what it should be; what is whole stays for the next try.
    """
    _make(library.root / FETCHING)
    with alone(library.root / FETCHING / f"{model.name}.lock"):
        seen = library.seen()
        kept = []
        for file in model.files:
            url = from_hub(file.url, hub)
            source = Source(url, file.size_bytes, file.sha256 or seen.get(file.url, ""))
            fetched = await _have(file, source, library.workplace(model.name), downloader, on_progress)
            kept.append(Kept(file.url, fetched.size_bytes, fetched.sha256, vouched=bool(file.sha256)))
        installed = Installed(model.name, model.engine, model.kind, model.languages, tuple(kept))
        library.complete(installed)
        return installed


async def _have(
    file: ModelFile, source: Source, folder: Path, downloader: Downloader, on_progress: OnProgress
) -> Fetched:
    if not file.is_archive:
        return await downloader.fetch(source, folder / file.path, on_progress)
    fetched = await downloader.fetch(source, folder / file.name, on_progress)
    await asyncio.to_thread(unpack, fetched.path, folder)
    fetched.path.unlink()
    return fetched


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(
            f"{folder} cannot be made ({error.strerror}); choose another place with LUMI_DATA_DIR"
        ) from error
