"""Memory of the device: what running out of it looks like, whichever library says so, and what can be given back."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from popcon.errors import OutOfMemory
from popcon.wording import told

# By name, since neither torch nor onnxruntime may be installed.
_TYPES = ("OutOfMemoryError", "MemoryError")
# What onnxruntime and CUDA's libraries say in errors that have no type of their own; OpenCV's is the last. On a card
# that is full, cuDNN and cuBLAS do not even start. Of a full machine onnxruntime passes C++'s words on.
_WORDS = (
    "out of memory",
    "failed to allocate memory",
    "bad_alloc",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
    "cudnncreate(",
    "cublascreate(",
    "insufficient memory",
)


def empty_device_caches() -> None:
    """Give back what torch keeps of the device's memory for later, if anybody uses torch here."""
    if torch := sys.modules.get("torch"):
        torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a forward pass failed because the device, or the machine, has no memory left."""
    if any(kind.__name__ in _TYPES for kind in type(error).__mro__):
        return True
    said = str(error).lower()
    return any(words in said for words in _WORDS)


def out_of_memory(what: str, error: Exception) -> OutOfMemory:
    """The error for people, with advice: `what` ran out of memory, on what, in words."""
    advice = "choose a smaller model, or give the GPU worker a device with more memory"
    return OutOfMemory(f"{what}: {advice} ({told(error)})")


@contextmanager
def advising(what: str) -> Iterator[None]:
    """Where memory runs out in the block, raise that as `out_of_memory` says it."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise out_of_memory(what, error) from error


def clear_frames(error: BaseException) -> None:
    """Let go of what the failed calls had in hand, which lives as long as the error does that tells where they were."""
    seen: set[int] = set()
    errors: list[BaseException | None] = [error]
    while errors:
        each = errors.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            traceback.clear_frames(each.__traceback__)
            errors += [each.__cause__, each.__context__]
