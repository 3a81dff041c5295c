"""What a turn has done is not done again, also if the turn is said again after a crash.

An act is a tool and its arguments, and where a model calls for the same several times in one answer, which of these it is.

An act is kept in the store before it is done, and its result after. Of an act that was begun and never finished nobody
knows whether it was done: the model is told so, and it is not done again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

import msgspec
import structlog

from lumi.engines.base import Speaker, ToolResult
from lumi.errors import StoreError, ToolError, ToolUnanswered
from lumi.store.base import Act, ActStore

UNKNOWN = ToolResult(
    "This was begun before and nobody knows whether it was done. It is not tried again: tell the user so, "
    "and let them look, or ask for it once more.",
    failed=True,
)

log = structlog.get_logger("lumi.tools")

Key = tuple[str, str, str]


class Once:
    """One for the whole server: a chat that is said again over another connection comes here too."""

    def __init__(self, store: ActStore, wall_clock: Callable[[], float]) -> None:
        self._store = store
        self._wall_clock = wall_clock
        self._going: dict[Key, asyncio.Future[None]] = {}  # bounded by the calls that are going on

    async def do(
        self,
        speaker: Speaker,
        tool: str,
        arguments: str,
        act: Callable[[], Awaitable[ToolResult]],
        *,
        nth: int = 0,
    ) -> tuple[ToolResult, bool]:
        """The result of `act`, and whether it is that of an earlier time. A turn without an id is always done.

        Raises:
            ToolError: as `act`; then it was not done, and may be tried again, unless it is `ToolUnanswered`.
        """
        if not speaker.turn_id:
            return await act(), False
        named = f"{tool}\0{arguments}" + (f"\0{nth}" if nth else "")
        digest = hashlib.blake2b(named.encode(), digest_size=16).hexdigest()
        key = (speaker.device_id or speaker.session_id, speaker.turn_id, digest)
        while (going := self._going.get(key)) is not None:
            await going
        done = self._going[key] = asyncio.get_running_loop().create_future()
        try:
            return await self._do(Act(*key, self._wall_clock()), act)
        finally:
            del self._going[key]
            done.set_result(None)

    async def _do(self, act: Act, do: Callable[[], Awaitable[ToolResult]]) -> tuple[ToolResult, bool]:
        try:
            known = await self._store.begin(act)
        except StoreError as error:  # rather done without a safety net than not at all
            log.warning("act not kept", error=str(error))
            return await do(), False
        if known is not None:
            return UNKNOWN if known.result is None else _result(known.result), True
        try:
            result = await do()
        except ToolUnanswered:
            raise
        except ToolError:
            await self._safely(self._store.drop(act))
            raise
        if result.failed:
            await self._safely(self._store.drop(act))
        else:
            await self._safely(self._store.finish(replace(act, result=msgspec.json.encode(result))))
        return result, False

    @staticmethod
    async def _safely(work: Awaitable[None]) -> None:
        try:
            await work
        except StoreError as error:
            log.warning("act not kept", error=str(error))


def _result(payload: bytes) -> ToolResult:
    return msgspec.json.decode(payload, type=ToolResult)
