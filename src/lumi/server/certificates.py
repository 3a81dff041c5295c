"""Where a server's certificate comes from: the files that somebody names, or an authority of the household's own."""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lumi.errors import ConfigError
from lumi.server import local_authority
from lumi.server.secret_file import SecretFile

CERT, KEY = "server.tls_cert", "server.tls_key"
FOLDER = "tls"
AUTHORITY_FILE = "ca.pem"
AUTHORITY_KEY_FILE = "ca.key"
SERVER_FILE = "server.pem"
"""The server's key and its certificate in one file: they change together."""

Clock = Callable[[], float]


class Certificates(Protocol):
    """A source of certificates."""

    @property
    def authority(self) -> bytes | None:
        """PEM of what clients have to trust, if that is ours to give."""
        ...

    def refresh(self) -> ssl.SSLContext | None:
        """A context for connections from now on; None: the last one is still right.

        Raises:
            ConfigError: there is no usable certificate; names the setting or the file, and the mend.
        """
        ...


class FileCertificates:
    """Files of somebody else's authority; read again when they have changed."""

    authority: bytes | None = None

    def __init__(self, cert: Path | None, key: Path | None, wall_clock: Clock) -> None:
        if cert is None or key is None:
            raise ConfigError(
                KEY if cert else CERT, "is missing: server.tls = 'files' needs both a certificate and its key"
            )
        self._cert, self._key = cert.expanduser(), key.expanduser()
        self._wall_clock = wall_clock
        self._known: tuple[bytes, bytes] | None = None

    def refresh(self) -> ssl.SSLContext | None:
        """See `Certificates`."""
        read = (_bytes(CERT, self._cert), _bytes(KEY, self._key))
        if read == self._known:
            return None
        self._check(*read)
        try:
            made = context(self._cert, self._key)
        except (ssl.SSLError, OSError) as error:
            raise ConfigError(CERT, f"{self._cert} and {self._key} will not do ({error})") from error
        self._known = read
        return made

    def _check(self, cert: bytes, key: bytes) -> None:
        try:
            certificate = x509.load_pem_x509_certificates(cert)[0]
        except ValueError as error:
            raise ConfigError(
                CERT, f"{self._cert} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
            ) from error
        until, since = certificate.not_valid_after_utc, certificate.not_valid_before_utc
        now = datetime.fromtimestamp(self._wall_clock(), UTC)
        if now > until:
            raise ConfigError(CERT, f"{self._cert} has expired on {until:%Y-%m-%d}: renew it")
        if now < since:
            raise ConfigError(
                CERT, f"{self._cert} holds from {since:%Y-%m-%d} on only: is this machine's clock right?"
            )
        try:
            private = load_pem_private_key(key, None)
        except TypeError as error:
            problem = f"{self._key} wants a passphrase: give one without (openssl pkey -in OLD -out NEW)"
            raise ConfigError(KEY, problem) from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ConfigError(
                KEY, f"{self._key} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)"
            ) from error
        if private.public_key() != certificate.public_key():
            raise ConfigError(
                KEY, f"{self._key} is not the key of the first certificate in {self._cert}: give its own"
            )


class LocalCertificates:
    """The household's own authority, in the data directory; it gives this server what it needs when it needs it.

    Args:
        folder: where it lies; made at first need.
        names: this machine's names and addresses, now.
        wall_clock: UNIX seconds.
    """

    def __init__(self, folder: Path, names: Callable[[], Sequence[str]], wall_clock: Clock) -> None:
        self._folder = folder
        self._names = names
        self._wall_clock = wall_clock
        self._key = SecretFile(folder / AUTHORITY_KEY_FILE, local_authority.make_key)
        self._serving = ""
        self._authority = ""

    @property
    def authority(self) -> bytes | None:
        """See `Certificates`."""
        return self._authority.encode() or None

    def refresh(self) -> ssl.SSLContext | None:
        """See `Certificates`."""
        now = datetime.fromtimestamp(self._wall_clock(), UTC)
        names = local_authority.proper(self._names())
        key = self._key.obtain()
        try:
            self._authority = self._obtain_authority(key, names, now)
        except ValueError as error:
            raise ConfigError(
                str(self._key.path), f"is no key ({error}); remove it and a new one is made"
            ) from error
        pair = SecretFile(
            self._folder / SERVER_FILE,
            lambda: local_authority.make_certificate(self._authority, key, names, now),
        )
        held = pair.obtain()
        if local_authority.certificate_due(held, self._authority, names, now):
            held = pair.renew()
        if held == self._serving:
            return None
        try:
            made = context(pair.path, pair.path)
        except (ssl.SSLError, OSError) as error:
            raise ConfigError(str(pair.path), "cannot be used; remove it and a new one is made") from error
        self._serving = held
        return made

    def _obtain_authority(self, key: str, names: Sequence[str], now: datetime) -> str:
        path = self._folder / AUTHORITY_FILE
        try:
            held = path.read_text(encoding="ascii") if path.exists() else ""
            if local_authority.authority_due(held, key, now):
                held = local_authority.make_authority(key, names, now)
                _write(path, held)
        except OSError as error:
            raise ConfigError(str(path), f"cannot be read or written ({error.strerror})") from error
        return held


def context(cert: Path, key: Path) -> ssl.SSLContext:
    """What a server needs to speak TLS (1.2 or later)."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    made.load_cert_chain(cert, key, password="")  # never asks at the terminal
    return made


def _bytes(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(setting, f"{path} cannot be read ({error.strerror})") from error


def _write(path: Path, text: str) -> None:
    """Whole or not at all; everybody may read it."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
    Path(name).chmod(0o644)
    Path(name).replace(path)
