"""Numbers that others count, shown at `GET /metrics`."""

from __future__ import annotations

from collections.abc import Sized

from lumi.server.metrics import Metrics
from lumi.server.services import Services


def show(metrics: Metrics, services: Services, sessions: Sized, links: Sized) -> None:
    """From now on they are read whenever somebody asks."""
    watch, pacer, pool = metrics.watch, services.pacer, services.pool
    watch("sessions", "Sessions now", lambda: float(len(sessions)))
    watch("links", "Links now", lambda: float(len(links)))
    watch("frames_sent", "Speech packets sent so far", lambda: float(pacer.stats.frames))
    watch("frames_late", "Speech packets sent over 20 ms late", lambda: float(pacer.stats.late_frames))
    watch("packets_corrupt", "Packets that could not be decoded", lambda: float(pool.stats.corrupt))
    watch(
        "cache_bytes",
        "Memory taken by sentences already encoded",
        lambda: float(services.cache.size_bytes),
    )
