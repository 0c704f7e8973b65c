"""Readers of finished files. Ours believe nothing, use no image library and share no line with the encoder; the
libraries' (`decoded`) show what apps see."""

from popcon.errors import BrokenFile
from popcon.platforms import Format
from popcon.readers import gif, png, webm, webp
from popcon.readers.animation import Animation

__all__ = ["Animation", "format_of", "read"]

READERS = {
    Format.APNG: png.read_png,
    Format.WEBP: webp.read_webp,
    Format.WEBM: webm.read_webm,
    Format.GIF: gif.read_gif,
}


def format_of(data: bytes) -> Format | None:
    """What a file begins like; `apng` for every PNG. None: nothing that a reader knows."""
    if data.startswith(png.SIGNATURE):
        return Format.APNG
    if data[:4] == webp.RIFF and data[8:12] == webp.WEBP:
        return Format.WEBP
    if data.startswith(webm.SIGNATURE):
        return Format.WEBM
    return Format.GIF if data.startswith(gif.SIGNATURES) else None


def read(data: bytes) -> Animation:
    """What a file says about itself. Raises BrokenFile, which says what is wrong."""
    known = format_of(data)
    if known is None:
        raise BrokenFile("it does not begin like a PNG, WebP, WebM or GIF")
    return READERS[known](data)
