"""A program in an empty network, and whom it tried to reach.

`unshare --net --mount` gives a network of its own: loopback, one interface that leads nowhere and counts what is sent
to it, and a resolver that knows no name and writes down who was asked for. Run as a script inside it:
`empty_network.py PROGRAM ARGUMENT…` prints one JSON object.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

NOWHERE, DEAD_END = "quiet0", "quiet1"
NAMESPACES = (
    ("unshare", "--net", "--mount"),
    ("unshare", "--user", "--map-root-user", "--net", "--mount"),
)
"""As root; or as anybody, where the system lets anybody have namespaces of their own."""

TIMEOUT_S = 100


@dataclass(frozen=True, slots=True)
class Calls:
    """What a program did. `names` were looked up, `packets` were sent to somewhere that is not this machine."""

    exit_code: int
    names: list[str]
    packets: int
    output: str


@cache
def way_in() -> tuple[str, ...] | None:
    """The command that opens an empty network here, if there is one."""
    if not shutil.which("unshare") or not shutil.which("ip"):
        return None
    for command in NAMESPACES:
        try:
            calls = _run(command, (sys.executable, "-c", ""))
        except (subprocess.SubprocessError, ValueError):
            continue
        if calls.exit_code == 0:
            return command
    return None


def run_in_empty_network(*program: str) -> Calls:
    """Run a program where nobody can be reached."""
    command = way_in()
    assert command is not None
    return _run(command, program)


def _run(command: tuple[str, ...], program: tuple[str, ...]) -> Calls:
    inside = subprocess.run(
        [*command, sys.executable, __file__, *program],
        check=True,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        stdin=subprocess.DEVNULL,
    )
    return Calls(**json.loads(inside.stdout))


def _ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


def _lead_nowhere() -> None:
    Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text(
        "1", encoding="ascii"
    )  # else it greets its routers
    _ip("link", "set", "lo", "up")
    _ip("link", "add", NOWHERE, "type", "veth", "peer", "name", DEAD_END)
    _ip("address", "add", "192.0.2.1/24", "dev", NOWHERE)
    _ip("link", "set", NOWHERE, "up")
    _ip("link", "set", DEAD_END, "up")
    _ip("route", "add", "default", "dev", NOWHERE)


def _packets_sent() -> int:
    (link,) = json.loads(_ip("-json", "-statistics", "link", "show", NOWHERE))
    packets: int = link["stats64"]["tx"]["packets"]
    return packets


def _resolve_nothing(names: list[str]) -> None:
    """Answer every question on the resolver's port with 'no such name', and write the name down."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    with tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False) as file:
        file.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    subprocess.run(
        ["mount", "--bind", file.name, os.path.realpath("/etc/resolv.conf")], check=True, capture_output=True
    )

    def serve() -> None:
        while True:
            question, client = server.recvfrom(4096)
            names.append(_name(question))
            server.sendto(question[:2] + b"\x81\x83" + question[4:6] + bytes(6) + question[12:], client)

    threading.Thread(target=serve, daemon=True).start()


def _name(question: bytes) -> str:
    labels, position = [], 12
    while length := question[position]:
        labels.append(question[position + 1 : position + 1 + length].decode("ascii", "replace"))
        position += 1 + length
    return ".".join(labels)


def main(program: list[str]) -> None:
    names: list[str] = []
    _lead_nowhere()
    _resolve_nothing(names)
    before = _packets_sent()
    done = subprocess.run(program, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    calls = Calls(done.returncode, names, _packets_sent() - before, done.stdout)
    sys.stdout.write(json.dumps(asdict(calls)))


if __name__ == "__main__":
    main(sys.argv[1:])
