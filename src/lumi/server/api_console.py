"""`/api/v1`: what the operator's view at `/console` shows. All of it asks for the admin token, and none of it waits long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from lumi.audio.format import AudioFormat
from lumi.config import Config
from lumi.config.explained import explained
from lumi.server.admin import HEADERS, Admin, failure, success
from lumi.server.console_records import (
    EngineRecord,
    Live,
    LoadSamples,
    ProblemList,
    RecordingList,
    RecordingRecord,
    SessionRecord,
    SettingList,
    SettingRecord,
)
from lumi.server.load_history import EVERY_S
from lumi.server.observation import Observation
from lumi.server.recorder import Recorder
from lumi.server.registry import DeviceRegistry
from lumi.server.session import Session
from lumi.server.session_manager import Entry, SessionManager

BASE = "/api/v1"
LINES = "application/x-ndjson"

Engines = Callable[[], Mapping[str, list[dict[str, Any]]]]


@dataclass(frozen=True, slots=True)
class Sights:
    """What is looked at; the functions give what holds now."""

    observation: Observation
    sessions: SessionManager
    recorder: Recorder
    config: Callable[[], Config]
    health: Callable[[], str]
    engines: Engines


class ConsoleApi:
    """Handlers over what is there to be seen."""

    def __init__(self, sights: Sights, admin: Admin, registry: DeviceRegistry, version: str) -> None:
        self._sights = sights
        self._admin = admin
        self._registry = registry
        self._version = version

    def routes(self) -> list[web.RouteDef]:
        """To be served before the devices' ones, which answer for what is not there."""
        guarded, one = self._admin.guarded, f"{BASE}/recordings/{{id}}"
        return [
            web.get(f"{BASE}/live", guarded(self._live)),
            web.get(f"{BASE}/load", guarded(self._load)),
            web.get(f"{BASE}/problems", guarded(self._problems)),
            web.get(f"{BASE}/settings", guarded(self._settings)),
            web.get(f"{BASE}/recordings", guarded(self._recordings)),
            web.get(one, guarded(self._recording)),
            web.delete(one, guarded(self._delete)),
        ]

    async def _live(self, request: web.Request) -> web.Response:
        after = _number(request, "after")
        if after is None:
            return _no_number("after")
        seen = self._sights.observation
        return success(
            Live(
                at=seen.now,
                version=self._version,
                started_at=seen.started_at,
                health=self._sights.health(),
                sessions=tuple(self._sessions()),
                running_turns=seen.turns.running,
                turn_count=seen.turns.count,
                turns=tuple(seen.turns.after(int(after))),
                engines=tuple(self._engines()),
                problem_count=seen.problems.count,
                load=seen.load.last,
            )
        )

    def _sessions(self) -> Iterator[SessionRecord]:
        now = asyncio.get_running_loop().time()
        for entry in self._sights.sessions:
            session = entry.session
            if isinstance(session, Session):
                agreed = session.agreement
                yield SessionRecord(
                    id=session.id,
                    device_id=session.device_id,
                    device_name=device.name if (device := self._registry.get(session.device_id)) else "",
                    client=agreed.client.name,
                    dialect=agreed.dialect.value,
                    uplink=_sound(agreed.uplink),
                    downlink=_sound(agreed.downlink),
                    phase=_phase(entry, session),
                    age_s=round(now - entry.since, 1),
                    recorded=self._sights.recorder.wants(session.device_id),
                )

    def _engines(self) -> Iterator[EngineRecord]:
        for kind, engines in self._sights.engines().items():
            for one in engines:
                trouble = str(one["last_trouble"] or "")
                yield EngineRecord(
                    kind=kind,
                    name=str(one["name"]),
                    state=str(one["state"]),
                    last_trouble=trouble,
                    retry_s=one["retry_s"],
                )

    async def _load(self, request: web.Request) -> web.Response:
        after = _number(request, "after")
        if after is None:
            return _no_number("after")
        return success(LoadSamples(EVERY_S, tuple(self._sights.observation.load.after(after))))

    async def _problems(self, _: web.Request) -> web.Response:
        return success(ProblemList(tuple(self._sights.observation.problems.all())))

    async def _settings(self, _: web.Request) -> web.Response:
        found = await asyncio.to_thread(lambda: list(explained(self._sights.config())))
        return success(SettingList(tuple(SettingRecord(**asdict(one)) for one in found)))

    async def _recordings(self, _: web.Request) -> web.Response:
        return success(RecordingList(tuple(await asyncio.to_thread(self._listed))))

    def _listed(self) -> list[RecordingRecord]:
        found = []
        for path, header in self._sights.recorder.files.all():
            try:
                status = path.stat()
            except OSError:  # deleted meanwhile
                continue
            found.append(
                RecordingRecord(
                    session_id=header.session_id,
                    device_id=header.device_id,
                    started_at=header.started_at,
                    ended_at=status.st_mtime,
                    size_bytes=status.st_size,
                )
            )
        return found

    async def _recording(self, request: web.Request) -> web.StreamResponse:
        """The file itself, with what waited to be written."""
        recorder, session_id = self._sights.recorder, request.match_info["id"]
        await recorder.flush()
        if not await asyncio.to_thread(recorder.files.has, session_id):
            return _no_recording(session_id)
        return web.FileResponse(recorder.files.path(session_id), headers=HEADERS | {"Content-Type": LINES})

    async def _delete(self, request: web.Request) -> web.Response:
        session_id = request.match_info["id"]
        if not await asyncio.to_thread(self._sights.recorder.files.delete, session_id):
            return _no_recording(session_id)
        return web.Response(status=204)


def _phase(entry: Entry, session: Session) -> str:
    if entry.left_at is not None:
        return "away"
    if session.speaking:
        return "answering"
    return "listening" if session.audio_busy else "idle"


def _sound(audio: AudioFormat) -> str:
    return f"{audio.codec} {audio.sample_rate_hz} Hz"


def _number(request: web.Request, name: str) -> float | None:
    """A number of the query, 0 where it is not given; None: it is none, or below 0."""
    try:
        found = float(request.query.get(name, "0"))
    except ValueError:
        return None
    return min(found, 1e15) if found >= 0.0 else None


def _no_number(name: str) -> web.Response:
    return failure(
        422,
        "bad_request",
        f"{name} is no number from 0 up; give the number of the last one you have, or nothing",
    )


def _no_recording(session_id: str) -> web.Response:
    return failure(404, "unknown_recording", f"there is no recording of a session {session_id!r}")
