"""What lives as long as the process is not looked at again by the collector of cyclic garbage.

CPython's full collection walks every container there is, with the interpreter's lock held: with a server's modules and
engines among them it takes some 100 ms, in which no frame is sent. The modules never become garbage, so they are set
aside once (https://docs.python.org/3/library/gc.html#gc.freeze), and a collection looks at what came later: sessions.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def set_aside() -> Iterator[None]:
    """Within it, a collection leaves out whatever exists now; a process enters it once, when all is loaded."""
    gc.collect()  # garbage set aside would stay
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
