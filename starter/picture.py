"""The picture that a person uploads: read, straightened and re-encoded, or refused with a word on what to do."""

import contextlib
import hashlib
import io
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from popcon.background import is_plain
from popcon.errors import UnusablePicture
from popcon.mattes import matte
from popcon.wording import printable

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
FORMATS_TO_SAY = "a PNG, JPEG, WebP, GIF, BMP or TIFF"
# How PNG, JPEG, GIF and TIFF begin: a file that starts so and still can't be read was one once.
SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")

# More than any phone's camera gives by default, and at most 200 MB once decoded.
MAX_MEGAPIXELS = 50
# Under this an emoji of 180 px would be mostly invention.
MIN_SIDE = 64
# Animators work on a smaller square: more pixels than this would only cost memory and bytes.
LONG_SIDE = 2048
# A longer shape would be narrower than MIN_SIDE once its long side is shrunk.
LONGEST_SHAPE = LONG_SIDE // MIN_SIDE

# Alpha from here up counts as opaque: lossy encoders put 250 to 254 where 255 was meant.
OPAQUE = 250
# A picture with fewer see-through pixels than this share has no cut-out of its own, only stray pixels.
SEE_THROUGH_TRACE = 0.005
# Alpha up to here is invisible on any page.
INVISIBLE = 8
# A spread of levels up to here is what JPEG leaves of one colour.
FLAT_SPREAD = 4

_SRGB = ImageCms.createProfile("sRGB")

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """An upload ready to be stored: an upright 8-bit PNG without metadata, RGBA if `transparent`, else RGB."""

    png: bytes
    sha256: str
    width: int
    height: int
    transparent: bool


def read_picture(data: bytes, name: str) -> Picture:
    """Make a Picture of a file's bytes. `name` is what messages call it.

    Takes the first frame of an animation, converts to sRGB where a profile says from what, and shrinks to LONG_SIDE.
    Raises UnusablePicture, in one line, for what is no picture, is damaged, too big, too small, or empty.
    """
    shown = printable(name)
    with warnings.catch_warnings():
        # Pillow warns of sizes above a limit of its own, and of metadata that is thrown away here.
        warnings.simplefilter("ignore")
        image = _opened(data, shown)
        _refuse_size(image.width, image.height, shown)
        image = _decoded(image, shown)
    # Pillow premultiplies alpha here; the filter has no negative lobes, which would ring and tint a soft edge.
    image.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.HAMMING)
    pixels = _without_trace_of_alpha(image)
    _refuse_empty(pixels, shown)

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    png = buffer.getvalue()
    height, width, channels = pixels.shape
    return Picture(
        png=png, sha256=hashlib.sha256(png).hexdigest(), width=width, height=height, transparent=channels == 4
    )


def refuse_busy_background(picture: Picture, matte_name: str) -> None:
    """Raise UnusablePicture if the matte needs a plain background and the picture has none. Raises UnknownName."""
    chosen = matte(matte_name)
    if chosen.any_background or not has_busy_background(picture):
        return
    raise UnusablePicture(
        f"the background of this picture is not plain, and the matte {chosen.name} needs a plain one: choose a matte "
        "that handles any background (--matte rembg:isnet-anime for a drawing; `popcon models list` shows all), or use "
        "a picture whose background is one plain colour or transparent"
    )


def has_busy_background(picture: Picture) -> bool:
    """Whether only a matte that handles any background can cut the character out."""
    return not picture.transparent and not is_plain(np.asarray(Image.open(io.BytesIO(picture.png))))


def _opened(data: bytes, name: str) -> Image.Image:
    """The picture with only its header read."""
    if not data:
        raise UnusablePicture(f"{name} is an empty file: choose {FORMATS_TO_SAY} picture")
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        if data.startswith(SIGNATURES):
            raise _damaged(name) from error
        raise UnusablePicture(f"{name} is not a picture that popcon can read: choose {FORMATS_TO_SAY}") from error
    except Image.DecompressionBombError as error:
        raise _too_big(name) from error
    except Exception as error:  # what a decoder raises on a malformed file is anything at all
        raise _damaged(name) from error


def _refuse_size(width: int, height: int, name: str) -> None:
    """Raise UnusablePicture for a size that cannot become a set; known from the header, before it fills the memory."""
    if width * height > MAX_MEGAPIXELS * 1_000_000:
        raise _too_big(name)
    if min(width, height) < MIN_SIDE:
        raise UnusablePicture(
            f"{name} is too small, {width} by {height} pixels: use a picture of at least {MIN_SIDE} by {MIN_SIDE}"
        )
    if max(width, height) > LONGEST_SHAPE * min(width, height):
        raise UnusablePicture(
            f"{name} is too narrow, {width} by {height} pixels: "
            f"crop it to at most {LONGEST_SHAPE} times as long as it is wide"
        )


def _decoded(image: Image.Image, name: str) -> Image.Image:
    """The first frame as upright 8-bit sRGB: RGBA if there may be alpha, else RGB."""
    try:
        image.load()
        with contextlib.suppress(Exception):  # a broken EXIF block says nothing about which way is up
            image = ImageOps.exif_transpose(image)
        if image.mode in ("I", "F"):
            raise UnusablePicture(f"{name} has 32 bits per colour: save it with 8 or 16, for example as PNG")
        if image.mode.startswith("I;16"):
            image = _eight_bits(image)
        alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
        colours = _in_srgb(image)
    except UnusablePicture:
        raise
    except Exception as error:  # what a decoder raises on a malformed file is anything at all
        raise _damaged(name) from error
    if alpha is not None:
        colours.putalpha(alpha)
    return colours


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey scaled down (Pillow's own conversion clips), with the colour that a PNG may declare transparent."""
    levels = np.asarray(image).astype(np.uint16)
    grey = Image.fromarray((levels >> 8).astype(np.uint8))
    grey.info["icc_profile"] = image.info.get("icc_profile")
    key = image.info.get("transparency")
    if key is not None:
        grey.putalpha(Image.fromarray(np.where(levels == key, 0, 255).astype(np.uint8)))
    return grey


def _in_srgb(image: Image.Image) -> Image.Image:
    """The colours as RGB, without alpha, translated by the embedded ICC profile where there is a usable one."""
    native = image.convert(_native_mode(image))
    profile = image.info.get("icc_profile")
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError):  # a profile that is broken, or for other channels
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            translated = ImageCms.profileToProfile(native, source, _SRGB, outputMode="RGB")
            if translated is not None:
                return translated
    return native.convert("RGB")


def _native_mode(image: Image.Image) -> str:
    """The mode without palette and alpha that the picture's ICC profile would speak of."""
    if image.mode in ("1", "L", "LA", "La"):
        return "L"
    return "CMYK" if image.mode == "CMYK" else "RGB"


def _without_trace_of_alpha(image: Image.Image) -> Pixels:
    """Height, width, 4 if the picture is see-through, else 3, with stray see-through pixels filled from the border."""
    pixels = np.asarray(image)
    if image.mode == "RGB" or (pixels[..., 3] < OPAQUE).mean() > SEE_THROUGH_TRACE:
        return pixels
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    solid = border[border[:, 3] >= OPAQUE]
    colour = np.median(solid, axis=0)[:3] if len(solid) else np.full(3, 255.0)
    canvas = Image.new("RGBA", image.size, tuple(int(level) for level in colour))
    return np.asarray(Image.alpha_composite(canvas, image).convert("RGB"))


def _refuse_empty(pixels: Pixels, name: str) -> None:
    """Raise UnusablePicture if there is nothing to see."""
    if pixels.shape[2] == 4 and pixels[..., 3].max() <= INVISIBLE:
        raise UnusablePicture(f"{name} is transparent everywhere: use a picture that shows a character")
    visible = pixels[pixels[..., 3] > INVISIBLE][:, :3] if pixels.shape[2] == 4 else pixels.reshape(-1, 3)
    one_colour = np.ptp(visible, axis=0).max() <= FLAT_SPREAD
    has_outline = pixels.shape[2] == 4 and np.ptp(pixels[..., 3]) > FLAT_SPREAD
    if one_colour and not has_outline:
        raise UnusablePicture(f"{name} is one colour all over: use a picture that shows a character")


def _too_big(name: str) -> UnusablePicture:
    return UnusablePicture(f"{name} has more than {MAX_MEGAPIXELS} megapixels: scale it down first")


def _damaged(name: str) -> UnusablePicture:
    return UnusablePicture(f"{name} is cut off or damaged: save or download it again")
