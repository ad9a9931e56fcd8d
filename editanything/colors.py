"""Colours and their English names: words to sRGB, and sRGB to a basic name.

All colours are sRGB uint8 triples. Only the standard library is needed: the parser uses this
module, and it must answer at once.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import atan2, cbrt, cos, dist, hypot, sin
from pathlib import Path

RGBTriple = tuple[int, int, int]

# How a modifier moves a colour in OKLab (Ottosson 2020): (lightness, chroma) -> the same.
MODIFIERS: dict[str, tuple[float, float, float]] = {
    # word: (share of the way to `target lightness`, target lightness, factor on the chroma)
    "dark": (0.40, 0.0, 0.95),
    "darker": (0.30, 0.0, 0.95),
    "deep": (0.35, 0.0, 1.05),
    "dim": (0.30, 0.0, 0.80),
    "light": (0.50, 1.0, 0.70),
    "lighter": (0.35, 1.0, 0.80),
    "pale": (0.60, 1.0, 0.45),
    "pastel": (0.55, 1.0, 0.50),
    "soft": (0.35, 1.0, 0.60),
    "faded": (0.30, 0.8, 0.45),
    "bright": (0.15, 1.0, 1.25),
    "brighter": (0.20, 1.0, 1.20),
    "vivid": (0.0, 1.0, 1.35),
    "vibrant": (0.0, 1.0, 1.35),
    "neon": (0.20, 1.0, 1.50),
    "hot": (0.05, 1.0, 1.40),
    "electric": (0.05, 1.0, 1.40),
    "muted": (0.10, 0.6, 0.50),
    "dull": (0.15, 0.4, 0.50),
    "dusty": (0.15, 0.6, 0.50),
    "warm": (0.0, 1.0, 1.05),
    "cool": (0.0, 1.0, 0.95),
    "rich": (0.10, 0.0, 1.15),
    "medium": (0.0, 1.0, 1.0),
    "pure": (0.0, 1.0, 1.0),
    "solid": (0.0, 1.0, 1.0),
    "plain": (0.0, 1.0, 1.0),
    "metallic": (0.0, 1.0, 0.85),
    "glossy": (0.0, 1.0, 1.0),
    "matte": (0.0, 1.0, 0.90),
    "very": (0.0, 1.0, 1.0),
}

#: Examples of the basic colour terms of English (Berlin & Kay 1969, and teal): a colour bears the
#: name of the nearest example in OKLab. Brown is dark orange and pink light red there, which is why
#: one example a name would not do.
EXAMPLES: dict[str, str] = {
    "black": "000000 161616 12121c 1c1210 0c1a0c",
    "grey": "303030 484848 606060 808080 a9a9a9 c0c0c0 d8d8d8 708090 a39f98 4a4f55",
    "white": "ffffff f0f0f0 fffaf0 f0f8ff fff0f5 f0fff0 faf0e6",
    "red": "ff0000 cc0000 8b0000 dc143c e34234 b22222 5c0000 ff4d3d 80131f a5202a",
    "orange": "ff8c00 ffa500 ff7f50 e07020 f4a460 ff6a13 ffcba4 d2691e",
    "brown": "8b4513 a0522d 5c3317 654321 a52a2a d2b48c b08050 3b2412 bc8f6f deb887 996633 a67b5b",
    "yellow": "ffff00 ffd700 f0e68c fffacd e6c200 b8a000 daa520 ffe4a0 e0e000 f5f5a0",
    "green": "008000 00ff00 006400 90ee90 556b2f 808000 9acd32 2e8b57 8fbc8f 1b3d1b adff2f c0f0c0"
    " 3cb371 6b8e23 00ff7f",
    "teal": "008080 00ffff 40e0d0 20b2aa 5f9ea0 afeeee 004d4d 00b0b0",
    "blue": "0000ff 000080 1e90ff 87ceeb add8e6 4682b4 4169e1 191970 483d8b 6495ed b0c4de 6a5acd"
    " 00bfff 000040 203050",
    "purple": "800080 4b0082 8a2be2 9370db ee82ee dda0dd e6e6fa 663399 ba55d3 301934 9932cc 9400d3"
    " c8a2c8",
    "pink": "ffc0cb ff69b4 ff1493 ffb6c1 db7093 ff00ff fa8072 f4c2c2 c71585 ff66cc ffe4e1",
}
_HEX = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})$")
_RGB = re.compile(r"rgb\s*\(\s*(\d{1,9})\s*[, ]\s*(\d{1,9})\s*[, ]\s*(\d{1,9})\s*\)$")
#: No colour is called by more letters: what is longer is not looked into, modifier by modifier.
_LONGEST_NAME = 100


@lru_cache(maxsize=1)
def names() -> dict[str, RGBTriple]:
    """Every colour name, in lower case, with its sRGB value."""
    out: dict[str, RGBTriple] = {}
    for line in (Path(__file__).parent / "colors.txt").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if value and not line.startswith("#"):
            out[name.strip()] = _from_hex(value.strip())
    return out


@lru_cache(maxsize=1024)
def parse_color(text: str) -> RGBTriple | None:
    """The colour that `text` names: "dark green", "bluish grey", "#ff8800", "rgb(1, 2, 3)".

    Returns:
        sRGB 0..255, or None if the text is not a colour.
    """
    text = " ".join(text.casefold().replace("gray", "grey").split())
    for article in ("a ", "an ", "the "):
        text = text.removeprefix(article)
    text = text.removesuffix(" color").removesuffix(" colour").removesuffix(" coloured")
    text = text.removesuffix(" colored").strip()
    return _parse(text) if len(text) <= _LONGEST_NAME else None


def _parse(text: str) -> RGBTriple | None:
    if match := _HEX.match(text):
        return _from_hex(match[1]) if text.startswith("#") else names().get(text)
    if match := _RGB.match(text):
        red, green, blue = (min(255, int(part)) for part in match.groups())
        return red, green, blue
    for name in (text, text.replace(" ", ""), text.replace("-", " "), text.replace("-", "")):
        if name in names():
            return names()[name]
    return _modified(text) or _blend(text)


def _modified(text: str) -> RGBTriple | None:
    """A modifier before a colour: "dark red"."""
    first, _, rest = text.replace("-", " ").partition(" ")
    if first not in MODIFIERS or not rest:
        return None
    base = _parse(rest)
    if base is None:
        return None
    share, towards, chroma = MODIFIERS[first]
    lightness, a, b = to_oklab(base)
    return from_oklab((lightness + share * (towards - lightness), a * chroma, b * chroma))


def _blend(text: str) -> RGBTriple | None:
    """Two colours: "blue green" half and half, "greenish blue" a fifth of the first."""
    words = text.replace("-", " ").split()
    if len(words) == 1:
        return _of_ish(words[0]) if words else None
    if len(words) != 2:
        return None
    first, second = _of_ish(words[0]), names().get(words[1])
    share = 0.2
    if first is None:
        first, share = names().get(words[0]), 0.5
    if first is None or second is None:
        return None
    pairs = zip(to_oklab(first), to_oklab(second), strict=True)
    lightness, a, b = (share * p + (1 - share) * q for p, q in pairs)
    return from_oklab((lightness, a, b))


def _of_ish(word: str) -> RGBTriple | None:
    """The colour of "reddish", "bluish", "greenish"."""
    stem = word.removesuffix("ish")
    if stem == word:
        return None
    for name in (stem, stem + "e", stem[:-1] if stem[-1:] == stem[-2:-1] else stem):
        if name in names():
            return names()[name]
    return None


def is_color(text: str) -> bool:
    """Whether `text` is the name of a colour."""
    return parse_color(text) is not None


def comparative(text: str) -> str | None:
    """The colour name inside a comparative: "bluer", "more blue" -> "blue"; None if it is none."""
    text = " ".join(text.casefold().split())
    for adverb in ("more ", "a bit more ", "less "):
        if text.startswith(adverb) and text.removeprefix(adverb) in names():
            return text.removeprefix(adverb)
    if not text.endswith("er"):
        return None
    stem = text.removesuffix("er")
    doubled = stem[:-1] if stem[-1:] == stem[-2:-1] else stem
    for name in (stem, stem + "e", doubled, stem[:-1] + "y" if stem.endswith("i") else stem):
        if name in names():
            return name
    return None


_LEAST_CHROMA = 0.02  # in OKLab; about what one notices on a screen
_WITHOUT_HUE = frozenset({"black", "grey", "white"})


def name_of(rgb: tuple[int, int, int]) -> str:
    """The basic name of an sRGB colour: that of the nearest of `EXAMPLES` in OKLab.

    A colour without a visible hue is black, grey or white, however near a pale tint is.

    Returns:
        black, grey, white, red, orange, brown, yellow, green, teal, blue, purple or pink.
    """
    lab = to_oklab(rgb)
    has_hue = hypot(lab[1], lab[2]) >= _LEAST_CHROMA
    known = [e for e in _examples() if has_hue or e[1] in _WITHOUT_HUE]
    return min(known, key=lambda example: dist(example[0], lab))[1]


@lru_cache(maxsize=1)
def _examples() -> tuple[tuple[tuple[float, float, float], str], ...]:
    return tuple(
        (to_oklab(_from_hex(value)), name)
        for name, values in EXAMPLES.items()
        for value in values.split()
    )


def to_oklab(rgb: tuple[int, int, int]) -> tuple[float, float, float]:
    """SRGB 0..255 -> OKLab (Ottosson 2020, "A perceptual color space for image processing")."""
    r, g, b = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)
    )
    long = cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    medium = cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def from_oklab(lab: tuple[float, float, float]) -> RGBTriple:
    """OKLab -> sRGB 0..255; a colour outside sRGB loses chroma until it fits."""
    lightness, a, b = lab
    hue, chroma = atan2(b, a), hypot(a, b)
    lightness = min(1.0, max(0.0, lightness))
    linear = _to_linear(lightness, a, b)
    while chroma > 1e-4 and not all(-1e-4 <= c <= 1 + 1e-4 for c in linear):
        chroma *= 0.98
        linear = _to_linear(lightness, chroma * cos(hue), chroma * sin(hue))
    clipped = [min(1.0, max(0.0, c)) for c in linear]
    encoded = [12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in clipped]
    red, green, blue = (round(255 * c) for c in encoded)
    return red, green, blue


def _to_linear(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _from_hex(digits: str) -> RGBTriple:
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
