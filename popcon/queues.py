"""The task queues, by what the work needs."""

WORKFLOW = "popcon-workflow"
CPU = "popcon-cpu"
# A person's edits have a slot of their own, so that they never wait behind a batch.
CPU_EDIT = "popcon-cpu-edit"
# Other people's servers may be slow: whoever waits for one takes no slot from the work on sets.
WEBHOOK = "popcon-webhook"
GENERATE = "popcon-generate"
GPU = "popcon-gpu"
# Nothing is sent here: GPU workers poll it while they load their models, and so tell that they are coming.
GPU_STARTING = "popcon-gpu-starting"
