"""Where no empty network can be had: writes down and refuses every lookup and every call that leaves this machine.

Python runs this at its start when its folder is on PYTHONPATH, in every process. It sees what goes through Python's own
sockets, so it keeps the faster event loop, which has its own, from being found; what a library does in C it cannot see.
"""

import os
import sys

_LOCAL = ("127.", "::1", "localhost", "0.0.0.0", "None")
sys.modules["uvloop"] = None  # type: ignore[assignment]


def _record(event, arguments):
    if event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        called = str(arguments[0])
    elif event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple):
        called = str(arguments[1][0])
    else:
        return
    if not called.startswith(_LOCAL):
        with open(os.environ["RECORDED_CALLS"], "a", encoding="utf-8") as file:  # noqa: PTH123 - before imports
            file.write(called + "\n")
        raise OSError(f"{called} is not to be called")


sys.addaudithook(_record)
