"""Engines and settings change while the server runs: turns that have begun keep theirs, new ones take the new.

lease ──▶ turn ──▶ release          a turn holds its generation from its first moment to its last
renew: current ──▶ retired ──▶ closed, when its last turn is over
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import TracebackType

from lumi.server.device_overrides import OverridesOf, nothing
from lumi.server.kit import Kit, for_device

KitOf = Callable[[str], Kit]
"""By device id."""


async def _keep() -> None:
    """Nothing is to be given back."""


class Generation:
    """What one reading of the settings gave; `aclose` lets go of its engines."""

    def __init__(self, kit_of: KitOf, aclose: Callable[[], Awaitable[None]] = _keep) -> None:
        self.kit_of = kit_of
        self.aclose = aclose
        self.turns = 0

    @classmethod
    def of(cls, kit: Kit, overrides_of: OverridesOf = nothing) -> Generation:
        """One kit for all devices, but for what is different for some."""

        def kit_of(device_id: str) -> Kit:
            overrides = overrides_of(device_id)
            return replace(kit, settings=for_device(kit.settings, overrides), overrides=overrides)

        return cls(kit_of)


class Lease:
    """A turn's hold on its generation; as a context manager it gives the kit."""

    def __init__(self, generation: Generation, device_id: str, released: Callable[[], None]) -> None:
        self.kit = generation.kit_of(device_id)
        self._generation: Generation | None = generation
        self._released = released
        self.over: Callable[[], None] = lambda: None
        """Told when the turn is over."""
        generation.turns += 1

    def release(self) -> None:
        """The turn is over; may be said more than once."""
        generation, self._generation = self._generation, None
        if generation is not None:
            generation.turns -= 1
            self.over()
            self._released()

    def __enter__(self) -> Kit:
        return self.kit

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Generations:
    """Knows which generation new turns take, and closes those that are no longer needed (`run`)."""

    def __init__(self, first: Generation) -> None:
        self._current = first
        self._retired: list[Generation] = []  # bounded by the turns that still run
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """How many are not closed yet."""
        return 1 + len(self._retired)

    def kit(self, device_id: str) -> Kit:
        """A look at what holds now; a turn takes a lease instead."""
        return self._current.kit_of(device_id)

    def lease(self, device_id: str) -> Lease:
        """For a turn that begins."""
        return Lease(self._current, device_id, self._changed.set)

    def renew(self, generation: Generation) -> None:
        """From now on turns begin with this one."""
        self._retired.append(self._current)
        self._current = generation
        self._changed.set()

    async def run(self) -> None:
        """For ever: close what nobody needs any more."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            for generation in [one for one in self._retired if not one.turns]:
                self._retired.remove(generation)
                await generation.aclose()

    async def aclose(self) -> None:
        """Close all; no turn runs any more."""
        while self._retired:
            await self._retired.pop().aclose()
        await self._current.aclose()
