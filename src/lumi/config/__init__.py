"""Settings: one frozen `Config`, read once at start and passed down.

`settings.py` what can be set, `sources.py` who says it, `loading.py` whose word holds (flag, environment, profile, file,
default: the first that says something), `reference.py` writes `docs/configuration.md` from all three.
"""

from lumi.config.loading import Reading, load, read
from lumi.config.settings import Config

__all__ = ["Config", "Reading", "load", "read"]
