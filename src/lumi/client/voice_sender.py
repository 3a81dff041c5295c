"""Sends the user's voice over the line: ready packets as they are, PCM encoded, both no faster than real time."""

from __future__ import annotations

import asyncio

from lumi.audio.format import AudioFormat
from lumi.client.connection_service import ConnectionService
from lumi.client.uplink import RealTimePace, Uplink
from lumi.errors import AudioError


class VoiceSender:
    """One client's way out for sound. PCM of one recording may come in pieces of any length; `finish` ends it.

    Args:
        service: the line.
        audio: what this client declared in its hello.
    """

    def __init__(self, service: ConnectionService, audio: AudioFormat) -> None:
        self._service = service
        self.audio = audio
        self._pace = RealTimePace(audio.frame_ms / 1000)
        self._uplink: Uplink | None = None
        # Two tasks that send PCM at once would mix their frames in one encoder.
        self._turn = asyncio.Lock()

    async def packet(self, packet: bytes) -> None:
        """Send one packet in the declared format, as soon as it is due.

        Raises:
            NotConnected, ConnectionLost: as sending does.
        """
        await self._pace.wait()
        now_ms = int(asyncio.get_running_loop().time() * 1000) & 0xFFFFFFFF
        await self._service.send_binary(packet, timestamp_ms=now_ms)

    async def pcm(self, pcm: bytes, rate_hz: int) -> int:
        """Encode and send s16le mono PCM; returns when all whole frames have gone out, i.e. in real time.

        Returns:
            The number of packets sent; what does not fill a packet waits for more, or for `finish`.

        Raises:
            AudioError: a rate no recording has; `OpusUnavailable` where there is no codec.
        """
        if not 4_000 <= rate_hz <= 384_000:
            raise AudioError(f"a sample rate of {rate_hz} Hz is not that of speech; accepted: 4000 to 384000")
        async with self._turn:
            sent = 0
            if self._uplink is not None and self._uplink.rate_hz != rate_hz:
                sent += await self._flush()
            if self._uplink is None:
                self._uplink = Uplink(self.audio, rate_hz)
            return sent + await self._send(self._uplink.feed(pcm))

    async def finish(self) -> int:
        """Send what is left of the recording, filled up to a whole packet. Returns the packets sent (0 or 1, 2)."""
        async with self._turn:
            return await self._flush()

    async def _flush(self) -> int:
        uplink, self._uplink = self._uplink, None
        if uplink is None:
            return 0
        try:
            return await self._send(uplink.flush())
        finally:
            uplink.close()

    async def _send(self, packets: list[bytes]) -> int:
        for packet in packets:
            await self.packet(packet)
        return len(packets)
