"""`lumi models`: which models there are, fetching one, taking one away."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from lumi.commands.console import Console
from lumi.commands.running import DONE, load_extra
from lumi.models.catalogue import Catalogue, Model, catalogue, find
from lumi.models.download import Downloader, OnProgress, Progress
from lumi.models.installation import install
from lumi.models.library import Installed, Library

MEGA = 1e6


def _config() -> Any:
    return load_extra("lumi.config", extra="server", command="lumi models").load()


def library(config: Any) -> Library:
    return Library(config.data_dir / "models")


async def list_models(console: Console, entries: Catalogue | None = None) -> int:
    """One line for each model of the catalogue."""
    entries = catalogue() if entries is None else entries
    shelf = library(_config())
    here = {model.name for model in shelf.installed()}
    console.result(
        {
            "folder": str(shelf.root),
            "models": [_described(model, is_here=model.name in here) for model in entries.values()],
        }
    )
    width = max(map(len, entries))
    for model in entries.values():
        mark = "✓" if model.name in here else " "
        about = console.words(zh=model.about_zh, en=model.about)
        languages = " ".join(model.languages)
        console.write(
            f"{mark} {model.name:<{width}}  {model.kind}.{model.engine:<8} {model.megabytes:>4} MB  {languages}\n"
            f"  {'':<{width}}  {about}"
        )
    console.note(
        zh=f"✓ 已下载，位于 {shelf.root}。下载：lumi models add 名称",
        en=f"✓ is here, in {shelf.root}. Fetch one: lumi models add NAME",
    )
    return DONE


def _described(model: Model, *, is_here: bool) -> dict[str, object]:
    return {
        "name": model.name,
        "kind": model.kind,
        "engine": model.engine,
        "languages": model.languages,
        "megabytes": model.megabytes,
        "licence": model.licence,
        "page": model.page,
        "installed": is_here,
    }


async def add_model(console: Console, name: str, entries: Catalogue | None = None) -> int:
    """Fetch a model, and say where it is and how it is switched on. Raises `ModelError`."""
    model = find(name, catalogue() if entries is None else entries)
    config = _config()
    shelf = library(config)
    console.note(
        zh=f"{name}：约 {model.megabytes} MB，许可：{model.licence}（{model.page}）",
        en=f"{name}: about {model.megabytes} MB, licence: {model.licence} ({model.page})",
    )
    installed = shelf.find(name)
    if installed is None:
        with _bars(sys.stderr.isatty()) as on_progress:
            async with Downloader() as downloader:
                installed = await install(model, shelf, downloader, on_progress, hub=config.models.hub)
        _tell_trust(console, installed)
    settings = {"engine": model.engine, "model": name}
    folder = shelf.folder(name)
    console.result({"name": name, "folder": str(folder), "settings": {model.kind: settings}})
    console.write(console.words(zh=f"{name} 位于 {folder}", en=f"{name} is in {folder}"))
    console.write(how_to_use(console, model))
    return DONE


def how_to_use(console: Console, model: Model) -> str:
    """What to install and to set."""
    variable = f"LUMI_{model.kind.upper()}"
    return console.words(
        zh=f"安装引擎：pip install 'lumi-assistant[{model.engine}]'\n启用：",
        en=f"Its engine: pip install 'lumi-assistant[{model.engine}]'\nUse it:     ",
    ) + (f"{variable}__ENGINE={model.engine} {variable}__MODEL={model.name} lumi serve")


def _tell_trust(console: Console, model: Installed) -> None:
    for file in model.files:
        if not file.vouched:
            console.note(
                zh=f"事先不知道此文件的校验值，首次下载即予信任：{file.url}\n  SHA-256 {file.sha256}",
                en=f"Nobody had told the hash of this file; it is trusted because it came first: {file.url}\n"
                f"  SHA-256 {file.sha256}",
            )


async def remove_model(console: Console, name: str) -> int:
    """Take a model away. Raises `ModelError` where it is not here."""
    freed = library(_config()).remove(name)
    console.result({"name": name, "freed_bytes": freed})
    console.write(
        console.words(
            zh=f"{name} 已删除，释放 {freed / MEGA:.0f} MB",
            en=f"{name} is gone; that frees {freed / MEGA:.0f} MB",
        )
    )
    return DONE


@contextmanager
def _bars(wanted: bool) -> Iterator[OnProgress]:  # noqa: FBT001 - one question, one answer
    """Progress bars on a terminal; elsewhere a line for each file."""
    if not wanted:
        with _lines() as on_progress:
            yield on_progress
        return
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = (
        "{task.description}",
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=RichConsole(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def show(progress: Progress) -> None:
            if progress.name not in tasks:
                tasks[progress.name] = bars.add_task(progress.name)
            bars.update(tasks[progress.name], completed=progress.done_bytes, total=progress.total_bytes)

        yield show


@contextmanager
def _lines() -> Iterator[OnProgress]:
    begun: set[str] = set()

    def show(progress: Progress) -> None:
        if progress.name not in begun:
            begun.add(progress.name)
            size = "?" if progress.total_bytes is None else f"{progress.total_bytes / MEGA:.1f}"
            typer.echo(f"{progress.name}: {size} MB", err=True)

    yield show
