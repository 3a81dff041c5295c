"""A server in one network and a caller in another, a cable between them. Run as a script inside a network of its own
(`empty_network.way_in`): `two_networks.py FOLDER` makes a household, serves it, knocks from the other side in every way that
is to be refused, and prints one JSON object: the status of each, what was logged, and every secret that was shown.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from lumi.server import tokens
from lumi.server.registry import DeviceRegistry
from lumi.server.secret_file import ADMIN_TOKEN, TOKEN_SECRET, SecretFile
from lumi.store.sqlite import SqliteStore

HERE, THERE, PORT, TLS_PORT = "198.51.100.1", "198.51.100.2", 8000, 8443
DAY_S = 24 * 3600.0
STATIC = "static-token-of-this-test"
UPGRADE: dict[str, Any] = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def lay_cable() -> subprocess.Popen[bytes]:
    """Another network with one address; gives the process that keeps it."""
    keeper = subprocess.Popen(
        ["unshare", "--net", "sleep", "100"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    own = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{keeper.pid}/ns/net").readlink() == own:
        time.sleep(0.01)
    ip("link", "set", "lo", "up")
    ip("link", "add", "cable0", "type", "veth", "peer", "name", "cable1")
    ip("link", "set", "cable1", "netns", str(keeper.pid))
    ip("address", "add", f"{HERE}/24", "dev", "cable0")
    ip("link", "set", "cable0", "up")
    inside = ["nsenter", f"--net=/proc/{keeper.pid}/ns/net", "ip"]
    for command in (["address", "add", f"{THERE}/24", "dev", "cable1"], ["link", "set", "cable1", "up"]):
        subprocess.run([*inside, *command], check=True, capture_output=True)
    return keeper


async def household(folder: Path) -> dict[str, str]:
    """A paired device, one that was shut out, one that waits; and what each would show."""
    store = await SqliteStore.open(folder / "lumi.db")
    secret = SecretFile(folder / TOKEN_SECRET)
    now = time.time()
    registry = DeviceRegistry(store, lambda: now - 40 * DAY_S, secret)
    for name in ("paired", "shut-out"):
        await registry.confirm((await registry.ask(name, "c")).code)
    shown = {
        "expired": await registry.token_for("paired"),
        "revoked": await registry.token_for("shut-out"),
        "valid": tokens.make(secret.obtain(), "c", "paired", now),
        "wrong": tokens.make("x" * 40, "c", "paired", now),
        "admin": SecretFile(folder / ADMIN_TOKEN).obtain(),
        "secret": secret.obtain(),
    }
    await registry.revoke("shut-out")
    registry = DeviceRegistry(store, lambda: now, secret)
    shown["code"] = (await registry.ask("waiting", "c")).code
    await store.aclose()
    return shown


def secret_part(pem: Path) -> str:
    """A line of a private key."""
    return pem.read_text().splitlines()[1]


def serve(folder: Path, log: Any, **environment: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "lumi", "serve", "--host", HERE, "--port", str(PORT)]
    log_level = {"LUMI_LOG__FILE_LEVEL": "trace", "LUMI_LOG__LEVEL": "trace"}
    server = subprocess.Popen(
        [*command, "--data-dir", str(folder)],
        cwd=folder,
        env={**os.environ, **log_level, **environment},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    while True:
        try:
            urllib.request.urlopen(f"http://{HERE}:{PORT}/healthz", timeout=2).close()
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            if server.poll() is not None:
                raise RuntimeError("the server did not start") from None
            time.sleep(0.05)
            continue
        return server


def knock(shown: dict[str, str]) -> dict[str, int]:
    """From the other network; run there."""

    def ask(path: str = "/", body: Any = None, port: int = PORT, **headers: Any) -> int:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection(HERE, port, timeout=10)
        try:
            connection.request("GET" if data is None else "POST", path, data, given)
            return connection.getresponse().status
        finally:
            connection.close()

    def upgrade(path: str = "/", **headers: Any) -> int:
        return ask(path, **{**UPGRADE, **headers})

    names = {"Device_Id": "paired", "Client_Id": "c"}

    def pair(**headers: Any) -> int:
        return ask("/api/v1/pairings", {"code": shown["code"]}, **headers)

    def safely(trust: ssl.SSLContext) -> int:
        connection = http.client.HTTPSConnection(HERE, TLS_PORT, timeout=10, context=trust)
        try:
            connection.request("GET", "/", headers=UPGRADE | {"Device-Id": "paired", "Client-Id": "c"})
            return connection.getresponse().status
        except ssl.SSLCertVerificationError:
            return 0
        finally:
            connection.close()

    return {
        "plain http at the tls port": ask(port=TLS_PORT),
        "no token, by tls": safely(ssl.create_default_context(cadata=shown["authority"])),
        "unknown authority": safely(ssl.create_default_context()),
        "no token": upgrade(**names),
        "wrong token": upgrade(**names, Authorization=f"Bearer {shown['wrong']}"),
        "wrong token in the address": upgrade(f"/?authorization={shown['wrong']}"),
        "expired token": upgrade(**names, Authorization=f"Bearer {shown['expired']}"),
        "revoked token": upgrade(Authorization=f"Bearer {shown['revoked']}"),
        "wrong origin": upgrade(
            **names, Authorization=f"Bearer {shown['valid']}", Origin="https://elsewhere.example"
        ),
        "right token": upgrade(**names, Authorization=f"Bearer {shown['valid']}"),
        "no admin token": pair(),
        "wrong admin token": pair(Authorization=f"Bearer {shown['wrong']}"),
        "pairing code": pair(Authorization=f"Bearer {shown['admin']}"),
        "replayed pairing code": pair(Authorization=f"Bearer {shown['admin']}"),
    }


def main(folder: Path) -> None:
    keeper = lay_cable()
    shown = asyncio.run(household(folder))
    log = folder / "console.txt"
    with log.open("wb") as console:
        server = serve(
            folder, console, LUMI_SERVER__PAIRING="true", LUMI_SERVER__TOKEN=STATIC, LUMI_SERVER__TLS="local"
        )
        shown["authority"] = (folder / "tls" / "ca.pem").read_text()
        keys = {name: secret_part(folder / "tls" / name) for name in ("ca.key", "server.pem")}
        try:
            there = ["nsenter", f"--net=/proc/{keeper.pid}/ns/net", sys.executable, __file__, "--knock"]
            done = subprocess.run(there, check=True, capture_output=True, text=True, input=json.dumps(shown))
        finally:
            server.terminate()
            server.wait(20)
            keeper.kill()
            keeper.wait()
    logged = log.read_text() + (folder / "logs" / "lumi.log").read_text()
    public = {"code", "authority"}
    secrets = {name: text for name, text in shown.items() if name not in public} | {"static": STATIC} | keys
    found = [name for name, text in secrets.items() if text in logged]
    sys.stdout.write(json.dumps({"statuses": json.loads(done.stdout), "logged": logged, "leaked": found}))


if __name__ == "__main__":
    if sys.argv[1] == "--knock":
        sys.stdout.write(json.dumps(knock(json.load(sys.stdin))))
    else:
        main(Path(sys.argv[1]))
