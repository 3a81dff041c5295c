"""Every campaign by its name, and how much of it is the usual amount."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lumi.bench.chaos.boundaries import Conversation, every_cut
from lumi.bench.chaos.kills import KillPlan, kill_clients, kill_servers
from lumi.bench.chaos.memory import Campaign, Plan, Progress
from lumi.bench.chaos.record import Outcome
from lumi.bench.chaos.sockets import SocketCampaign, SocketPlan
from lumi.testing import clock

VIRTUAL_S, REAL_S = 1e7, 600.0
"""Bounds of a campaign in virtual time: what takes longer hangs."""

RESTART_EVERY = 25
"""Cuts in memory for each restart of the server."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One campaign: what it does, how many faults it usually throws, and how to run it."""

    what: str
    faults: int
    run: Callable[[int, int, Progress], Outcome]
    """Faults, seed, progress."""


def cuts_in_memory(faults: int, seed: int, progress: Progress) -> Outcome:
    """Queues in memory, virtual time."""
    plan = Plan(faults, seed, restarts=faults // RESTART_EVERY)
    return clock.run(Campaign(plan, progress).run(), horizon_s=VIRTUAL_S, patience_s=REAL_S)


def cuts_with_disk(faults: int, seed: int, progress: Progress) -> Outcome:
    """The same, with the clients' queues on disk."""
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(faults, seed, restarts=faults // RESTART_EVERY, on_disk=Path(folder))
        return clock.run(Campaign(plan, progress).run(), horizon_s=VIRTUAL_S, patience_s=REAL_S)


def cuts_at_boundaries(faults: int, seed: int, progress: Progress) -> Outcome:
    """Every frame of one conversation in turn, or as many of them as asked for."""
    began, problems = time.monotonic(), []
    calm = Conversation(None)
    problems += clock.run(calm.run())
    cuts = list(every_cut(calm.frames))[:faults]
    chats = made = 0
    for number, cut in enumerate(cuts):
        conversation = Conversation(cut)
        found = clock.run(conversation.run())
        problems += [f"{cut}: {problem}" for problem in found]
        problems += [] if conversation.broken else [f"{cut}: the line was not cut"]
        chats += len(conversation.record.asked)
        made += conversation.made
        progress(number + 1)
    return Outcome(
        name="every message boundary",
        seed=seed,
        faults=len(cuts),
        restarts=0,
        chats=chats,
        answers_made=made,
        remade=0,
        seconds=time.monotonic() - began,
        problems=problems,
    )


def cuts_of_sockets(faults: int, seed: int, progress: Progress) -> Outcome:
    """Real sockets, real time."""
    return asyncio.run(SocketCampaign(SocketPlan(faults, seed), progress).run())


def servers_killed(faults: int, seed: int, progress: Progress) -> Outcome:
    """Real processes."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(kill_servers(KillPlan(faults, seed, Path(folder)), progress))


def clients_killed(faults: int, seed: int, progress: Progress) -> Outcome:
    """Real processes."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(kill_clients(KillPlan(faults, seed, Path(folder)), progress))


KINDS = {
    "boundaries": Kind("cut at every message boundary, virtual time", 1_000, cuts_at_boundaries),
    "memory": Kind("random cuts and server restarts, virtual time", 1_000, cuts_in_memory),
    "disk": Kind("the same with the clients' queues on disk", 1_000, cuts_with_disk),
    "sockets": Kind("real sockets cut at any byte", 1_000, cuts_of_sockets),
    "server": Kind("server process killed with SIGKILL", 100, servers_killed),
    "client": Kind("client process killed with SIGKILL", 100, clients_killed),
}
