"""The HTTP API against its own description: a real server, generated requests, with the admin token and without it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import ignored_auth
from tests.flows.scripted import scripted_lumi

from lumi.config import Config
from lumi.config.serving import LogSettings, ServerSettings, StoreSettings
from lumi.server.openapi import document
from lumi.server.secret_file import ADMIN_TOKEN, SecretFile

pytestmark = pytest.mark.real

KNOWN = ("aa:bb", "厨房", "a/b")
"""Devices that are there whatever was asked before."""

SELDOM = (
    "POST /api/v1/pairings",
    "DELETE /api/v1/pushes/{id}",
    "GET /api/v1/recordings/{id}",
    "DELETE /api/v1/recordings/{id}",
)
"""Nobody guesses a code, or the id of a message or of a recording."""

EXAMPLES = 5
"""Of each operation, so many that are as described and so many that are not; each with the token and without."""

ACCEPTED = "Schema-violating request accepted"
"""Nothing to complain of where the request is wrong by a name in its query that nobody knows: such names are passed over."""


@dataclass(slots=True)
class Campaign:
    """Asks as a description has it; notes what came, and what was not as described."""

    base: str
    token: str
    line: requests.Session
    seen: dict[str, Counter[int]] = field(default_factory=dict)
    complaints: set[str] = field(default_factory=set)

    def run(self, described: dict[str, Any], only: str = "") -> None:
        schema: Any = schemathesis.openapi.from_dict(described)
        for found in schema.get_all_operations():
            operation = found.ok()
            if only in {"", operation.label}:
                self.seen[operation.label] = Counter()
                told = len(operation.body) + len(operation.query)  # else there is nothing that could be wrong
                for mode in GenerationMode if told else [GenerationMode.POSITIVE]:
                    self._make_known()
                    self._try(operation, mode)

    def _make_known(self) -> None:
        for device_id in KNOWN:
            device = f"{self.base}/api/v1/devices/{quote(device_id, safe='')}"
            headers = {"Authorization": f"Bearer {self.token}"}
            for method, url in (("DELETE", device), ("POST", f"{device}/token")):
                try:
                    urlopen(Request(url, method=method, headers=headers), timeout=5).close()
                except HTTPError as error:
                    error.close()
                    if method == "POST":
                        raise

    def _try(self, operation: Any, mode: GenerationMode) -> None:
        @hypothesis.settings(
            max_examples=EXAMPLES,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(operation.as_strategy(generation_mode=mode), st.sampled_from(["", *KNOWN]))
        def ask(case: Any, known: str) -> None:
            if known and "id" in case.path_parameters:
                case.path_parameters["id"] = quote(known, safe="")
            for shown in (self.token, ""):
                self._ask(case, operation, shown)

        ask()

    def _ask(self, case: Any, operation: Any, shown: str) -> None:
        label = operation.label
        headers = {"Authorization": f"Bearer {shown}"} if shown else {}
        answer = case.call(base_url=self.base, headers=headers, timeout=5, session=self.line)
        self.seen[label][answer.status_code] += 1
        if not shown and answer.status_code != 401:
            self.complaints.add(f"{label}: {answer.status_code} without the token")
        try:
            case.validate_response(answer, excluded_checks=[ignored_auth])
        except FailureGroup as group:
            found = {one.title for one in group.exceptions}
            if set(case.query) - {parameter.name for parameter in operation.query}:
                found.discard(ACCEPTED)
            self.complaints.update(f"{label}: {title}" for title in found)


async def campaign(folder: Path, described: dict[str, Any], only: str = "") -> Campaign:
    config = Config(
        server=ServerSettings(port=0, drain_s=0.5, data_dir=folder),
        store=StoreSettings(engine="memory"),
        log=LogSettings(file=False, level="error"),
    )
    token = SecretFile(folder / ADMIN_TOKEN).obtain()
    async with scripted_lumi(config) as server:
        with requests.Session() as line:
            made = Campaign(server.url.replace("ws", "http", 1).rstrip("/"), token, line)
            await asyncio.to_thread(made.run, described, only)
    return made


async def test_every_operation_does_what_it_is_described_to_do(tmp_path: Path) -> None:
    made = await campaign(tmp_path, document("1.2.3"))
    assert made.complaints == set()
    assert len(made.seen) > 15
    for label, seen in made.seen.items():
        assert seen[401] > 0, label
        assert {200, 204} & set(seen) or label in SELDOM, label
    assert made.seen["PATCH /api/v1/devices/{id}"][422] > 0
    assert made.seen["GET /api/v1/devices/{id}"][404] > 0


async def test_a_status_that_is_not_described_is_found_out(tmp_path: Path) -> None:
    described = document("1.2.3")
    del described["paths"]["/api/v1/devices/{id}"]["get"]["responses"]["404"]
    made = await campaign(tmp_path, described, "GET /api/v1/devices/{id}")
    assert made.complaints == {"GET /api/v1/devices/{id}: Undocumented status code"}


async def test_a_body_that_is_not_as_described_is_found_out(tmp_path: Path) -> None:
    described = document("1.2.3")
    described["components"]["schemas"]["DeviceRecord"]["properties"]["name"] = {"type": "integer"}
    made = await campaign(tmp_path, described, "GET /api/v1/devices")
    assert made.complaints == {"GET /api/v1/devices: Response violates schema"}
