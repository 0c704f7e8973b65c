"""Child processes that never outlive the one that started them."""

import ctypes
import signal
import sys


def die_with_parent() -> None:
    """For Popen's `preexec_fn`: have the kernel kill this child when the thread that started it dies, however it does.

    Where the kernel cannot (it must be Linux), who needs more than that has to see to it.
    """
    if sys.platform == "linux":
        set_death_signal = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)
