"""Short names for what was asked, as part of a recipe."""

import hashlib
import json

# Edits of one matte are a handful: two of them collide once in billions.
DIGITS = 10


def fingerprint(asked: list[object]) -> str:
    """The same request (as JSON takes it) on the same mattes gives the same result under the same key."""
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:DIGITS]
