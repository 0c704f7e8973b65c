"""The task queues, by what the work needs."""

WORKFLOW = "popcon-workflow"
CPU = "popcon-cpu"
# A person's edits have a slot of their own, so that they never wait behind a batch.
CPU_EDIT = "popcon-cpu-edit"
GENERATE = "popcon-generate"
GPU = "popcon-gpu"
