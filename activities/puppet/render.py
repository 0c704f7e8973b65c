"""Renders a take with the puppet: motion from the character's picture alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from activities.pictures import Pixels
from activities.puppet.effects import Mark, marks
from activities.puppet.field import Field
from activities.puppet.figure import Figure
from activities.puppet.performance import Performance
from activities.puppet.pose import Pose
from activities.puppet.shadow import shadow
from activities.puppet.shapes import RGB, sprite
from activities.puppet.stage import Stage, fit

Moment = tuple[Pose, list[Mark]]


def render(character: Pixels, performance: Performance, plate: RGB) -> Iterator[Pixels]:
    """One loop of the character in motion on the plate: its pictures (height x width x 3, uint8), one by one.

    The character (height x width x 4, uint8, straight alpha) gives the size. The picture after the last is the first.
    Raises UnusablePicture if nothing of the character is visible.
    """
    figure = Figure.of(character)
    moments = _moments(figure, performance)
    return _shown(figure, moments, fit(figure, moments), plate, performance.shadow)


def redraw(character: Pixels, take: Performance, wanted: Performance, picture: int, plate: RGB) -> Pixels:
    """One picture (numbered from 1) of another performance, framed like the take it belongs to.

    It may stand between the take's pictures. Where its pose would leave the canvas, it moves no further, and shrinks no
    more, than it has to.
    """
    figure = Figure.of(character)
    moment = _moments(figure, wanted)[picture - 1]
    stage = fit(figure, [moment], fit(figure, _moments(figure, take)))
    return next(_shown(figure, [moment], stage, plate, wanted.shadow))


def cut_out(character: Pixels, performance: Performance, plate: RGB) -> Iterator[Pixels]:
    """What `render` lays on the plate, picture by picture: the true alpha, for judging mattes (premultiplied RGBA)."""
    figure = Figure.of(character)
    moments = _moments(figure, performance)
    return (seen for seen, _ in _layers(figure, moments, fit(figure, moments), plate))


def _moments(figure: Figure, performance: Performance) -> list[Moment]:
    return [
        (pose, marks(performance.effects, time, pose, figure.outline.head, performance.mirrored))
        for pose, time in zip(performance.poses(), performance.times(), strict=True)
    ]


def _shown(figure: Figure, moments: Sequence[Moment], stage: Stage, plate: RGB, shadowed: bool) -> Iterator[Pixels]:
    height, width = figure.body.shape[:2]
    x, y = stage.places(width, height)
    behind = _plate_behind(plate)
    for seen, pose in _layers(figure, moments, stage, plate):
        if shadowed:
            yield _on_shadow(seen, 1 - shadow(pose, figure.outline.flank, x, y), plate)
        else:
            yield _composite(seen, behind)


def _layers(figure: Figure, moments: Sequence[Moment], stage: Stage, plate: RGB) -> Iterator[tuple[Pixels, Pose]]:
    """The character and the marks beside it (premultiplied RGBA), and the pose."""
    height, width = figure.body.shape[:2]
    x, y = stage.places(width, height)
    for pose, beside in moments:
        seen = figure.posed(pose, x, y)
        for mark in beside:
            _lay(seen, mark, stage, plate)
        yield seen, pose


def _lay(seen: Pixels, mark: Mark, stage: Stage, plate: RGB) -> None:
    """Lay a mark over what is seen, where it belongs."""
    edge = mark.size * stage.scale
    shape = sprite(mark.shape, max(8, round(edge)), plate)
    middle_x, middle_y = stage.foot_x + mark.x * stage.scale, stage.foot_y - mark.y * stage.scale
    half = 0.75 * edge + 1
    left, top = max(0, int(middle_x - half)), max(0, int(middle_y - half))
    right, bottom = min(seen.shape[1], int(middle_x + half) + 1), min(seen.shape[0], int(middle_y + half) + 1)
    if left >= right or top >= bottom:
        return
    place = cv2.getRotationMatrix2D((len(shape) / 2, len(shape) / 2), np.degrees(mark.turn), edge / len(shape))
    place[0, 2] += middle_x - left - len(shape) / 2
    place[1, 2] += middle_y - top - len(shape) / 2
    laid = cv2.warpAffine(shape, place, (right - left, bottom - top))
    under = seen[top:bottom, left:right]
    through = 255 - laid[:, :, 3:].astype(np.uint16)
    under[:] = laid + ((under * through + 127) // 255).astype(np.uint8)


def _plate_behind(plate: RGB) -> Pixels:
    """What shows of the plate behind each alpha (256 x 1 x 3): a table, as there are only 256 answers."""
    hidden = np.arange(256, dtype=np.float32)[:, None, None]
    return np.rint((1 - hidden / 255) * np.array(plate, np.float32)).astype(np.uint8)


def _composite(seen: Pixels, behind: Pixels) -> Pixels:
    alpha = cv2.cvtColor(seen[:, :, 3], cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.add(cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB), cv2.LUT(alpha, behind)), np.uint8)


def _on_shadow(seen: Pixels, light: Field, plate: RGB) -> Pixels:
    through = light * (255 - seen[:, :, 3]) / np.float32(255)
    behind = np.rint(through[:, :, None] * np.array(plate, np.float32)).astype(np.uint8)
    return np.asarray(cv2.add(cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB), behind), np.uint8)
