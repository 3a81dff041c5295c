"""Which servers are believed to be who they say: those the system trusts, and those of one more authority."""

from __future__ import annotations

import ssl
from pathlib import Path

from lumi.errors import ConfigError


def trusting(ca: Path | str) -> ssl.SSLContext:
    """For connections to servers whose certificate comes from the authority in `ca` (PEM), or from one of the system's.

    Raises:
        ConfigError: the file cannot be read, or is no certificate.
    """
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=ca)
    except ssl.SSLError as error:
        raise ConfigError(
            "--ca", f"{ca} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
        ) from error
    except OSError as error:
        raise ConfigError("--ca", f"{ca} cannot be read ({error.strerror})") from error
    return context
