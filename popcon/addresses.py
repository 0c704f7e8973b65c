"""The addresses of sets in the HTTP API, for all that tell of them."""

PREFIX = "/v1"


def sets() -> str:
    """The list of sets."""
    return f"{PREFIX}/sets"


def one_set(set_id: str) -> str:
    """A set."""
    return f"{sets()}/{set_id}"
