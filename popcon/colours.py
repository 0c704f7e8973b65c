"""Colours as people write them."""


def rgb_levels(colour: str) -> tuple[int, int, int]:
    """`#rrggbb` in levels of 255."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
