"""Ask the GPU worker for a preview of a click."""

from datetime import timedelta

from temporalio.client import Client

from popcon.tasks import Preview, RefineMatte
from starter.asking_gpu import ask_gpu
from workflows import stubs

# Somebody looks at the screen: what does not come soon is better asked for again.
PATIENCE = timedelta(seconds=60)


async def ask_preview(temporal: Client, task: RefineMatte, owner: str) -> Preview:
    """Where the preview lies, made as urgently as an edit. Raises Refused with the worker's words, and Unavailable."""
    return await ask_gpu(
        temporal,
        stubs.preview_refinement,
        task,
        name=f"{task.set_id}/preview",
        summary=f"emoji {task.emoji} frame {task.frame} · preview",
        owner=owner,
        patience=PATIENCE,
    )
