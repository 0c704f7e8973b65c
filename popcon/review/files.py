"""The reviewer's list on finished files."""

from collections.abc import Mapping
from contextlib import suppress

from popcon.errors import BrokenFile
from popcon.readers.decoded import decode
from popcon.remark import Remark
from popcon.review.reviewer import look, sum_up


def review_files(files: Mapping[int, bytes]) -> tuple[Remark, ...]:
    """What a reviewer would say about emojis, by number; the worst first.

    What cannot be decoded is left out, since it breaks a rule already, and so is a still picture.
    """
    looks = {}
    for number, data in files.items():
        with suppress(BrokenFile):
            decoded = decode(data)
            if len(decoded.frames) > 1:
                looks[number] = look(decoded)
    return sum_up(looks)
