"""How a process ends that has met Temporal, or tried to."""

import os
import sys
from contextlib import suppress
from typing import NoReturn

FAILED = 1


def end(code: int) -> NoReturn:
    """End this process now, with all that it printed, and with 1 if that could not be written.

    Not by way of the interpreter's end: a thread of Temporal's client that still connects would panic in it, or hang.
    """
    try:
        sys.stdout.flush()
    except OSError:
        code = code or FAILED
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)
