"""What a store's reviewer would say about an emoji that obeys every rule."""

from pydantic import Field

from popcon.model import Model


class Remark(Model):
    """One item of the reviewer's list (docs/review.md) that an emoji does not hold. `text` says what to do about it."""

    emoji: int
    kind: str
    value: str = Field(description="what was measured, in words")
    limit: str = Field(description="what it should be, in words")
    text: str
    frames: tuple[int, ...] = Field(
        default=(), description="those of the file, from 1, in which it is to be seen; empty: in none in particular"
    )
    weight: float = Field(description="how bad it is, among all remarks: the higher, the worse")
