"""`python -m lumi.config docs/configuration.md` writes the reference of all settings anew."""

from __future__ import annotations

import sys
from pathlib import Path

from lumi.config.reference import markdown

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(markdown(), encoding="utf-8")
