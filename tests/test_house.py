"""Facts about the tree that no other gate looks at: sizes, names, homes, the map in the docs, what may not be written."""

from __future__ import annotations

import ast
import io
import re
import shutil
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "lumi"
MODULES = sorted(SOURCE.rglob("*.py"))

MAX_CODE_LINES = 250
"""Of one module, blank lines, comments and docstrings not counted."""

MAX_BODY_LINES = 36
"""Of one function, its signature and docstring not counted."""

DECLARATIONS = {SOURCE / "protocol" / "messages.py": "every message of the wire, once, in one place"}
"""Modules that may be longer, and why."""

BANNED_NAMES = ("util", "helper", "common", "misc")

HOMES = {
    "aiohttp": {"engines", "models", "transport", "server", "testing", "tools"},
    "av": {"audio", "testing"},
    "babel": {"skills"},
    "cryptography": {"server"},
    "espeakng_loader": {"engines"},
    "faster_whisper": {"engines"},
    "hassil": {"skills"},
    "ifaddr": {"transport"},
    "jsonschema": {"tools"},
    "mcp": {"tools"},
    "miniaudio": {"client"},
    "numpy": {"audio", "engines"},
    "onnxruntime": {"engines"},
    "openai": {"engines"},
    "piper": {"engines"},
    "pocketsphinx": {"engines"},
    "prometheus_client": {"server"},
    "psutil": {"bench", "server", "testing"},
    "pydantic": {"config"},
    "pymicro_wakeword": {"engines"},
    "segno": {"commands"},
    "sherpa_onnx": {"engines"},
    "soxr": {"audio"},
    "sqlite3": {"store", "client"},
    "typer": {"bench", "cli", "commands", "demo"},
    "webrtcvad": {"engines"},
    "wyoming": {"engines", "server"},
    "yaml": {"skills"},
    "zeroconf": {"transport"},
}
"""Third-party libraries and the rooms that may import them."""

# Put together from halves, so that this file does not contain what it looks for.
FORBIDDEN_TEXT = {
    "the address of a package registry": r"pypi\.o"
    r"rg|pythonhosted\.o"
    r"rg|registry\.npm"
    r"js|proxy\.golang"
    r"\.org",
    "a registry option": r"--index-u" r"rl|--extra-index-u" r"rl|--find-l" r"inks|PIP_INDEX" r"_URL",
    "a mirror": r"tuna\.tsing" r"hua|mirrors?\.(aliyun|ustc|tencent|huawei|163)|pypi\.dou" r"ban",
    "a path of somebody's machine": r"(?<![\w.$}])/(ro" r"ot|Us" r"ers|wo" r"rk|ho" r"me/[a-z]\w*)/",
}
MARKDOWN = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def room(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return parts[0]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def docstring_lines(module: ast.Module) -> set[int]:
    """Lines of every docstring, those below an attribute included."""
    lines: set[int] = set()
    for node in ast.walk(module):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def code_lines(path: Path) -> int:
    text = path.read_text(encoding="utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    empty = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    lines = {
        line
        for token in tokens
        if token.type not in empty
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(lines - docstring_lines(tree(path)))


def tracked_files() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git clone, so what is tracked is not known")
    names = subprocess.run(
        [git, "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [path for name in names.split("\0") if name and (path := ROOT / name).is_file()]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_modules_are_of_a_size_one_can_read() -> None:
    sizes = {relative(path): code_lines(path) for path in MODULES if path not in DECLARATIONS}
    too_long = {where: lines for where, lines in sizes.items() if lines > MAX_CODE_LINES}
    assert not too_long, "cut them along their responsibilities"


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and length of every function's body, in lines."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield node.name, (node.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_functions_fit_on_a_screen() -> None:
    found = [(relative(path), name, lines) for path in MODULES for name, lines in functions(path)]
    assert not [row for row in found if row[2] > MAX_BODY_LINES]


def test_every_module_says_what_it_is_for() -> None:
    assert not [
        relative(path) for path in MODULES if path.stat().st_size and not ast.get_docstring(tree(path))
    ]


def test_modules_are_named_after_what_they_hold() -> None:
    names = {relative(path): path.stem for path in MODULES}
    assert not [where for where, name in names.items() if any(banned in name for banned in BANNED_NAMES)]


def test_a_library_has_one_home() -> None:
    used = {(name, relative(path)) for path in MODULES for name in imports(path) if name in HOMES}
    assert not [(name, where) for name, where in used if room(ROOT / where) not in HOMES[name]]


def test_nothing_tracked_names_a_registry_or_a_machine() -> None:
    patterns = {what: re.compile(pattern) for what, pattern in FORBIDDEN_TEXT.items()}
    found = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # a model or a recording
            continue
        found += [
            f"{relative(path)}: {what}: {match[0]}"
            for what, p in patterns.items()
            for match in p.finditer(text)
        ]
    assert not found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(name: str) -> set[str]:
    """Lines of one file of pins."""
    return set((ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines())


def test_pins_are_exact_and_the_same_for_everybody() -> None:
    pin = re.compile(r"^[A-Za-z0-9._-]+==[\w.!+]+( ; .+)?$")
    assert not [line for line in pins("dev") if not pin.match(line)]
    versions = {name: {line.split(" ;")[0] for line in pins(name)} for name in ("server", "dev")}
    assert versions["server"] <= versions["dev"], "make pins writes both"


def test_every_dependency_is_pinned() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        told = tomllib.load(file)
    project, extras = told["project"], told["project"]["optional-dependencies"]
    wanted = {
        "server": project["dependencies"] + extras["server"],
        "dev": [line for extra in extras.values() for line in extra] + told["dependency-groups"]["dev"],
    }
    for name, lines in wanted.items():
        pinned = {normal(pin.split("==")[0]) for pin in pins(name)}
        assert {normal(re.split(r"[^\w.-]", line)[0]) for line in lines} <= pinned, "run: make pins"


def test_every_data_file_is_packaged() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        patterns = tomllib.load(file)["tool"]["setuptools"]["package-data"]["lumi"]
    data = [path for path in tracked_files() if SOURCE in path.parents and path.suffix != ".py"]
    assert data
    assert not [relative(path) for path in data if not any(path.match(pattern) for pattern in patterns)]


def test_importing_lumi_loads_no_server_and_no_model_runtime() -> None:
    heavy = (
        "lumi.server",
        "lumi.engines",
        "lumi.voice",
        "aiohttp",
        "numpy",
        "onnxruntime",
        "soxr",
        "pydantic",
        "uvloop",
    )
    program = f"import sys, lumi, lumi.protocol; print([name for name in {heavy!r} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert out.strip() == "[]"


def hop_table(page: Path) -> list[list[str]]:
    """Rows of the page's table of nine hops: number, hop, where, …"""
    rows = re.findall(
        r"^\| (\d) \| (.+?) \| (.+?) \| (.+?) \|$", page.read_text(encoding="utf-8"), re.MULTILINE
    )
    return [list(row) for row in rows]


def test_the_nine_hops_are_where_the_docs_say() -> None:
    rows = hop_table(ROOT / "docs" / "design.md")
    assert [int(row[0]) for row in rows] == list(range(1, 10))
    for _, _, where, _ in rows:
        folder = SOURCE
        for name in re.findall(r"`([^`]+)`", where):
            path = SOURCE / name if "/" in name else folder / name
            assert path.exists(), f"docs/design.md: {name} is not there"
            folder = path if path.is_dir() else path.parent


def test_every_module_is_drawn() -> None:
    """But for the commands, one module each, of which the drawing says just that."""
    drawn = set(re.findall(r"\w+(?:-worklet)?", (ROOT / "docs" / "design.md").read_text(encoding="utf-8")))
    modules = [path for kind in ("py", "js") for path in SOURCE.rglob(f"*.{kind}")]
    rooms = [path for path in modules if path.parent != SOURCE / "commands" and not path.name.startswith("_")]
    assert len(rooms) > 300
    assert [str(path.relative_to(SOURCE)) for path in rooms if path.stem not in drawn] == []


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_readmes_tell_the_same_road(name: str) -> None:
    design = {row[0]: re.findall(r"`([^`]+)`", row[2]) for row in hop_table(ROOT / "docs" / "design.md")}
    readme = {row[0]: re.findall(r"`([^`]+)`", row[2]) for row in hop_table(ROOT / name)}
    assert readme == design
