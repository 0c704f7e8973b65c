"""A device that is lost to this process: how that shows, and what whoever waited for it is told."""

from popcon.errors import Unavailable
from popcon.wording import told

# What CUDA calls the errors of which its manual says that "the process must be terminated and relaunched" (CUDA Runtime
# API, cudaError 700, 702, 710 and 714 to 719). torch ("CUDA error: …") and onnxruntime ("CUDA failure 700: …") pass its
# words on, in errors that have no type of their own.
_WORDS = (
    "an illegal memory access was encountered",
    "the launch timed out and was terminated",
    "device-side assert triggered",
    "hardware stack error",
    "an illegal instruction was encountered",
    "misaligned address",
    "operation not supported on global/shared address space",
    "invalid program counter",
    "unspecified launch failure",
)


def is_broken(error: BaseException) -> bool:
    """Whether nothing that this process asks of its device can succeed any more."""
    said = str(error)
    return "CUDA" in said and any(words in said for words in _WORDS)


def lost(error: BaseException) -> Unavailable:
    """What is told: another process may well do what this one cannot."""
    return Unavailable(f"this GPU worker has lost its device and has to be started anew: {told(error)}")
