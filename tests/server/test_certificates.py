import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lumi.errors import ConfigError
from lumi.server import local_authority
from lumi.server.certificates import FileCertificates, LocalCertificates
from lumi.testing.clock import WallClock

NAMES = ("127.0.0.1", "localhost")
DAY_S = 24 * 3600.0


def pair_at(clock: WallClock, *, after_days: int = 0) -> tuple[str, str]:
    """A certificate and its key, as an authority of somebody else makes them."""
    now = datetime.fromtimestamp(clock(), UTC) + timedelta(days=after_days)
    key = local_authority.make_key()
    authority = local_authority.make_authority(key, NAMES, now)
    private, mark, cert = local_authority.make_certificate(authority, key, NAMES, now).partition(
        "-----BEGIN CERTIFICATE"
    )
    return mark + cert, private


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
def files(tmp_path: Path, clock: WallClock) -> tuple[Path, Path]:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    for path, text in zip((cert, key), pair_at(clock), strict=True):
        path.write_text(text)
    return cert, key


async def test_files_are_read_again_when_they_have_changed(files, clock):
    source = FileCertificates(files[0], files[1], clock)
    assert source.refresh() is not None
    assert source.refresh() is None
    for path, text in zip(files, pair_at(clock), strict=True):
        path.write_text(text)
    assert source.refresh() is not None
    assert source.authority is None


def encrypted(key: Path) -> None:
    private = load_pem_private_key(key.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"secret")
    key.write_bytes(
        private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    )


@pytest.mark.parametrize(
    ("spoil", "setting", "words"),
    [
        (lambda cert, _: cert.unlink(), "server.tls_cert", "cannot be read (No such file"),
        (lambda _, key: key.unlink(), "server.tls_key", "cannot be read (No such file"),
        (lambda cert, _: cert.write_text("x"), "server.tls_cert", "holds no certificate in PEM form"),
        (lambda _, key: key.write_text("x"), "server.tls_key", "holds no private key in PEM form"),
        (lambda _, key: encrypted(key), "server.tls_key", "wants a passphrase"),
        (
            lambda _, key: key.write_text(local_authority.make_key()),
            "server.tls_key",
            "is not the key of the first certificate",
        ),
    ],
)
async def test_files_that_will_not_do_are_named_with_the_mend(files, clock, spoil, setting, words):
    spoil(*files)
    with pytest.raises(ConfigError) as caught:
        FileCertificates(files[0], files[1], clock).refresh()
    assert caught.value.key == setting
    assert words in str(caught.value)


@pytest.mark.parametrize(("after_days", "words"), [(-400, "has expired on"), (5, "this machine's clock")])
async def test_a_certificate_of_another_time_is_refused(files, clock, after_days, words):
    for path, text in zip(files, pair_at(clock, after_days=after_days), strict=True):
        path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        FileCertificates(files[0], files[1], clock).refresh()


@pytest.mark.parametrize(
    ("cert", "key", "setting"),
    [
        (None, Path("k"), "server.tls_cert"),
        (Path("c"), None, "server.tls_key"),
        (None, None, "server.tls_cert"),
    ],
)
async def test_both_files_are_wanted(cert, key, setting, clock):
    with pytest.raises(ConfigError, match="needs both") as caught:
        FileCertificates(cert, key, clock)
    assert caught.value.key == setting


async def test_the_households_authority_is_made_once_and_its_keys_are_its_owners_alone(tmp_path, clock):
    folder = tmp_path / "data" / "tls"
    source = LocalCertificates(folder, lambda: NAMES, clock)
    assert source.authority is None
    assert source.refresh() is not None
    authority, pair = source.authority, (folder / "server.pem").read_text()
    assert authority == (folder / "ca.pem").read_bytes()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"ca.pem": 0o644, "ca.key": 0o600, "server.pem": 0o600}
    again = LocalCertificates(folder, lambda: NAMES, clock)
    assert again.refresh() is not None
    assert (again.authority, (folder / "server.pem").read_text()) == (authority, pair)


async def test_a_new_certificate_is_made_when_addresses_change_and_before_it_expires(tmp_path, clock):
    names = list(NAMES)
    source = LocalCertificates(tmp_path, lambda: names, clock)
    assert source.refresh() is not None
    authority = source.authority
    assert source.refresh() is None
    names.append("192.168.1.20")
    assert source.refresh() is not None
    clock.shift(370 * DAY_S)
    assert source.refresh() is not None
    assert source.authority == authority, "phones need not install another"
    assert source.refresh() is None


async def test_an_authority_that_expires_is_made_anew_with_the_same_key(tmp_path, clock):
    source = LocalCertificates(tmp_path, lambda: NAMES, clock)
    source.refresh()
    authority, key = source.authority, (tmp_path / "ca.key").read_text()
    clock.shift(3640 * DAY_S)
    assert source.refresh() is not None
    assert source.authority != authority
    assert (tmp_path / "ca.key").read_text() == key


async def test_files_of_the_household_that_will_not_do_are_named(tmp_path, clock):
    source = LocalCertificates(tmp_path, lambda: NAMES, clock)
    source.refresh()
    (tmp_path / "ca.key").chmod(0o644)
    with pytest.raises(ConfigError, match=r"ca\.key: may be read by others .* for a key: remove it"):
        LocalCertificates(tmp_path, lambda: NAMES, clock).refresh()
    (tmp_path / "ca.key").chmod(0o600)
    (tmp_path / "ca.key").write_text("rubbish " * 10)
    with pytest.raises(ConfigError, match=r"ca\.key: is no key"):
        LocalCertificates(tmp_path, lambda: NAMES, clock).refresh()


async def test_a_server_file_of_rubbish_is_made_anew(tmp_path, clock):
    LocalCertificates(tmp_path, lambda: NAMES, clock).refresh()
    (tmp_path / "server.pem").write_text("rubbish " * 10)
    assert LocalCertificates(tmp_path, lambda: NAMES, clock).refresh() is not None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_folder_that_cannot_be_written_is_named(tmp_path, clock):
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match="cannot be written"):
        LocalCertificates(tmp_path / "tls", lambda: NAMES, clock).refresh()
    tmp_path.chmod(0o700)
