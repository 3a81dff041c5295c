"""A sound card that plays in virtual time and remembers what was heard when."""

from __future__ import annotations

import asyncio

FRAME_MS = 60


def frame(number: int = 1) -> bytes:
    """Sound that tells which it is: its samples are its number, far above silence."""
    return (1_000 + number).to_bytes(2, "little") * 960


class Card:
    """Plays what it is given as time goes by, and keeps what was heard and when."""

    rate_hz = 16_000

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._began_s = self._clock()
        self._until_s = 0.0
        self.heard: list[tuple[float, int]] = []
        """Milliseconds since the beginning, and the number of the frame; of what was cut off only what sounded."""

    def now_s(self) -> float:
        return self._clock() - self._began_s

    @property
    def waiting_ms(self) -> float:
        return max(0.0, (self._until_s - self.now_s()) * 1000)

    def write(self, pcm: bytes) -> None:
        self._until_s = max(self._until_s, self.now_s())
        number = int.from_bytes(pcm[:2], "little", signed=True) - 1_000
        self.heard.append((round(self._until_s * 1000, 3), number))
        self._until_s += len(pcm) / 32_000

    def clear(self) -> None:
        now_ms = self.now_s() * 1000
        self.heard = [one for one in self.heard if one[0] < now_ms]
        self._until_s = 0.0

    @property
    def numbers(self) -> list[int]:
        return [number for _, number in self.heard]

    def delays_ms(self) -> dict[int, float]:
        """How much later each frame was heard than if all had followed the first without a break."""
        first_ms, first = self.heard[0]
        return {
            number: at - first_ms - (number - first) * FRAME_MS for at, number in self.heard if number >= 0
        }

    def gaps_ms(self) -> list[float]:
        ends = [at + FRAME_MS for at, _ in self.heard]
        starts = [at for at, _ in self.heard[1:]]
        return [
            round(begin - end, 3) for begin, end in zip(starts, ends, strict=False) if begin > end + 0.001
        ]
