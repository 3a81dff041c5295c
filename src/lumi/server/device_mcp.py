"""A device's own tools over `mcp` messages: the server opens, asks for the list page by page, and calls.

closed ──granted──▶ asking ──last page──▶ known          once per session: what is known stays known over any number
   ▲                  │                                  of connections
   └──link lost, or no answer (tried again with the next link)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum

from lumi.protocol import mcp
from lumi.protocol.json_rpc import Json, Result
from lumi.protocol.mcp import ListedTool, VisionAccess
from lumi.server.device_rpc import Answer, DeviceRpc
from lumi.server.log import Subject, logger

MAX_TOOLS = 128
"""More than a model can choose from; a device that lists more is cut short here."""
MAX_PAGES = 64

CHANGED = "notifications/tools/list_changed"

log = logger(Subject.SESSION)


class Stage(StrEnum):
    CLOSED = "closed"
    ASKING = "asking"
    KNOWN = "known"


class DeviceMcp:
    """The MCP client of one session. It says nothing before `begin`, and never a `notifications/…` of its own.

    Args:
        session_id: for the log.
        rpc: calls the device.
        version: the server's own.
        vision: where a camera board sends pictures, asked when MCP opens.
    """

    def __init__(
        self, session_id: str, rpc: DeviceRpc, version: str, vision: Callable[[], VisionAccess | None]
    ) -> None:
        self._session_id = session_id
        self._rpc = rpc
        self._version = version
        self._vision = vision
        self._listed: dict[str, ListedTool] = {}
        self._pages = 0
        self.stage = Stage.CLOSED
        self.tools: tuple[ListedTool, ...] = ()
        """What the device has; of a list that is still coming, nothing yet."""
        self._settled: asyncio.Event | None = None
        self._began_at = 0.0
        self._round = 0  # answers to what an earlier round asked mean nothing any more

    def begin(self) -> None:
        """MCP is granted and the device is there: open, unless that was done."""
        if self.stage is not Stage.CLOSED:
            return
        self._start_asking()
        self._settled = asyncio.Event()
        self._began_at = asyncio.get_running_loop().time()
        self._then("initialize", mcp.initialize(self._version, self._vision()), self._opened)

    def detach(self) -> None:
        """The link is gone: a list that was coming is asked for again over the next one."""
        if self.stage is Stage.ASKING:
            self._settle(Stage.KNOWN if self.tools else Stage.CLOSED)

    def changed(self) -> None:
        """The device says that it has other tools now; the old ones hold until the new list is complete."""
        if self.stage is Stage.KNOWN:
            self._start_asking()
            self._list()

    async def settled(self, within_s: float) -> None:
        """Return when the list is known, or `within_s` after it was first asked for."""
        if self._settled is None:
            return
        try:
            async with asyncio.timeout_at(self._began_at + within_s):
                await self._settled.wait()
        except TimeoutError:
            return

    def call(self, name: str, arguments: Json) -> asyncio.Future[Answer]:
        """Call a tool by its own name."""
        return self._rpc.ask("tools/call", {"name": name, "arguments": arguments})

    def _start_asking(self) -> None:
        self.stage = Stage.ASKING
        self._round += 1

    def _opened(self, _: Json) -> None:
        self._list()

    def _list(self) -> None:
        self._listed, self._pages = {}, 0
        self._ask_page("")

    def _ask_page(self, cursor: str) -> None:
        self._pages += 1
        self._then("tools/list", {"cursor": cursor} if cursor else {}, self._page)

    def _page(self, value: Json) -> None:
        page = mcp.read_page(value)
        for tool in page.tools:
            if len(self._listed) < MAX_TOOLS or tool.name in self._listed:
                self._listed[tool.name] = tool
        full = len(self._listed) >= MAX_TOOLS or self._pages >= MAX_PAGES
        if page.next_cursor and not full:
            self._ask_page(page.next_cursor)
            return
        if page.next_cursor:
            log.warning(
                "device lists too many tools",
                session=self._session_id,
                kept=len(self._listed),
                pages=self._pages,
            )
        self.tools, self._listed = tuple(self._listed.values()), {}
        log.info("device tools", session=self._session_id, tools=[tool.name for tool in self.tools])
        self._settle(Stage.KNOWN)

    def _then(self, method: str, params: Json, step: Callable[[Json], None]) -> None:
        """Ask, and take the next step with what comes back."""
        round_ = self._round

        def answered(future: asyncio.Future[Answer]) -> None:
            answer = future.result()
            if self.stage is not Stage.ASKING or round_ != self._round:
                return  # the link broke meanwhile
            if isinstance(answer, Result):
                step(answer.value)
                return
            log.warning("no tools from this device", session=self._session_id, method=method, answer=answer)
            self._settle(Stage.KNOWN if self.tools else Stage.CLOSED)

        self._rpc.ask(method, params).add_done_callback(answered)

    def _settle(self, stage: Stage) -> None:
        self.stage = stage
        if self._settled is not None:
            self._settled.set()
