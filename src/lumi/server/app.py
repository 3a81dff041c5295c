"""Runs a server until it is told to stop: the loop, the signals, the logs, and what a person is told."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from typing import TextIO

from lumi._version import __version__
from lumi.config import Config
from lumi.config.serving import LogSettings
from lumi.config.settings import is_loopback
from lumi.errors import NetworkUnavailable
from lumi.server.assembly import data_directory
from lumi.server.background import Background
from lumi.server.called import command, reaching
from lumi.server.identity import printable
from lumi.server.log import writing
from lumi.server.long_lived import set_aside
from lumi.server.port import authority, reached_at
from lumi.server.reloading import Reloader, process_file
from lumi.server.server import Server
from lumi.store.base import Device, PairingCode
from lumi.transport.discovery import lan_addresses

__all__ = ["Server", "loop_factory", "run", "serve", "welcome"]

Picture = Callable[[str], str]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(config: Config) -> None:
    """`serve` on the fastest loop there is; returns when the server has stopped.

    Raises:
        LumiError: it cannot start; one line says why and what to do.
    """
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(config))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop's, where it is installed (there is none for Windows)."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


async def serve(
    config: Config,
    *,
    out: TextIO | None = None,
    picture: Picture = lambda _: "",
    reread: Callable[[], Config] | None = None,
) -> None:
    """Run a server until SIGINT or SIGTERM; tells on `out` where it is, and who asks to be let in.

    Args:
        config: the settings.
        out: a terminal; by default standard output.
        picture: an address as something that a phone's camera can read.
        reread: reads the settings anew, at SIGHUP.

    Raises:
        ConfigError: a setting that cannot be had (port, directory …).
        EngineUnavailable: an engine cannot start here.
    """
    out = out or sys.stdout
    needs_directory = config.log.file or config.store.engine == "sqlite"
    directory = data_directory(config) if needs_directory else config.data_dir
    known = directory if needs_directory else None
    server = Server(
        config,
        on_waiting=lambda device, code: _tell(out, asks(device, code, reaching(server.config, server.port))),
    )
    with writing(config.log, directory) as set_levels, _stop_signal() as stop, process_file(known) as ours:
        async with server, Background() as tasks:
            if reread is not None:
                apply = partial(_apply, server, set_levels)
                tasks.start("reload", _reload(Reloader(reread, apply, known if ours else None)))
            _tell(out, f"Lumi {__version__} is starting …")
            await asyncio.wait({server.ready, stop}, return_when=asyncio.FIRST_COMPLETED)
            if server.ready.done():
                server.ready.result()
                _tell(out, welcome(server))
                with suppress(NetworkUnavailable):
                    _tell(out, invitation(server, lan_addresses(), picture))
            with set_aside():
                await stop
            _tell(out, "Stopping: saying goodbye to whoever is connected.")


async def _apply(
    server: Server, set_levels: Callable[[LogSettings], None], config: Config
) -> tuple[str, ...]:
    restart = await server.reload(config)
    set_levels(server.config.log)
    return restart


async def _reload(reloader: Reloader) -> None:
    """Read the settings anew at every SIGHUP; several in a row may count as one."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    number = getattr(signal, "SIGHUP", None)
    try:
        if number is None:
            return
        loop.add_signal_handler(number, asked.set)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
        return
    try:
        while True:
            await asked.wait()
            asked.clear()
            await reloader.reload()
    finally:
        loop.remove_signal_handler(number)


def welcome(server: Server) -> str:
    """Where to go, and what this server cannot do."""
    here = reaching(server.config, server.port)
    talk = f", {here} talk (by voice)" if find_spec("miniaudio") else ""
    lines = [
        f"Lumi is ready. Open {server.page_url} in a browser,",
        f"or talk to it in another terminal: {here} chat{talk}.",
        f"Devices connect to {server.url} · Ctrl+C stops the server.",
    ]
    lines += [f"CAREFUL: {told}." for told in server.stand_ins]
    missing = server.unheard_languages
    if missing:
        engine = server.config.stt.engine
        lines.append(
            f"By ear it does not understand {', '.join(missing)}: the recogniser {engine} does not know it. Typed, it "
            f"does; for speech: {command()} models add sense-voice, which says what to set then."
        )
    return "\n".join(lines)


def invitation(server: Server, addresses: Sequence[str], picture: Picture) -> str:
    """How others in the network come in; nothing where they cannot."""
    settings = server.config.server
    if is_loopback(settings.host):
        return ""
    pages = [f"http://{authority(host, server.port)}/" for host in reached_at(settings.host, addresses)]
    if not pages:
        return "This machine is in no network: nobody else can come in yet."
    lines = [picture(pages[0]), f"From other devices of this network: {' or '.join(pages)}"]
    if server.tls.port is not None:
        lines = _invitation_by_tls(reached_at(settings.host, addresses), server, pages, picture)
    if settings.pairing:
        here = reaching(server.config, server.port)
        lines.append(
            f"A new device shows a code: {here} devices pair CODE lets it in, {here} devices lists all."
        )
    if settings.open and not (settings.token or settings.tokens or settings.pairing or settings.allow):
        lines.append("CAREFUL: server.open lets in everybody who reaches this address, without any token.")
    return "\n".join(line for line in lines if line)


def _invitation_by_tls(
    hosts: Sequence[str], server: Server, pages: Sequence[str], picture: Picture
) -> list[str]:
    """What a phone wants comes first: browsers give a microphone to https alone."""
    safe = [f"https://{authority(host, server.tls.port or 0)}/" for host in hosts]
    lines = [picture(safe[0]), f"From phones and browsers of this network: {' or '.join(safe)}"]
    if server.tls.has_authority:
        lines.append(
            f"A browser warns of a certificate that it does not know yet: to install it, open {pages[0]} there; "
            "let it in at https afterwards, since for a browser that is another device."
        )
    boards = [
        f"http://{place}/ (ws://{place}/)" for place in (authority(host, server.port) for host in hosts)
    ]
    return [*lines, f"Boards that know no TLS, and programs: {' or '.join(boards)}"]


def asks(device: Device, code: PairingCode, called: str) -> str:
    """A device is at the door."""
    what = " · ".join(text for text in (device.name, device.model, device.id) if text)
    return f"New device: {printable(what)}. Its code is {code.code}; to let it in: {called} devices pair {code.code}"


def _tell(out: TextIO, text: str) -> None:
    if not text:
        return
    out.write(text + "\n")
    out.flush()


@contextmanager
def _stop_signal() -> Iterator[asyncio.Future[None]]:
    """A future that is done at the first signal; a second one ends the process as it does everywhere."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[None] = loop.create_future()
    handled: list[signal.Signals] = []

    def give_back() -> None:
        while handled:
            loop.remove_signal_handler(handled.pop())

    def received() -> None:
        give_back()
        if not stop.done():
            stop.set_result(None)

    for number in SIGNALS:
        try:
            loop.add_signal_handler(number, received)
        except (
            NotImplementedError,
            RuntimeError,
            ValueError,
        ):  # Windows, or not the main thread: KeyboardInterrupt ends it
            break
        handled.append(number)
    try:
        yield stop
    finally:
        give_back()
