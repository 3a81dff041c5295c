"""The engines of one kind, in the order in which they are asked, and how each of them is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Generic, Protocol, Self, TypeVar

from lumi.engines.circuit import Circuit, State
from lumi.engines.streams import Patience
from lumi.errors import EngineError, EngineUnavailable, LumiError, Trouble

T = TypeVar("T")


class Engine(Protocol):
    """What every engine has. It may have `start()` (load now) and `probe()` (a cheap request that shows whether it
    would answer), both raising `EngineError`.
    """

    name: str

    async def aclose(self) -> None: ...


E = TypeVar("E", bound=Engine)


class Member(Generic[E]):
    """One engine in a list.

    Args:
        name: as the settings call it.
        setting: where they name it, e.g. `llm.fallback`.
        engine: None: it could not even be made, see `problem`.
    """

    def __init__(self, name: str, setting: str, engine: E | None, problem: EngineError | None = None) -> None:
        self.name = name
        self.setting = setting
        self.engine = engine
        self.problem = problem
        """What went wrong last."""
        self.circuit = Circuit()
        self.started = getattr(engine, "start", None) is None

    async def start(self) -> None:
        """Load it, where there is something to load.

        Raises:
            LumiError: it cannot be had here.
        """
        if self.engine is None:
            raise self.problem or EngineUnavailable(self.name, "it could not be made")
        if not self.started:
            start: Any = getattr(self.engine, "start")  # noqa: B009 - not every engine has it
            await start()
            self.started = True

    @property
    def has_probe(self) -> bool:
        return self.engine is not None and (not self.started or hasattr(self.engine, "probe"))

    async def probe(self) -> None:
        """Start it if it could not start before, and ask it something cheap.

        Raises:
            LumiError: it does not work.
        """
        await self.start()
        probe = getattr(self.engine, "probe", None)
        if probe is not None:
            await probe()


@dataclass(frozen=True, slots=True)
class Report:
    """How one engine is."""

    kind: str
    name: str
    setting: str
    state: str
    """A circuit's state, or `unavailable`."""
    works: bool
    trouble: str | None
    """Of which kind its last failure was."""
    retry_s: float
    """When it is tried again, if it is open."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An engine failed. `opened`: and is not asked again for a while."""

    kind: str
    name: str
    setting: str
    error: EngineError
    opened: bool = False


@dataclass(frozen=True, slots=True)
class TookOver:
    """`name` does what an engine before it in the list should have done."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class CameBack:
    """An engine that was not asked any more has answered a request again."""

    kind: str
    name: str


News = Failed | TookOver | CameBack


def silent(_: News) -> None:
    """Nobody wants to know."""


UNAVAILABLE: Final = "unavailable"


class Roster(Generic[E]):
    """Engines of one kind, the first being asked first.

    Args:
        slow_s: no result within this time, and the next is asked, where there is one.
        tell: told what happens to them.
    """

    def __init__(
        self, kind: str, members: Sequence[Member[E]], *, slow_s: float, tell: Callable[[News], None] = silent
    ) -> None:
        self.kind = kind
        self.members = tuple(members)
        self.slow_s = slow_s
        self.tell = tell
        self._opened = asyncio.Event()

    @property
    def first(self) -> E:
        """The first engine that there is."""
        return self.engines[0]

    @property
    def engines(self) -> tuple[E, ...]:
        return tuple(member.engine for member in self.members if member.engine is not None)

    def attempts(self) -> Iterator[Attempt[E]]:
        """One request's way: whoever works, in order; then, rather than nothing, whoever did not when last asked.

        The caller stops when it has its answer.
        """
        now = _now()
        there = [member for member in self.members if member.engine is not None]
        good = [member for member in there if member.circuit.allows(now)]
        order = good + [member for member in there if member not in good]
        for place, member in enumerate(order):
            yield Attempt(self, member, alone=place == len(order) - 1)

    async def start(self) -> None:
        """Load all at once.

        Raises:
            LumiError: the first one's error, if none of them can be loaded.
        """
        await asyncio.gather(*(self._start(member) for member in self.members if member.engine is not None))
        if not any(member.started and member.engine is not None for member in self.members):
            raise self.members[0].problem or EngineUnavailable(self.kind, "no engine can be started")

    async def _start(self, member: Member[E]) -> None:
        try:
            await member.start()
        except LumiError as error:
            self.failed(member, _engine_error(member, error), certain=True)

    async def aclose(self) -> None:
        for engine in self.engines:
            await engine.aclose()

    async def watch(self) -> None:
        """For ever: probe engines whose circuit is open, each when its wait is over."""
        while True:
            self._opened.clear()
            for member in self.members:
                member.circuit.by_probe = member.has_probe
            now = _now()
            away = {
                member: member.circuit.due_in_s(now)
                for member in self.members
                if member.has_probe and member.circuit.state(now) is State.OPEN
            }
            due = [member for member, wait_s in away.items() if wait_s <= 0]
            if due:
                await asyncio.gather(*(self._probe(member) for member in due))
                continue
            try:
                async with asyncio.timeout(min(away.values(), default=None)):
                    await self._opened.wait()
            except TimeoutError:
                continue

    async def _probe(self, member: Member[E]) -> None:
        try:
            async with asyncio.timeout(self.slow_s):
                await member.probe()
        except TimeoutError:
            message = f"did not answer a probe within {self.slow_s:g} s"
            self._still_away(member, EngineError(member.name, message, trouble=Trouble.SLOW))
        except LumiError as error:
            self._still_away(member, _engine_error(member, error))
        else:
            member.circuit.probed()

    def works(self, member: Member[E]) -> bool:
        """Whether a request may go to it now."""
        return member.circuit.allows(_now())

    def asks(self, member: Member[E]) -> None:
        if member is not self.members[0]:
            self.tell(TookOver(self.kind, member.name))
        member.circuit.asked(_now())

    def _still_away(self, member: Member[E], error: EngineError) -> None:
        member.problem = error
        member.circuit.probe_failed(error, _now())

    def worked(self, member: Member[E]) -> None:
        if member.circuit.worked():
            self.tell(CameBack(self.kind, member.name))

    def failed(self, member: Member[E], error: EngineError, *, certain: bool = False) -> None:
        """Note a failure; `certain`: it opens the circuit whatever kind it is."""
        member.problem = error
        opened = member.circuit.failed(error, _now())
        if certain and not opened:
            member.circuit.probe_failed(error, _now())
            opened = True
        self.tell(Failed(self.kind, member.name, member.setting, error, opened))
        if opened:
            self._opened.set()

    def report(self) -> list[Report]:
        """How each of them is now."""
        return [self._report(member, _now()) for member in self.members]

    def _report(self, member: Member[E], now: float) -> Report:
        state = member.circuit.state(now)
        there = member.engine is not None
        trouble = member.problem.trouble if member.problem else None
        return Report(
            kind=self.kind,
            name=member.name,
            setting=member.setting,
            state=state if there else UNAVAILABLE,
            works=there and state is not State.OPEN,
            trouble=trouble,
            retry_s=round(member.circuit.due_in_s(now), 1),
        )


class Attempt(Generic[E]):
    """One engine asked once. Used as `with`: an `EngineError` is noted and swallowed, and kept in `error`."""

    def __init__(self, roster: Roster[E], member: Member[E], *, alone: bool) -> None:
        if member.engine is None:
            raise EngineUnavailable(member.name, "it could not be made")
        self.engine: E = member.engine
        self.member = member
        self.alone = alone
        """Nobody is left to be asked after it."""
        self.error: EngineError | None = None
        self._roster = roster
        self.patience = Patience(member.engine.name, None if alone else roster.slow_s)
        self._done = False

    def from_later_on(self) -> None:
        """Time counts from `patience.run()` on."""
        limit_s = None if self.alone else self._roster.slow_s
        self.patience = Patience(self.engine.name, limit_s, running=False)

    def read(self, stream: AsyncIterator[T]) -> AsyncGenerator[T, None]:
        """The engine's stream; the next engine's turn comes when it is slow."""
        return self.patience.read(stream)

    def worked(self) -> None:
        """It has given all that was wanted."""
        if not self._done:
            self._done = True
            self._roster.worked(self.member)

    def __enter__(self) -> Self:
        self._roster.asks(self.member)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, EngineError):
            self.error = error
            self._roster.failed(self.member, error)
            return True
        if error is None or self.patience.items:
            self.worked()
        elif not self._done:
            self._given_up()
        return False

    def _given_up(self) -> None:
        """By whoever asked; after long silence that is a judgement too."""
        waited_s = self.patience.waited_s
        if waited_s < self._roster.slow_s:
            self.member.circuit.left()
            return
        late = EngineError(self.engine.name, f"no answer within {waited_s:.1f} s", trouble=Trouble.SLOW)
        self._roster.failed(self.member, late)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _engine_error(member: Member[Any], error: LumiError) -> EngineError:
    return error if isinstance(error, EngineError) else EngineUnavailable(member.name, str(error))
