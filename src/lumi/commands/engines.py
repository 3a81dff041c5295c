"""`lumi engines`: what hears, answers and speaks here, what is in use, and what is missing for more."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lumi.commands.console import Console
from lumi.commands.running import DONE, load_extra
from lumi.errors import EngineUnavailable
from lumi.models.library import Library

if TYPE_CHECKING:
    from lumi.engines.registry import Registry

OURS = "lumi-assistant"
ZH = {
    "while you speak": "边说边出",
    "when you have finished": "说完后出",
    "clause by clause": "逐句",
    "piece by piece": "逐段",
    "in the server": "在服务器内",
    "a process of its own": "独立进程",
    "another program or machine": "其他程序或机器",
    "any": "任何语言",
    "by service": "由服务决定",
    "99, by model": "99 种，由模型决定",
    "one, by model": "一种，由模型决定",
    "en, by model": "en，由模型决定",
    "zh en, by model": "zh en，由模型决定",
    "base_url or api_key": "需要 base_url 或 api_key",
    "the service's address": "需要服务的地址",
    "the program that listens (`lumi talk`)": "聆听的程序（`lumi talk`）",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One engine, as JSON shows it. `missing` says what to do; empty: nothing is missing."""

    kind: str
    name: str
    package: str
    in_use: bool
    installed: bool
    missing: str
    models: tuple[str, ...]
    languages: str
    pace: str
    place: str
    needs: str = ""
    """What has to be set to use it."""


async def engines(console: Console, registry: Registry | None = None) -> int:
    """One line for each engine that some installed package offers."""
    config = load_extra("lumi.config", extra="server", command="lumi engines").load()
    found = registry or load_extra("lumi.engines.registry", extra="server", command="lumi engines").Registry()
    rows = list(survey(found, config))
    console.result({"engines": [asdict(row) for row in rows]})
    width = max(len(f"{row.kind}.{row.name}") for row in rows)
    for row in rows:
        said = [
            console.words(zh=ZH.get(word, word), en=word) for word in (row.languages, row.pace, row.place)
        ]
        mark = "●" if row.in_use and row.package else "✗" if row.missing else "✓"
        if row.needs and not row.in_use:
            said.append(console.words(zh=ZH.get(row.needs, row.needs), en=f"needs {row.needs}"))
        told = " · ".join(part for part in (*said, *row.models) if part)
        origin = "" if row.package in {OURS, ""} else f" [{row.package}]"
        mend = f"\n  {'':<{width}}  → {row.missing}" if row.missing else ""
        console.write(f"{mark} {row.kind + '.' + row.name:<{width}}  {told}{origin}{mend}")
    console.note(
        zh="● 正在使用  ✓ 可以使用  ✗ 还缺东西。选择引擎：LUMI_STT__ENGINE=名称",
        en="● in use  ✓ ready  ✗ something is missing. Choose one: LUMI_STT__ENGINE=NAME",
    )
    return DONE


def survey(registry: Registry, config: Any) -> Iterator[Row]:
    """All engines of the registry, by kind."""
    kinds = load_extra("lumi.engines.registry", extra="server", command="lumi engines").KINDS
    library = Library(config.data_dir / "models")
    in_use = dict.fromkeys(used(config))
    for kind in kinds:
        there = registry.available(kind)
        for name in there:
            yield _row(registry, config, library, kind, name, in_use=(kind, name) in in_use)
        for name in [name for of, name in in_use if of == kind and name and name not in there]:
            missing = f"the settings name it and no package here brings it: install one, or change [{kind}]"
            yield Row(kind, name, "", True, False, missing, (), "", "", "")


def used(config: Any) -> Iterator[tuple[str, str]]:
    """Kind and engine of everything that the settings name."""
    from lumi.config.engines import stand_ins

    for kind in ("vad", "stt", "llm", "tts", "duplex", "wake"):
        section: Any = getattr(config, kind, None)
        engine = getattr(section, "engine", "")
        yield kind, engine
        for name in stand_ins(section, engine) if hasattr(section, "fallback") else ():
            table = config.engines.get(name)
            yield kind, table.engine if table else name


def _row(registry: Registry, config: Any, library: Library, kind: str, name: str, *, in_use: bool) -> Row:
    from lumi.engines.overview import known

    told = known(kind, name)
    package = registry.package(kind, name)
    models = tuple(one.name for one in library.installed() if (one.kind, one.engine) == (kind, name))
    if told is None:
        missing = _unloadable(registry, kind, name)
        return Row(kind, name, package, in_use, not missing, missing, models, "", "", "")
    absent = [one for one in told.packages if importlib.util.find_spec(one) is None]
    missing = told.install if absent else ""
    given = getattr(getattr(config, kind, None), "model", "") if in_use else ""
    if told.model and not models and not given:
        missing = "; ".join(part for part in (missing, f"lumi models add {told.model}") if part)
    return Row(
        kind,
        name,
        package,
        in_use,
        not absent,
        missing,
        models,
        told.languages,
        told.pace,
        told.place,
        told.needs,
    )


def _unloadable(registry: Registry, kind: str, name: str) -> str:
    """What somebody else's engine lacks; nothing is known of it but whether it loads."""
    try:
        registry.factory(kind, name)
    except EngineUnavailable as error:
        return str(error)
    return ""
