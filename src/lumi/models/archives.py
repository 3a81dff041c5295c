"""Unpacks what a model comes in (tar, also compressed), and nothing outside its folder.

Files and folders only: links, devices, absolute paths and `..` are refused, and so is what grows beyond all measure.
"""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path, PurePosixPath

from lumi.errors import ModelError

LARGEST_BYTES = 8 << 30
"""All files of an archive together."""


def unpack(archive: Path, folder: Path, largest_bytes: int = LARGEST_BYTES) -> None:
    """Unpack into `folder`; the one folder that such archives put around everything is left out.

    Raises:
        ModelError: it cannot be read, does not fit, or wants to write elsewhere.
    """
    room = largest_bytes
    try:
        with tarfile.open(archive, "r|*") as tar:
            for member in tar:
                place = destination(member, folder)
                if place is not None:
                    room -= member.size
                    if room < 0:
                        raise ModelError(
                            f"{archive.name} unpacks to more than {largest_bytes} bytes: refused"
                        )
                    _write(tar, member, place)
    except (tarfile.TarError, EOFError) as error:
        raise ModelError(
            f"{archive.name} is no archive that can be read ({error}); fetch it again"
        ) from error
    except OSError as error:
        raise ModelError(f"{archive.name} cannot be unpacked ({error.strerror or error})") from error


def destination(member: tarfile.TarInfo, folder: Path) -> Path | None:
    """Where a member belongs; None for what needs no file. Raises `ModelError` for what is not to be trusted."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name or ":" in member.name:
        raise ModelError(f"the archive wants to write to {member.name!r}: refused")
    if not (member.isfile() or member.isdir()):
        raise ModelError(f"the archive holds {member.name!r}, which is neither file nor folder: refused")
    inner = path.parts[1:]
    return folder.joinpath(*inner) if inner and member.isfile() else None


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    content = tar.extractfile(member)
    if content is not None:
        with content, place.open("wb") as file:
            shutil.copyfileobj(content, file)
