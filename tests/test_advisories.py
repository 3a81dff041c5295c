"""What is pinned, and what may be installed, has no hole that `requirements/advisories.toml` knows of."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PINS = ("requirements/server.txt", "requirements/dev.txt")
LIST: dict[str, Any] = tomllib.loads((ROOT / "requirements/advisories.toml").read_text(encoding="utf-8"))
ID = re.compile(r"CVE-\d{4}-\d{4,}|GHSA(-[23456789cfghjmpqrvwx]{4}){3}|PYSEC-\d{4}-\d+")


@dataclass(frozen=True, slots=True)
class Advisory:
    package: str
    ids: tuple[str, ...]
    affected: tuple[SpecifierSet, ...]
    fixed: Version
    what: str

    def hits(self, version: Version) -> bool:
        return any(affected.contains(version, prereleases=True) for affected in self.affected)


ADVISORIES = [
    Advisory(
        one["package"],
        tuple(one["ids"]),
        tuple(map(SpecifierSet, one["affected"])),
        Version(one["fixed"]),
        one["what"],
    )
    for one in LIST["advisory"]
]


def versions(lines: Iterable[str], operator: str) -> Iterator[tuple[str, Version]]:
    """Packages and the versions that `==` or `>=` names."""
    for line in lines:
        wanted = Requirement(line)
        for found in wanted.specifier:
            if found.operator == operator:
                yield canonicalize_name(wanted.name), Version(found.version)


def holes(found: Iterable[tuple[str, Version]], where: str) -> list[str]:
    """Each with the package, its version, the advisory, and the mend."""
    return [
        f"{where}: {package} {version} has a known hole ({', '.join(one.ids)}: {one.what}); "
        f"mend: {package}>={one.fixed}, then scripts/pin.sh"
        for package, version in found
        for one in ADVISORIES
        if one.package == package and one.hits(version)
    ]


def pins(name: str) -> list[tuple[str, Version]]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return list(versions(lines, "=="))


@pytest.mark.parametrize("name", PINS)
def test_nothing_that_is_pinned_has_a_known_hole(name: str) -> None:
    assert len(pins(name)) > 50
    assert holes(pins(name), name) == []


def test_nor_has_the_oldest_version_of_what_may_be_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    wanted += [line for extra in extras.values() for line in extra]
    assert holes(versions(wanted, ">="), "pyproject.toml") == []


def test_a_pin_with_a_hole_is_told_with_the_mend() -> None:
    (told,) = holes(versions(["aiohttp==3.14.2 ; python_version < '4'"], "=="), "requirements/server.txt")
    assert told == (
        "requirements/server.txt: aiohttp 3.14.2 has a known hole (CVE-2026-69244, GHSA-cq5v-8q36-5273: the parser "
        "reads beyond its buffer where it makes an error's message); mend: aiohttp>=3.14.3, then scripts/pin.sh"
    )


@pytest.mark.parametrize(
    ("version", "ids"),
    [("6.33.4", ["CVE-2026-0994"]), ("6.33.5", []), ("5.29.6", []), ("5.29.5", ["CVE-2026-0994"])],
)
def test_a_range_may_have_gaps(version: str, ids: list[str]) -> None:
    found = [one.ids[0] for one in ADVISORIES if one.package == "protobuf" and one.hits(Version(version))]
    assert found == ids


@pytest.mark.parametrize("one", ADVISORIES, ids=lambda one: one.ids[0])
def test_each_advisory_makes_sense(one: Advisory) -> None:
    assert one.package == canonicalize_name(one.package)
    assert one.package in {package for name in PINS for package, _ in pins(name)}, "no longer pinned: drop it"
    assert all(ID.fullmatch(name) for name in one.ids)
    assert one.what
    assert not one.hits(one.fixed)


def test_the_list_says_when_it_was_made_and_names_each_id_once() -> None:
    assert isinstance(LIST["checked"], date)
    ids = [name for one in ADVISORIES for name in one.ids]
    assert len(ids) == len(set(ids))
