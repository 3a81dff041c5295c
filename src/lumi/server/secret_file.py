"""Secrets in files that their owner alone may read: made whole or not at all, refused where others may read them."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from lumi.errors import ConfigError

SECRET_BYTES = 32
SHORTEST = 32
"""Characters; whoever puts a secret of their own there gives at least as many."""

TOKEN_SECRET = "token.secret"  # noqa: S105 - a file's name
ADMIN_TOKEN = "admin.token"  # noqa: S105 - a file's name


class SecretFile:
    """One secret. Read again whenever the file has changed, so that a new one counts at once.

    Args:
        path: the file.
        make: gives a new secret.
    """

    def __init__(
        self, path: Path, make: Callable[[], str] = lambda: secrets.token_urlsafe(SECRET_BYTES)
    ) -> None:
        self.path = path
        self._make = make
        self._known: tuple[tuple[int, int, int], str] | None = None

    def read(self) -> str | None:
        """The secret; None where there is no file.

        Raises:
            ConfigError: others may read it, it is somebody else's, or it holds no secret; says what to do.
        """
        try:
            about = self.path.lstat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._problem(f"cannot be read ({error.strerror})") from error
        mark = (about.st_ino, about.st_mtime_ns, about.st_ctime_ns)
        if self._known is None or self._known[0] != mark:
            self._check(about)
            self._known = (mark, self._text())
        return self._known[1]

    def obtain(self) -> str:
        """The secret, made first where there is none; of several who make it at once all get the same.

        Raises:
            ConfigError: as `read`, or it cannot be written.
        """
        found = self.read()
        if found is not None:
            return found
        self._write(replace=False)
        made = self.read()
        assert made is not None
        return made

    def renew(self) -> str:
        """A new secret in place of the old one: whatever was made with that is void.

        Raises:
            ConfigError: it cannot be written.
        """
        self._write(replace=True)
        made = self.read()
        assert made is not None
        return made

    def _text(self) -> str:
        try:
            text = self.path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise self._problem("cannot be read; remove it and a new one is made") from error
        if len(text) < SHORTEST:
            raise self._problem(f"holds fewer than {SHORTEST} characters; remove it and a new one is made")
        return text

    def _check(self, about: os.stat_result) -> None:
        if not stat.S_ISREG(about.st_mode):
            raise self._problem("is no plain file; remove it and a new one is made")
        if os.name != "posix":  # elsewhere the directory's own rules count
            return
        if about.st_uid != os.geteuid():
            raise self._problem("belongs to another user; give it to the user who runs the server")
        if about.st_mode & 0o077:
            mode = stat.S_IMODE(about.st_mode)
            raise self._problem(
                f"may be read by others (mode {mode:o}); chmod 600 it, and make a new one (lumi token rotate; "
                "for a key: remove it) if somebody else may have read it"
            )

    def _write(self, *, replace: bool) -> None:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)  # mode 600
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(self._make().strip() + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                self._put(name, replace=replace)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    Path(name).unlink()
        except OSError as error:
            raise self._problem(f"cannot be written ({error.strerror})") from error

    def _put(self, name: str, *, replace: bool) -> None:
        """Under its name, whole. Who was first stays, unless it is to be replaced."""
        if replace:
            Path(name).replace(self.path)
            return
        with contextlib.suppress(FileExistsError):
            os.link(name, self.path)

    def _problem(self, text: str) -> ConfigError:
        return ConfigError(str(self.path), text)
