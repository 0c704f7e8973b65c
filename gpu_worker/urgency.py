"""How urgent the current activity is, for the order in the lane."""

from temporalio import activity

# What Temporal gives work that names no priority.
DEFAULT_PRIORITY = 3


def priority() -> int:
    """The current activity's priority: smaller goes first."""
    return activity.info().priority.priority_key or DEFAULT_PRIORITY
