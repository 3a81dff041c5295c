"""Where libopus is found, and what its functions take.

The library is the system's, or the one inside the PyAV wheel; PyAV itself is not imported.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import importlib.metadata
import re
from collections.abc import Iterator
from typing import Final

from lumi.errors import OpusUnavailable

_MISSING = (
    "no Opus library found: install the system's (Debian and Ubuntu: apt install libopus0; Fedora: dnf install opus; "
    "macOS: brew install opus) or the Python package av, which carries one"
)

_Pointer = ctypes.c_void_p
_Int = ctypes.c_int
_PROTOTYPES: dict[str, tuple[object, list[object]]] = {
    "opus_strerror": (ctypes.c_char_p, [_Int]),
    "opus_encoder_create": (_Pointer, [ctypes.c_int32, _Int, _Int, ctypes.POINTER(_Int)]),
    "opus_encoder_destroy": (None, [_Pointer]),
    # The ctl functions take variable arguments: only the fixed ones stand here, so that ctypes passes the rest
    # the way the platform wants them (Apple's arm64 wants them on the stack).
    "opus_encoder_ctl": (_Int, [_Pointer, _Int]),
    "opus_encode": (ctypes.c_int32, [_Pointer, ctypes.c_char_p, _Int, _Pointer, ctypes.c_int32]),
    "opus_packet_pad": (_Int, [_Pointer, ctypes.c_int32, ctypes.c_int32]),
    "opus_decoder_create": (_Pointer, [ctypes.c_int32, _Int, ctypes.POINTER(_Int)]),
    "opus_decoder_destroy": (None, [_Pointer]),
    "opus_decoder_ctl": (_Int, [_Pointer, _Int]),
    "opus_decode": (_Int, [_Pointer, ctypes.c_char_p, ctypes.c_int32, _Pointer, _Int, _Int]),
}


_SYSTEM_NAMES: Final = (
    "libopus.so.0",
    "libopus.0.dylib",
    "/opt/homebrew/lib/libopus.0.dylib",
    "/usr/local/lib/libopus.0.dylib",
    "opus.dll",
    "libopus-0.dll",
)
_LIBRARY_SUFFIX = re.compile(r"\.(so(\.\d+)*|dylib|dll)$")


def candidate_paths() -> Iterator[str]:
    """Where libopus may lie, best first: the system's, then the one in the PyAV wheel (which is not imported).

    The system's names are tried by themselves first: `find_library` starts other programs, so it comes last.
    """
    yield from _SYSTEM_NAMES
    try:
        files = importlib.metadata.files("av") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name.startswith(("libopus", "opus")) and _LIBRARY_SUFFIX.search(file.name):
            yield str(file.locate())
    found = ctypes.util.find_library("opus")
    if found:
        yield found


@functools.cache
def load_library() -> ctypes.CDLL:
    """Open libopus, once in a process.

    Raises:
        OpusUnavailable: there is none; says what to install.
    """
    for path in candidate_paths():
        try:
            library = ctypes.CDLL(path)
            for name, (result, arguments) in _PROTOTYPES.items():
                function = getattr(library, name)
                function.restype = result
                function.argtypes = arguments
        except (OSError, AttributeError):
            continue  # not loadable here, or another library of that name: the next may do
        return library
    raise OpusUnavailable(_MISSING)


def describe(library: ctypes.CDLL, status: int) -> str:
    """What a negative return value means, in words."""
    text: bytes = library.opus_strerror(status)
    return text.decode("ascii", "replace")
