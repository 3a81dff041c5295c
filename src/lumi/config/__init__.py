"""Settings: one frozen `Config`, read once at start and passed down.

`settings.py` what can be set, `loading.py` where it comes from (flag, environment, file, default: the first that
says something wins), `reference.py` writes `docs/configuration.md` from both.
"""

from lumi.config.loading import load
from lumi.config.settings import Config

__all__ = ["Config", "load"]
