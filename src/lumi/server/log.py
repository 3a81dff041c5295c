"""Logs: one logger per subject, a console for people and a rotating file of JSON lines for machines.

Processors on the way keep out what does not belong in a log: sound (its size is written instead), secrets, and at
`info` and above a user's words. Records are written by a thread of their own, so that a slow disk holds up no speech.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from queue import Full, Queue
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from lumi.config.serving import LogSettings
from lumi.errors import ConfigError

TRACE = 5
"""Below `debug`: every frame."""

LEVELS = {
    "trace": TRACE,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "exception": logging.ERROR,
}
ROOT = "lumi"
QUEUE_RECORDS = 10_000
"""Records that may wait for the writing thread; beyond, new ones are dropped: the talk goes on."""

SECRETS = frozenset({"token", "authorization", "secret", "password", "api_key"})
WORDS = frozenset({"text", "content", "transcript", "reply"})


class Subject(StrEnum):
    """What a line is about; each is a logger `lumi.<subject>` whose level can be set alone."""

    WEBSOCKET = "webSocket"
    SESSION = "session"
    VOICE = "voice"
    AUDIO = "audio"
    ENGINE = "engine"
    STORE = "store"
    HTTP = "http"
    SERVER = "server"
    ERROR = "error"


class Logger(structlog.stdlib.BoundLogger):
    """A subject's logger, perhaps with values bound to it (`bind(session=…)`)."""

    def trace(self, event: str, **values: Any) -> None:
        """A single frame. Ask `is_tracing` first where making the values costs something."""
        if self.is_tracing:
            self._proxy_to_logger("trace", event, **values)

    @property
    def is_tracing(self) -> bool:
        return bool(self._logger.isEnabledFor(TRACE))


class _Sink:
    """Between structlog and the standard library: gives `logging` its level by name, `trace` included."""

    __slots__ = ("_logger",)

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the standard library's name
        return self._logger.isEnabledFor(level)

    @property
    def name(self) -> str:
        return self._logger.name

    def __getattr__(self, method: str) -> Any:
        if method not in LEVELS:
            raise AttributeError(method)

        def write(*args: Any, **kwargs: Any) -> None:
            self._logger.log(LEVELS[method], *args, **kwargs)

        return write


def logger(subject: Subject, **values: Any) -> Logger:
    """The logger of a subject; writes nowhere until `writing` says where."""
    made: Logger = structlog.wrap_logger(
        _sink(f"{ROOT}.{subject}"), processors=_processors(), wrapper_class=Logger, **values
    )
    return made


def install() -> None:
    """Let `structlog.get_logger("lumi.…")`, which rooms below the server use, go the same way. Once per process."""
    structlog.configure(
        processors=_processors(), wrapper_class=Logger, logger_factory=_sink, cache_logger_on_first_use=False
    )


def _sink(name: str = ROOT, *_: Any) -> _Sink:
    return _Sink(logging.getLogger(name))


def _processors() -> list[Processor]:
    return [
        _only_enabled,
        structlog.contextvars.merge_contextvars,
        discreet,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ]


def _only_enabled(sink: WrappedLogger, method: str, event: EventDict) -> EventDict:
    if not sink.isEnabledFor(LEVELS[method]):
        raise structlog.DropEvent
    event["level"] = "error" if method == "exception" else method
    if event.get("exc_info") is True:  # the writing thread would look for it in vain
        event["exc_info"] = sys.exc_info()
    return event


def discreet(_: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """No sound, no secret, and no user's words above `debug`."""
    public = LEVELS.get(method, logging.INFO) > logging.DEBUG
    for key, value in event.items():
        if isinstance(value, bytes | bytearray | memoryview):
            event[key] = f"{len(value)} bytes"
        elif key.lower() in SECRETS and value:
            event[key] = "***"
        elif public and key in WORDS and isinstance(value, str):
            event[key] = f"{len(value)} characters"
    return event


@contextmanager
def writing(
    settings: LogSettings, data_dir: Path, console: TextIO | None = None
) -> Iterator[Callable[[LogSettings], None]]:
    """While this lasts, what is logged anywhere in Lumi is written to the console and, if set so, to the file.

    Gives a function that sets other levels.

    Raises:
        ConfigError: the log file cannot be written.
    """
    logging.addLevelName(TRACE, "TRACE")
    targets = [_console(settings, console or sys.stderr)]
    if settings.file:
        targets.append(_file(settings, data_dir / "logs" / "lumi.log"))
    waiting: Queue[logging.LogRecord] = Queue(QUEUE_RECORDS)
    listener = QueueListener(waiting, *targets, respect_handler_level=True)
    entrance = _Entrance(waiting)
    root = logging.getLogger(ROOT)
    before = (root.level, root.propagate)
    set_levels = partial(_set_levels, root, targets)
    set_levels(settings)
    root.propagate = False
    root.addHandler(entrance)
    listener.start()
    try:
        yield set_levels
    finally:
        root.removeHandler(entrance)
        listener.stop()
        root.setLevel(before[0])
        root.propagate = before[1]
        for target in targets:
            target.close()


def _set_levels(root: logging.Logger, targets: Sequence[logging.Handler], settings: LogSettings) -> None:
    for target, level in zip(targets, (settings.level, settings.file_level), strict=False):
        target.setLevel(LEVELS[level])
    root.setLevel(min(target.level for target in targets))


class _Entrance(QueueHandler):
    """Hands records to the writing thread as they are; drops them when too many wait."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except Full:
            return


def _console(settings: LogSettings, stream: TextIO) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setLevel(LEVELS[settings.level])
    renderer = structlog.dev.ConsoleRenderer(
        colors=stream.isatty(),
        pad_event_to=28,
        exception_formatter=structlog.dev.plain_traceback,  # the pretty one shows variables, and words in them
    )
    handler.setFormatter(_formatter("%H:%M:%S", renderer, utc=False))
    return handler


def _file(settings: LogSettings, path: Path) -> logging.Handler:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            path,
            maxBytes=settings.file_mb * 1024 * 1024,
            backupCount=settings.files,
            encoding="utf-8",
            errors="backslashreplace",  # what a stranger sends may be no text at all
        )
    except OSError as error:
        raise ConfigError(
            "server.data_dir",
            f"the log {path} cannot be written ({error.strerror}); choose another directory, or log.file = false",
        ) from error
    handler.setLevel(LEVELS[settings.file_level])
    renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    tracebacks = structlog.processors.format_exc_info
    handler.setFormatter(_formatter("iso", tracebacks, renderer, utc=True))
    return handler


def _formatter(time_format: str, *processors: Any, utc: bool) -> logging.Formatter:
    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt=time_format, utc=utc),
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            discreet,
        ],
        processors=[*shared, structlog.stdlib.ProcessorFormatter.remove_processors_meta, *processors],
    )
