"""The flight recorder: writes down what goes over the wire of sessions whose device is to be recorded.

    line ──▶ tape ──▶ waiting (bounded) ──▶ a thread: unframe, mask, encode, append      every quarter of a second

On the loop a frame costs one append to a list. What does not fit into `WAITING_BYTES` is dropped, the newest first, and
the file says how many frames are missing: a slow disk costs the recording, never the talk. Secrets are masked, and of
what a connection shows only the parts that decide how it is served are kept.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from lumi.audio.format import AudioFormat
from lumi.errors import FrameError, StoreError
from lumi.protocol.frames import Framing, unpack
from lumi.protocol.handshake import Agreement
from lumi.protocol.messages import ClientHello, Metrics
from lumi.server.log import SECRETS, Subject, logger
from lumi.store import recordings
from lumi.store.recordings import Header, Line, Recordings, SoundFormat
from lumi.transport.base import LinkInfo

FLUSH_S = 0.25
"""A crash costs no more than this."""

WAITING_BYTES = 8 * 1024 * 1024
"""Half a minute of a hundred talking devices."""

HEADERS = ("user-agent", "origin", "protocol-version", "device-id")
QUERY = ("from", "device-id")
"""By these a client's profile, framing and name are found; everything else may be a secret."""

MASK = "***"

MAKES_NO_SENSE = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
"""What comes of reading or writing JSON that is none, or too deep, or of numbers and characters that cannot be written."""

log = logger(Subject.STORE)


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """Bounds, of one file and of the folder."""

    file_bytes: int = 64 * 1024 * 1024
    folder_bytes: int = 1024 * 1024 * 1024


@dataclass(slots=True)
class _Reel:
    """One session's file."""

    header: Header
    started_at: float | None = None
    """As the file has it, once it is open: a session may have begun before this server did."""
    lost: int = 0
    full: bool = False


class Recorded(Protocol):
    """A session, as far as it matters here."""

    @property
    def id(self) -> str: ...

    @property
    def device_id(self) -> str: ...


class Tape:
    """What one connection hands to the recorder; nothing here waits."""

    def __init__(self, recorder: Recorder, reel: _Reel, framing: Framing, at: float) -> None:
        self._recorder = recorder
        self._reel = reel
        self._framing = framing
        self._loop = asyncio.get_running_loop()
        self._offset_s = at - self._loop.time()

    def came(self, frame: str | bytes) -> None:
        """The client has sent a frame."""
        self._put(self._received, frame, len(frame))

    def went(self, frame: str | bytes) -> None:
        """The client is sent a frame."""
        self._put(self._sent, frame, len(frame))

    def opened(self, info: LinkInfo, agreement: Agreement, *, resumed: bool) -> None:
        self._put(lambda at_ms, _: _opened(at_ms, info, agreement, resumed=resumed), None)

    def hello(self, hello: ClientHello, agreement: Agreement) -> None:
        """The connection's first hello came, and this was agreed on."""
        self.came(msgspec.json.encode(hello).decode())
        self.agreed(agreement)

    def agreed(self, agreement: Agreement) -> None:
        """A hello is about to be answered."""
        self._put(lambda at_ms, _: _agreed(at_ms, agreement), None)

    def turn_ended(self, metrics: Metrics) -> None:
        """The stages of a spoken turn."""
        turn_id, stages = metrics.turn_id, dict(metrics.stages)
        self._put(lambda at_ms, _: recordings.Turn(at_ms=at_ms, turn_id=turn_id, stages_ms=stages), None)

    def closed(self, code: int, reason: str) -> None:
        self._put(lambda at_ms, _: recordings.Closed(at_ms=at_ms, code=code, reason=reason), None)

    def _put(self, make: Callable[[float, Any], Line], frame: str | bytes | None, size: int = 64) -> None:
        self._recorder.put(_Waiting(self._reel, self._loop.time() + self._offset_s, make, frame), size)

    def _received(self, at_ms: float, frame: str | bytes) -> Line:
        content = self._plain(frame)
        if content is None:
            return recordings.Unreadable(at_ms=at_ms, size=len(frame))
        if isinstance(content, dict):
            return recordings.FromClient(at_ms=at_ms, message=content)
        packet, timestamp_ms = content
        return recordings.ClientPacket(at_ms=at_ms, packet=packet, timestamp_ms=timestamp_ms)

    def _sent(self, at_ms: float, frame: str | bytes) -> Line:
        content = self._plain(frame)
        if content is None:
            return recordings.Unreadable(at_ms=at_ms, size=len(frame))
        if isinstance(content, dict):
            return recordings.FromServer(at_ms=at_ms, message=content)
        return recordings.ServerPacket(at_ms=at_ms, packet=content[0])

    def _plain(self, frame: str | bytes) -> dict[str, Any] | tuple[bytes, int] | None:
        """A message, or a packet and its timestamp; None: neither."""
        try:
            found = frame if isinstance(frame, str) else unpack(self._framing, frame)
            if isinstance(found, str):
                message = msgspec.json.decode(found)
                return masked(message) if isinstance(message, dict) else None
        except (FrameError, *MAKES_NO_SENSE):
            return None
        return found.payload, found.timestamp_ms


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A frame on its way into the file."""

    reel: _Reel
    at: float
    make: Callable[[float, Any], Line]
    frame: str | bytes | None


class Recorder:
    """Owns what waits to be written; `run` writes it.

    Args:
        files: where recordings are kept.
        wanted: whether a device is recorded; asked once for each connection.
        wall_clock: UNIX seconds.
        version: of this server.
        settings: bounds.
    """

    def __init__(
        self,
        files: Recordings,
        wanted: Callable[[str], bool],
        wall_clock: Callable[[], float],
        version: str,
        settings: RecorderSettings | None = None,
    ) -> None:
        self.files = files
        self._wanted = wanted
        self._wall_clock = wall_clock
        self._version = version
        self._settings = settings or RecorderSettings()
        self._waiting: list[_Waiting] = []  # bounded by `WAITING_BYTES`
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._something = asyncio.Event()

    def begin(
        self, session: Recorded, info: LinkInfo, hello: ClientHello, agreement: Agreement, *, resumed: bool
    ) -> Tape | None:
        """A tape for a new connection of a session; None: its device is not recorded."""
        if not self._wanted(session.device_id):
            return None
        now = self._wall_clock()
        header = Header(
            session_id=session.id,
            device_id=session.device_id,
            started_at=now,
            server_version=self._version,
        )
        tape = Tape(self, _Reel(header), agreement.framing, now)
        tape.opened(info, agreement, resumed=resumed)
        tape.hello(hello, agreement)
        log.info("recording", session=session.id, device=session.device_id)
        return tape

    def wants(self, device_id: str) -> bool:
        """Whether a device is recorded, as things stand."""
        return self._wanted(device_id)

    def put(self, item: _Waiting, size: int) -> None:
        """Take what a tape hands over."""
        if self._waiting_bytes + size > WAITING_BYTES:
            item.reel.lost += 1
            return
        self._waiting_bytes += size
        self._waiting.append(item)
        self._something.set()

    async def run(self) -> None:
        """For ever: write what waits."""
        try:
            while True:
                await self._something.wait()
                await asyncio.sleep(FLUSH_S)
                await self.flush()
        finally:
            self._write(self._take())

    async def flush(self) -> None:
        """Write what waits now."""
        await asyncio.to_thread(self._write, self._take())

    def _take(self) -> list[_Waiting]:
        batch, self._waiting = self._waiting, []
        self._waiting_bytes = 0
        self._something.clear()
        return batch

    def _write(self, batch: list[_Waiting]) -> None:
        """In a thread, one batch after the other: what belongs to one file goes there at once."""
        with self._lock:
            self._write_all(batch)

    def _write_all(self, batch: list[_Waiting]) -> None:
        by_reel: dict[int, list[_Waiting]] = {}
        for item in batch:
            by_reel.setdefault(id(item.reel), []).append(item)
        for items in by_reel.values():
            reel = items[0].reel
            if reel.full:
                continue
            try:
                self._append(reel, items)
            except (StoreError, OSError) as error:
                reel.full = True
                log.warning("recording ended", session=reel.header.session_id, error=str(error))

    def _append(self, reel: _Reel, items: list[_Waiting]) -> None:
        session_id, data = reel.header.session_id, b""
        if reel.started_at is None:
            data, reel.started_at = self._open(reel)
        elif not self.files.path(session_id).is_file():
            reel.full = True  # it was deleted meanwhile: whoever did that wants no more of it
            return
        last_ms = _at_ms(reel, items[-1])
        data += b"".join(_encoded(reel, item) for item in items)
        if reel.lost:
            data += recordings.encoded(recordings.Lost(at_ms=last_ms, frames=reel.lost))
            log.warning("the recording has gaps", session=session_id, frames=reel.lost)
            reel.lost = 0
        size = self.files.append(session_id, data)
        if size > self._settings.file_bytes:
            reel.full = True
            self.files.append(session_id, recordings.encoded(recordings.Full(at_ms=last_ms)))
            log.warning("recording full", session=session_id, size_bytes=size, setting="recorder.file_mb")

    def _open(self, reel: _Reel) -> tuple[bytes, float]:
        """What the file begins with, and when it began."""
        known = self.files.header(reel.header.session_id)
        if known is not None:
            return b"", known.started_at
        self.files.forget(0.0, self._settings.folder_bytes)
        return recordings.encoded(reel.header), reel.header.started_at


def _encoded(reel: _Reel, item: _Waiting) -> bytes:
    at_ms = _at_ms(reel, item)
    try:
        return recordings.encoded(item.make(at_ms, item.frame))
    except MAKES_NO_SENSE:
        return recordings.encoded(recordings.Unreadable(at_ms=at_ms, size=len(item.frame or b"")))


def _at_ms(reel: _Reel, item: _Waiting) -> float:
    return round((item.at - (reel.started_at or 0.0)) * 1000, 1)


def masked(value: Any) -> Any:
    """A message without what lets somebody in."""
    if isinstance(value, Mapping):
        return {
            key: MASK if _secret(key) and isinstance(one, str | list) else masked(one)
            for key, one in value.items()
        }
    return [masked(one) for one in value] if isinstance(value, list) else value


def _secret(key: str) -> bool:
    return any(word in key.lower().replace("-", "_") for word in SECRETS)


def _opened(at_ms: float, info: LinkInfo, agreement: Agreement, *, resumed: bool) -> Line:
    return recordings.Opened(
        at_ms=at_ms,
        path=info.path,
        headers={name: info.headers[name] for name in HEADERS if name in info.headers},
        query={name: info.query[name] for name in QUERY if name in info.query},
        dialect=agreement.dialect.value,
        framing=agreement.framing.value,
        client=agreement.client.name,
        resumed=resumed,
    )


def _agreed(at_ms: float, agreement: Agreement) -> Line:
    return recordings.Agreed(
        at_ms=at_ms, uplink=_format(agreement.uplink), downlink=_format(agreement.downlink)
    )


def _format(audio: AudioFormat) -> SoundFormat:
    return SoundFormat(audio.codec.value, audio.sample_rate_hz, audio.frame_ms)
