import os
import stat
import threading
from pathlib import Path

import pytest

from lumi.errors import ConfigError
from lumi.server.secret_file import SecretFile


def test_a_secret_is_made_once_and_its_owner_alone_may_read_it(tmp_path: Path):
    path = tmp_path / "data" / "token.secret"
    assert SecretFile(path).read() is None
    secret = SecretFile(path).obtain()
    assert len(secret) == 43
    assert SecretFile(path).obtain() == SecretFile(path).read() == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["token.secret"]


def test_of_several_who_make_it_at_once_all_get_the_same(tmp_path: Path):
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(SecretFile(tmp_path / "s").obtain())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1


def test_a_new_one_counts_at_once_for_whoever_has_the_file(tmp_path: Path):
    file = SecretFile(tmp_path / "s")
    former = file.obtain()
    new = SecretFile(tmp_path / "s").renew()
    assert file.read() == new != former


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_one_that_others_may_read_is_refused_with_the_mend(tmp_path: Path, mode: int):
    path = tmp_path / "s"
    SecretFile(path).obtain()
    path.chmod(mode)
    with pytest.raises(ConfigError, match=rf"{path}: may be read by others \(mode {mode:o}\); chmod 600"):
        SecretFile(path).read()
    path.chmod(0o600)
    assert SecretFile(path).read()


def test_a_change_of_its_permissions_is_noticed(tmp_path: Path):
    file = SecretFile(tmp_path / "s")
    file.obtain()
    file.path.chmod(0o644)
    with pytest.raises(ConfigError, match="others"):
        file.read()


def test_neither_a_link_nor_a_short_text_is_a_secret(tmp_path: Path):
    real = SecretFile(tmp_path / "real")
    real.obtain()
    link = tmp_path / "link"
    link.symlink_to(real.path)
    with pytest.raises(ConfigError, match="no plain file"):
        SecretFile(link).read()
    short = tmp_path / "short"
    short.touch(mode=0o600)
    short.write_text("hunter2")
    with pytest.raises(ConfigError, match="fewer than 32"):
        SecretFile(short).read()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_somebody_elses_file_is_refused(tmp_path: Path):
    file = SecretFile(tmp_path / "s")
    file.obtain()
    os.chown(file.path, 12_345, 12_345)
    with pytest.raises(ConfigError, match="another user"):
        SecretFile(file.path).read()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be"):
        SecretFile(tmp_path / "file" / "s").obtain()
