"""Pens and colours of the sheet: round panels, and words that never leave their room."""

from functools import cache

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

PAGE: Colour = (241, 242, 244)
CARD: Colour = (255, 255, 255)
LINE: Colour = (222, 224, 228)
INK: Colour = (24, 26, 30)
QUIET: Colour = (110, 115, 124)
GOOD: Colour = (22, 128, 72)
WARNING: Colour = (176, 102, 0)
WARNING_TINT: Colour = (255, 246, 230)
BAD: Colour = (190, 40, 40)
BAD_TINT: Colour = (253, 240, 239)

RADIUS = 14
LINE_SPACING = 1.4
# Pillow draws round corners with steps: drawn this much larger and shrunk they are smooth.
SMOOTHING = 4
# Pillow's own font has one weight; a thin outline in the same colour makes it semi-bold.
BOLD_OUTLINE = 0.5


def panel(
    page: Image.Image,
    at: tuple[int, int],
    size: tuple[int, int],
    fill: Colour,
    outline: Colour | None = None,
    radius: int = RADIUS,
    thickness: int = 1,
) -> None:
    """A rectangle with round corners, and perhaps a line around it, inside its size."""
    page.paste(outline or fill, at, _rounded(size, radius))
    if outline:
        inner = (size[0] - 2 * thickness, size[1] - 2 * thickness)
        page.paste(fill, (at[0] + thickness, at[1] + thickness), _rounded(inner, radius - thickness))


def write(
    page: Image.Image, at: tuple[int, int], text: str, size: int, colour: Colour, room: int, *, bold: bool = False
) -> None:
    """One line from its top left corner, cut to the room."""
    shown = _shorten(_drawable(text), font(size), room)
    outline = BOLD_OUTLINE if bold else 0
    ImageDraw.Draw(page).text(at, shown, colour, font(size), stroke_width=outline, stroke_fill=colour)


def write_lines(page: Image.Image, at: tuple[int, int], lines: list[str], size: int, colour: Colour) -> None:
    """Lines that `wrapped` made, one below the other."""
    draw = ImageDraw.Draw(page)
    for place, line in enumerate(lines):
        draw.text((at[0], at[1] + place * line_height(size)), line, colour, font(size))


def wrapped(text: str, size: int, room: int, at_most: int) -> list[str]:
    """The text in lines that fit the room; what is left over after the last is cut."""
    lines = [""]
    for word in _drawable(text).split():
        longer = f"{lines[-1]} {word}".strip()
        if font(size).getlength(longer) <= room:
            lines[-1] = longer
        elif len(lines) == at_most:
            lines[-1] = _shorten(f"{longer}...", font(size), room)
            break
        else:
            lines.append(word)
    return [_shorten(line, font(size), room) for line in lines if line]


def width_of(text: str, size: int) -> int:
    """How wide a line of text is, in pixels."""
    return round(font(size).getlength(_drawable(text)))


def line_height(size: int) -> int:
    """From one line to the next, in pixels."""
    return round(size * LINE_SPACING)


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font."""
    found = ImageFont.load_default(size)
    if not isinstance(found, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType: install one of its wheels")
    return found


@cache
def _rounded(size: tuple[int, int], radius: int) -> Image.Image:
    large = Image.new("L", (size[0] * SMOOTHING, size[1] * SMOOTHING))
    edge = (large.width - 1, large.height - 1)
    ImageDraw.Draw(large).rounded_rectangle((0, 0, *edge), radius * SMOOTHING, fill=255)
    return large.resize(size, Image.Resampling.BOX)


def _drawable(text: str) -> str:
    """Pillow's own font knows Western European letters only."""
    return text.encode("latin-1", "replace").decode("latin-1")


def _shorten(text: str, font: ImageFont.FreeTypeFont, room: int) -> str:
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(f"{text}...") > room:
        text = text[:-1]
    return f"{text.rstrip()}..."
