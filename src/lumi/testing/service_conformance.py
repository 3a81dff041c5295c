"""What every engine that asks an OpenAI-compatible service must make of that service's failures.

Subclass with `what` is asked for, a `make`, and a `use` that has the engine do its work once.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from lumi.errors import EngineError, Trouble
from lumi.testing.openai_faults import Fault
from lumi.testing.openai_server import OpenAiServer, What

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TROUBLES = {
    Fault.DROP: Trouble.UNREACHABLE,
    Fault.UNAUTHORIZED: Trouble.KEY_REFUSED,
    Fault.NO_MODEL: Trouble.UNKNOWN_MODEL,
    Fault.BUSY: Trouble.BUSY,
    Fault.NO_CREDIT: Trouble.NO_CREDIT,
    Fault.NO_BALANCE: Trouble.NO_CREDIT,
    Fault.OVERLOADED: Trouble.BUSY,
    Fault.BROKEN: Trouble.FAILED,
    Fault.PAGE: Trouble.GARBLED,
    Fault.GARBAGE: Trouble.GARBLED,
    Fault.SILENT: Trouble.SLOW,
    Fault.STALL: Trouble.SLOW,
    Fault.DROP_MIDDLE: Trouble.GARBLED,
    Fault.HALF: Trouble.GARBLED,
    Fault.ERROR_MIDDLE: Trouble.FAILED,
    Fault.GARBAGE_MIDDLE: Trouble.GARBLED,
}


class ServiceConformance:
    """Needs `what`, `make`, `use`.

    Attributes:
        what: kind of request that the engine makes.
        told_apart: other troubles for some faults, where this engine cannot tell them from something else.
        unnoticed: faults that bytes without a form do not show.
    """

    what: What
    told_apart: ClassVar[dict[Fault, Trouble]] = {}
    unnoticed: ClassVar[frozenset[Fault]] = frozenset()

    def make(self, **settings: Any) -> Any:
        """The engine, with `base_url`, `api_key`, `model` and options."""
        raise NotImplementedError

    async def use(self, engine: Any) -> object:
        """What the engine gives; true if it is something."""
        raise NotImplementedError

    @asynccontextmanager
    async def parts(
        self, *, timeout_s: float = 30.0, **script: Any
    ) -> AsyncIterator[tuple[OpenAiServer, Any]]:
        async with OpenAiServer(**script) as service:
            engine = self.make(base_url=service.base_url, timeout_s=timeout_s)
            await engine.start()
            try:
                yield service, engine
            finally:
                await engine.aclose()

    async def trouble(self, engine: Any) -> EngineError:
        with pytest.raises(EngineError) as caught:
            await self.use(engine)
        return caught.value

    @pytest.mark.parametrize("fault", TROUBLES)
    async def test_each_failure_is_told_by_kind_and_the_next_request_is_served(self, fault: Fault) -> None:
        if fault in self.unnoticed:
            return
        waited_for = Trouble.SLOW in (TROUBLES[fault], self.told_apart.get(fault))
        async with self.parts(timeout_s=1.0 if waited_for else 30.0) as (service, engine):
            service.break_(self.what, fault)
            error = await self.trouble(engine)
            assert error.trouble is self.told_apart.get(fault, TROUBLES[fault]), error
            assert error.engine == engine.name
            assert service.base_url in str(error)
            service.mend()
            assert await self.use(engine)

    async def test_what_is_to_be_changed_is_named(self) -> None:
        kind = {"chat": "llm", "transcriptions": "stt", "speech": "tts"}[self.what]
        async with self.parts() as (service, engine):
            for fault, setting in (
                (Fault.UNAUTHORIZED, "api_key"),
                (Fault.NO_MODEL, "model"),
                (Fault.NO_CREDIT, "api_key"),
                (Fault.NO_BALANCE, "api_key"),
                (Fault.DROP, "base_url"),
                (Fault.PAGE, "base_url"),
            ):
                service.break_(self.what, fault)
                assert f"{kind}.{setting}" in str(await self.trouble(engine))

    async def test_how_long_to_wait_is_passed_on(self) -> None:
        async with self.parts() as (service, engine):
            service.break_(self.what, Fault.BUSY)
            assert (await self.trouble(engine)).retry_after_s == 7.0
            assert len(service.of(self.what)) == 1, "a turn waits for nobody: it is not asked again"

    async def test_a_wrong_key_is_refused_and_not_said_back(self) -> None:
        async with OpenAiServer(key="right") as service:
            engine = self.make(base_url=service.base_url, api_key="wrong-and-secret", model="any")
            error = await self.trouble(engine)
            assert error.trouble is Trouble.KEY_REFUSED
            assert not error.retryable
            assert "wrong-and-secret" not in str(error)
            await engine.aclose()

    async def test_a_model_that_is_not_there_is_named(self) -> None:
        async with OpenAiServer() as service:
            engine = self.make(base_url=service.base_url, model="nobody-has-this")
            error = await self.trouble(engine)
            assert error.trouble is Trouble.UNKNOWN_MODEL
            assert "'nobody-has-this'" in str(error)
            await engine.aclose()

    async def test_nobody_at_home_is_told_at_once(self) -> None:
        async with OpenAiServer() as service:
            url = service.base_url
        engine = self.make(base_url=url)
        await engine.start()
        async with asyncio.timeout(3):
            assert (await self.trouble(engine)).trouble is Trouble.UNREACHABLE
        await engine.aclose()

    async def test_slow_is_no_failure(self) -> None:
        async with self.parts(slow_s=0.3) as (service, engine):
            service.break_(self.what, Fault.SLOW)
            assert await self.use(engine)

    @pytest.mark.parametrize("fault", [Fault.SILENT, Fault.STALL])
    async def test_cancelling_closes_the_request(self, fault: Fault) -> None:
        async with self.parts() as (service, engine):
            service.break_(self.what, fault, times=1)
            work = asyncio.ensure_future(self.use(engine))
            await service.until(lambda: bool(service.of(self.what)))
            await asyncio.sleep(0.05)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await service.until(lambda: service.of(self.what)[0].outcome == "closed")
            assert await self.use(engine)

    async def test_requests_share_connections(self) -> None:
        async with self.parts() as (service, engine):
            for _ in range(5):
                assert await self.use(engine)
            assert len(service.of(self.what)) == 5
            assert service.connections <= 2

    async def test_a_connection_that_went_stale_is_not_noticed(self) -> None:
        async with self.parts() as (service, engine):
            assert await self.use(engine)
            service.break_(self.what, Fault.DROP, times=1)
            assert await self.use(engine)

    async def test_nothing_of_the_environment_goes_to_the_service(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("API_KEY", "ORG_ID", "PROJECT_ID", "ADMIN_KEY", "BASE_URL"):
            monkeypatch.setenv(f"OPENAI_{name}", "http://secret-of-openai")
        async with self.parts() as (service, engine):
            assert await self.use(engine)
            assert all("secret-of-openai" not in str(asked.headers) for asked in service.asked)
