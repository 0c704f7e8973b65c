"""Uploads: every format that is accepted, every refusal, and that no bytes at all can do more than be refused."""

import hashlib
import io
import re
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from popcon.errors import UnknownName, UnusablePicture
from starter.picture import LONG_SIDE, Picture, Pixels, read_picture, refuse_busy_background

WIDTH, HEIGHT = 96, 80
RED = (220, 40, 30)
BACKGROUND = (240, 240, 200)
# Room for the rounding of YCbCr, 4:2:0 chroma and palettes, far less than any wrong channel or missing inversion.
LOSS = 12


def figure(mode: str = "RGB") -> Image.Image:
    """A red head in the upper left, so that turning it shows; the background transparent where the mode has alpha."""
    image = Image.new("RGBA", (WIDTH, HEIGHT), (*BACKGROUND, 0 if mode in ("RGBA", "LA") else 255))
    ImageDraw.Draw(image).ellipse((8, 8, 55, 55), fill=(*RED, 255))
    return image.convert(mode)


def saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def animation(file_format: str) -> bytes:
    other = Image.new("RGB", (WIDTH, HEIGHT), (0, 0, 255))
    return saved(figure(), file_format, save_all=True, append_images=[other], duration=100)


def keyed_palette(file_format: str) -> bytes:
    """A palette picture whose background entry is transparent."""
    image = Image.new("P", (WIDTH, HEIGHT), 0)
    image.putpalette([*BACKGROUND, *RED])
    ImageDraw.Draw(image).ellipse((8, 8, 55, 55), fill=1)
    return saved(image, file_format, transparency=0)


def sixteen_bit_png(channels: int) -> bytes:
    """A 16-bit PNG (1 grey, 2 grey and alpha, 3 RGB, 4 RGBA), written by hand as Pillow writes grey only."""
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    levels = np.asarray(figure(mode)).reshape(HEIGHT, -1).astype(">u2") * 257
    rows = b"".join(b"\0" + row.tobytes() for row in levels)
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in (
            (b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, colour_type, 0, 0, 0)),
            (b"IDAT", zlib.compress(rows)),
            (b"IEND", b""),
        )
    )


def sixteen_bit_grey() -> Image.Image:
    return Image.fromarray(np.asarray(figure("L")).astype(np.uint16) * 257)


def decoded(picture: Picture) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(picture.png)))


def largest_difference(first: Pixels, second: Pixels) -> int:
    return int(np.abs(first.astype(int) - second.astype(int)).max())


OPAQUE_COLOUR: dict[str, Callable[[], bytes]] = {
    "png": lambda: saved(figure(), "PNG"),
    "png with a full alpha": lambda: saved(figure().convert("RGBA"), "PNG"),
    "png palette": lambda: saved(figure().quantize(8), "PNG"),
    "png 16 bit": lambda: sixteen_bit_png(3),
    "apng": lambda: animation("PNG"),
    "jpeg": lambda: saved(figure(), "JPEG", quality=95, subsampling=0),
    "jpeg cmyk": lambda: saved(figure("CMYK"), "JPEG", quality=95, subsampling=0),
    "webp": lambda: saved(figure(), "WEBP", lossless=True),
    "webp animation": lambda: saved(figure(), "WEBP", save_all=True, append_images=[figure()], lossless=True),
    "gif": lambda: saved(figure(), "GIF"),
    "gif animation": lambda: animation("GIF"),
    "bmp": lambda: saved(figure(), "BMP"),
    "tiff": lambda: saved(figure(), "TIFF"),
    "tiff compressed": lambda: saved(figure(), "TIFF", compression="tiff_lzw"),
}
OPAQUE_GREY: dict[str, Callable[[], bytes]] = {
    "png grey": lambda: saved(figure("L"), "PNG"),
    "png grey 16 bit": lambda: sixteen_bit_png(1),
    "tiff grey 16 bit": lambda: saved(sixteen_bit_grey(), "TIFF"),
    "jpeg grey": lambda: saved(figure("L"), "JPEG", quality=95),
}
TRANSPARENT: dict[str, Callable[[], bytes]] = {
    "png": lambda: saved(figure("RGBA"), "PNG"),
    "png palette": lambda: keyed_palette("PNG"),
    "png grey": lambda: saved(figure("LA"), "PNG"),
    "png 16 bit": lambda: sixteen_bit_png(4),
    "png grey 16 bit": lambda: sixteen_bit_png(2),
    "png colour key": lambda: saved(figure(), "PNG", transparency=BACKGROUND),
    "webp": lambda: saved(figure("RGBA"), "WEBP", lossless=True),
    "gif": lambda: keyed_palette("GIF"),
    "tiff": lambda: saved(figure("RGBA"), "TIFF"),
}


@pytest.mark.parametrize("make", OPAQUE_COLOUR.values(), ids=OPAQUE_COLOUR)
def test_a_picture_without_alpha_becomes_an_rgb_png_that_looks_the_same(make: Callable[[], bytes]) -> None:
    picture = read_picture(make(), "figure")

    assert (picture.width, picture.height, picture.transparent) == (WIDTH, HEIGHT, False)
    assert decoded(picture).shape == (HEIGHT, WIDTH, 3)
    assert largest_difference(decoded(picture)[30, 30], np.array(RED)) <= LOSS
    assert largest_difference(decoded(picture)[75, 90], np.array(BACKGROUND)) <= LOSS


@pytest.mark.parametrize("make", OPAQUE_GREY.values(), ids=OPAQUE_GREY)
def test_a_grey_picture_keeps_its_levels(make: Callable[[], bytes]) -> None:
    picture = read_picture(make(), "figure")

    assert not picture.transparent
    assert largest_difference(decoded(picture), np.asarray(figure("L").convert("RGB"))) <= LOSS


@pytest.mark.parametrize("make", TRANSPARENT.values(), ids=TRANSPARENT)
def test_a_picture_with_alpha_keeps_it(make: Callable[[], bytes]) -> None:
    picture = read_picture(make(), "figure")

    assert picture.transparent
    assert decoded(picture)[30, 30, 3] == 255
    assert decoded(picture)[75, 90, 3] == 0
    grey = figure("L").getpixel((30, 30))
    assert (
        largest_difference(decoded(picture)[30, 30, :3], np.array(RED)) <= LOSS
        or list(decoded(picture)[30, 30, :3]) == [grey] * 3
    )


def test_a_transparent_level_of_16_bit_grey_is_exact() -> None:
    levels = np.full((80, 80), 40_000, np.uint16)
    levels[20:60, 20:60] = 40_001
    picture = read_picture(saved(Image.fromarray(levels), "PNG", transparency=40_000), "figure.png")

    assert picture.transparent
    assert decoded(picture)[40, 40, 3] == 255
    assert decoded(picture)[5, 5, 3] == 0


def test_the_result_says_its_hash_and_carries_no_metadata() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    picture = read_picture(saved(figure(), "JPEG", exif=exif, comment=b"secret", dpi=(300, 300)), "figure.jpg")

    assert picture.sha256 == hashlib.sha256(picture.png).hexdigest()
    assert Image.open(io.BytesIO(picture.png)).info == {}
    assert b"home" not in picture.png


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        (2, Image.Transpose.FLIP_LEFT_RIGHT),
        (3, Image.Transpose.ROTATE_180),
        (4, Image.Transpose.FLIP_TOP_BOTTOM),
        (5, Image.Transpose.TRANSPOSE),
        (6, Image.Transpose.ROTATE_90),
        (7, Image.Transpose.TRANSVERSE),
        (8, Image.Transpose.ROTATE_270),
    ],
)
def test_a_picture_taken_sideways_stands_upright(file_format: str, orientation: int, stored: Image.Transpose) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = read_picture(saved(figure().transpose(stored), file_format, exif=exif), "figure")

    assert (picture.width, picture.height) == (WIDTH, HEIGHT)
    assert largest_difference(decoded(picture)[30, 30], np.array(RED)) <= LOSS


def test_an_embedded_profile_is_translated_to_srgb() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()  # the wrong kind: ignored
    assert (
        largest_difference(decoded(read_picture(saved(figure(), "PNG", icc_profile=lab), "f"))[30, 30], np.array(RED))
        == 0
    )
    broken = b"no profile at all"
    assert (
        largest_difference(
            decoded(read_picture(saved(figure(), "PNG", icc_profile=broken), "f"))[30, 30], np.array(RED)
        )
        == 0
    )

    swapped = swapped_primaries()
    red, green, blue = (
        int(level) for level in decoded(read_picture(saved(figure(), "PNG", icc_profile=swapped), "f"))[30, 30]
    )
    assert green > 150 > 100 > red
    assert blue < 100


def swapped_primaries() -> bytes:
    """An sRGB profile whose red and green primaries have changed places."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    for at in range(132, 132 + 12 * count, 12):
        other = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(bytes(profile[at : at + 4]))
        if other:
            profile[at : at + 4] = other
    return bytes(profile)


def test_a_broken_exif_block_does_no_harm() -> None:
    assert read_picture(saved(figure(), "JPEG", exif=b"Exif\0\0nonsense"), "figure.jpg").width == WIDTH


def test_a_large_picture_is_shrunk_without_dark_seams() -> None:
    image = Image.new("RGBA", (3000, 1500), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((500, 200, 1500, 1200), fill=(*RED, 255))
    picture = read_picture(saved(image, "PNG"), "large.png")
    pixels = decoded(picture)

    assert (picture.width, picture.height) == (LONG_SIDE, LONG_SIDE // 2)
    edge = pixels[(pixels[..., 3] > 60) & (pixels[..., 3] < 200)][:, :3]
    assert len(edge) > 0
    assert largest_difference(edge, np.broadcast_to(np.array(RED), edge.shape)) <= LOSS


def test_a_trace_of_alpha_is_filled_with_the_colour_of_the_border() -> None:
    image = figure().convert("RGBA")
    image.putpixel((95, 79), (0, 0, 0, 0))
    picture = read_picture(saved(image, "PNG"), "figure.png")

    assert not picture.transparent
    assert tuple(decoded(picture)[79, 95]) == BACKGROUND


def test_a_soft_halo_counts_as_alpha() -> None:
    image = figure().convert("RGBA")
    ImageDraw.Draw(image).rectangle((60, 60, 90, 79), fill=(*BACKGROUND, 200))

    assert read_picture(saved(image, "PNG"), "figure.png").transparent


def test_a_shape_of_one_colour_is_a_character() -> None:
    image = Image.new("RGBA", (80, 80), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((10, 10, 70, 70), fill=(0, 0, 0, 255))

    assert read_picture(saved(image, "PNG"), "cat.png").transparent


def png_header(width: int, height: int) -> bytes:
    """A PNG that ends after its header: only who decodes before looking at the size finds it cut off."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT"
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", len(body) - 4)
        + body
        + struct.pack(">I", zlib.crc32(body))
        + struct.pack(">I", 0)
        + data
        + struct.pack(">I", zlib.crc32(data))
    )


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "cat.png is an empty file"),
    "text": (lambda: b"I am a cat, not a picture." * 9, "cat.png is not a picture that popcon can read"),
    "unknown format": (lambda: saved(figure(), "PPM"), "not a picture that popcon can read"),
    "only the first bytes": (lambda: saved(figure(), "PNG")[:10], "cut off or damaged"),
    "cut-off png": (lambda: saved(figure(), "PNG")[:-60], "cut off or damaged"),
    "cut-off jpeg": (lambda: saved(figure(), "JPEG")[:-200], "cut off or damaged"),
    "cut-off webp": (lambda: saved(figure(), "WEBP")[:-60], "cut off or damaged"),
    "cut-off gif": (lambda: saved(figure(), "GIF")[:-60], "cut off or damaged"),
    "cut-off bmp": (lambda: saved(figure(), "BMP")[:-60], "cut off or damaged"),
    "cut-off tiff": (lambda: saved(figure(), "TIFF", compression="tiff_lzw")[:-500], "cut off or damaged"),
    "just over 50 megapixels": (lambda: png_header(8000, 6251), "more than 50 megapixels"),
    "between Pillow's two limits": (lambda: png_header(10_000, 10_000), "more than 50 megapixels"),
    "a decompression bomb": (lambda: png_header(60_000, 60_000), "more than 50 megapixels"),
    "small": (lambda: saved(figure().resize((200, 63)), "PNG"), "too small, 200 by 63 pixels"),
    "narrow": (lambda: saved(figure().resize((64, 2100)), "PNG"), "too narrow, 64 by 2100 pixels"),
    "32 bits": (lambda: saved(figure("L").convert("F"), "TIFF"), "32 bits per colour"),
    "one colour": (lambda: saved(Image.new("RGB", (80, 80), RED), "JPEG"), "one colour all over"),
    "one colour, evenly see-through": (lambda: saved(Image.new("RGBA", (80, 80), (*RED, 90)), "PNG"), "one colour"),
    "transparent": (lambda: saved(Image.new("RGBA", (80, 80), (*RED, 0)), "PNG"), "transparent everywhere"),
}


@pytest.mark.parametrize(("make", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_no_set_can_be_made_from_is_refused_in_one_line(make: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(UnusablePicture) as refusal:
        read_picture(make(), "cat.png")

    assert reason in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_name_cannot_break_the_line() -> None:
    with pytest.raises(UnusablePicture, match=r"^a\?b is an empty file"):
        read_picture(b"", "a\nb")


def busy_picture() -> Picture:
    noise = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return read_picture(saved(Image.fromarray(noise), "PNG"), "street.png")


def test_a_plain_or_transparent_background_suits_every_matte() -> None:
    refuse_busy_background(read_picture(saved(figure(), "JPEG"), "figure.jpg"), "keyer")
    refuse_busy_background(read_picture(saved(figure("RGBA"), "PNG"), "figure.png"), "keyer")


def test_a_busy_background_is_refused_with_a_matte_that_handles_it() -> None:
    with pytest.raises(
        UnusablePicture, match=r"matte keyer needs a plain one.*plain colour or transparent$"
    ) as refused:
        refuse_busy_background(busy_picture(), "keyer")
    named = re.findall(r"--matte (\S+)", str(refused.value))

    assert named
    for each in named:
        refuse_busy_background(busy_picture(), each)


def test_an_unknown_matte_is_named() -> None:
    with pytest.raises(UnknownName, match="keyer"):
        refuse_busy_background(busy_picture(), "guesswork")


REAL = [
    saved(figure(), "PNG"),
    keyed_palette("PNG"),
    animation("PNG"),
    saved(figure(), "JPEG"),
    saved(figure(), "GIF"),
    saved(figure(), "WEBP"),
    saved(figure("RGBA"), "TIFF", compression="tiff_lzw"),
    saved(figure(), "BMP"),
]


def refusal_of(data: bytes) -> str:
    """What a file is refused with; empty if it is read. Any other error falls through."""
    try:
        read_picture(data, "upload")
    except UnusablePicture as refusal:
        return str(refusal)
    return ""


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_only_ever_refused(data: bytes) -> None:
    assert refusal_of(data)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(REAL), st.data())
def test_a_cut_off_picture_is_read_or_refused(real: bytes, data: st.DataObject) -> None:
    assert "\n" not in refusal_of(real[: data.draw(st.integers(0, len(real)))])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(REAL), st.data())
def test_a_picture_with_flipped_bytes_is_read_or_refused(real: bytes, data: st.DataObject) -> None:
    broken = bytearray(real)
    # Headers are where a flipped byte does most: half of the flips go there.
    places = st.integers(0, len(real) - 1) | st.integers(0, min(60, len(real) - 1))
    for place in data.draw(st.lists(places, min_size=1, max_size=8)):
        broken[place] = data.draw(st.integers(0, 255))
    assert "\n" not in refusal_of(bytes(broken))
