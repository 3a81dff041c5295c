"""`lumi bench`: hands its arguments on to the load generator."""

from __future__ import annotations

from collections.abc import Sequence

from lumi.commands.console import Console
from lumi.commands.running import DONE, FAILED, load_extra
from lumi.errors import LumiError


def bench(console: Console, arguments: Sequence[str]) -> int:
    """Run the measurement; the exit code is its own."""
    try:
        run = load_extra("lumi.bench.run", extra="server", command="lumi bench")
        return run.main(list(arguments)) or DONE
    except LumiError as error:
        console.fail(error)
        return FAILED
