"""Devices and their pairing codes in SQLite: the part of `SqliteStore` about who may come in."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Any

from lumi.store.base import PAIRING_ATTEMPTS, Device, DeviceState, PairingCode
from lumi.store.sqlite_thread import SqliteThread, Statement

_DEVICE = (
    "id, client_id, name, model, state, tokens_from, keyed, persona, language, voice, first_seen, last_seen"
)
_CODE = "code, device_id, client_id, challenge, expires_at, attempts"
_HOLDS = f"expires_at > ? AND attempts < {PAIRING_ATTEMPTS}"


def _nothing(_: sqlite3.Cursor) -> None:
    return None


def _count(cursor: sqlite3.Cursor) -> int:
    return cursor.rowcount


def _any(cursor: sqlite3.Cursor) -> bool:
    return cursor.rowcount > 0


def _made(row: tuple[Any, ...]) -> Device:
    device = Device(*row)
    return replace(device, state=DeviceState(device.state), keyed=bool(device.keyed))


def _device(cursor: sqlite3.Cursor) -> Device | None:
    row = cursor.fetchone()
    return None if row is None else _made(row)


def _devices(cursor: sqlite3.Cursor) -> tuple[Device, ...]:
    return tuple(_made(row) for row in cursor)


def _code(cursor: sqlite3.Cursor) -> PairingCode | None:
    rows = cursor.fetchall()  # to the end: a statement that gives rows back works while it is read
    return PairingCode(*rows[0]) if rows else None


_GET = Statement(
    "SELECT id, client_id, name, model, state, tokens_from, keyed, persona, language, voice, first_seen, last_seen "
    "FROM devices WHERE id = ?",
    _device,
    writes=False,
)
_SAVE = Statement(
    "INSERT OR REPLACE INTO devices (id, client_id, name, model, state, tokens_from, keyed, persona, language, voice, "
    "first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    _nothing,
    writes=True,
)
_ALL = Statement(
    "SELECT id, client_id, name, model, state, tokens_from, keyed, persona, language, voice, first_seen, last_seen "
    "FROM devices ORDER BY first_seen, id",
    _devices,
    writes=False,
)
_REMOVE = Statement("DELETE FROM devices WHERE id = ?", _any, writes=True)

_FREE_DIGITS = Statement(
    "DELETE FROM pairings WHERE code = ? AND NOT (expires_at > ? AND attempts < ?)", _nothing, writes=True
)
_ISSUE = Statement(
    "INSERT INTO pairings (code, device_id, client_id, challenge, expires_at, attempts) SELECT ?, ?, ?, ?, ?, ? "
    "WHERE NOT EXISTS (SELECT 1 FROM pairings WHERE code = ? AND (device_id, client_id) <> (?, ?)) "
    "ON CONFLICT (device_id, client_id) DO UPDATE SET code = excluded.code, "
    "challenge = excluded.challenge, expires_at = excluded.expires_at, attempts = excluded.attempts",
    _any,
    writes=True,
)
_OF = Statement(
    "SELECT code, device_id, client_id, challenge, expires_at, attempts FROM pairings "
    "WHERE device_id = ? AND client_id = ? AND expires_at > ? AND attempts < ?",
    _code,
    writes=False,
)
_TAKE = Statement(
    "DELETE FROM pairings WHERE code = ? AND expires_at > ? AND attempts < ? RETURNING code, device_id, client_id, challenge, expires_at, attempts",
    _code,
    writes=True,
)
_WRONG = Statement("UPDATE pairings SET attempts = attempts + 1 WHERE expires_at > ?", _nothing, writes=True)
_FORGET = Statement("DELETE FROM pairings WHERE expires_at < ?", _count, writes=True)


class SqliteDevices:
    def __init__(self, thread: SqliteThread) -> None:
        self._thread = thread

    async def get(self, device_id: str) -> Device | None:
        found: Device | None = await self._thread.do(_GET, device_id)
        return found

    async def save(self, device: Device) -> None:
        await self._thread.do(_SAVE, *astuple(device))

    async def all(self) -> Sequence[Device]:
        found: Sequence[Device] = await self._thread.do(_ALL)
        return found

    async def remove(self, device_id: str) -> bool:
        removed: bool = await self._thread.do(_REMOVE, device_id)
        return removed


class SqlitePairings:
    def __init__(self, thread: SqliteThread) -> None:
        self._thread = thread

    async def issue(self, code: PairingCode, now: float) -> bool:
        issue = (_ISSUE, (*astuple(code), code.code, code.device_id, code.client_id))
        issued: bool = await self._thread.do_all([(_FREE_DIGITS, (code.code, now, PAIRING_ATTEMPTS)), issue])
        return issued

    async def of(self, device_id: str, client_id: str, now: float) -> PairingCode | None:
        found: PairingCode | None = await self._thread.do(_OF, device_id, client_id, now, PAIRING_ATTEMPTS)
        return found

    async def take(self, code: str, now: float) -> PairingCode | None:
        found: PairingCode | None = await self._thread.do(_TAKE, code, now, PAIRING_ATTEMPTS)
        if found is None:
            await self._thread.do(_WRONG, now)
        return found

    async def forget_before(self, expires_at: float) -> int:
        gone: int = await self._thread.do(_FORGET, expires_at)
        return gone
