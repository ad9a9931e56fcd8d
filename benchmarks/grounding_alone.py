"""Scenes for grounding.py of things of one name: counting, sizes, colours, places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from grounding_scenes import (
    COLORS,
    HEIGHT,
    THINGS,
    WIDTH,
    Draw,
    Query,
    Scene,
    around,
    only,
    pick,
    plural,
)

from editanything.command.types import Selector


def row(rng: Draw) -> Iterator[tuple[Scene, Query]]:
    """Things of one name in a row, or in a column: counting, ordinals, sides."""
    noun, n, down = pick(rng), int(rng.integers(3, 6)), bool(rng.integers(2))
    many = plural(noun)
    scene = Scene()
    step = (HEIGHT if down else WIDTH) / n
    places = [(k + 0.5) * step + rng.uniform(-0.08, 0.08) * step for k in range(n)]
    order = rng.permutation(n)
    ids = {}
    for k in order:
        across = (WIDTH if down else HEIGHT) / 2 + rng.uniform(-8, 8)
        x, y = (across, places[k]) if down else (places[k], across)
        ids[int(k)] = scene.draw(noun, around(x, y, 26, 26), pick(rng, *COLORS), shape="round")
    start, end = ("top", "bottom") if down else ("left", "right")
    words = ["first", "second", "third", "fourth", "fifth"]
    numbers = ["zero", "one", "two", "three", "four", "five", "six"]
    every = only(*ids.values())
    k = int(rng.integers(1, n))
    most, least = ("bottommost", "topmost") if down else ("rightmost", "leftmost")
    thing = Selector(noun)
    for kind, text, selector, truth in (
        ("count", f"the {numbers[n]} {many}", replace(thing, count=n), every),
        ("count", f"all the {many}", replace(thing, count="all"), every),
        ("count", f"every {noun}", replace(thing, count="all"), every),
        (
            "count wrong",
            f"the {numbers[n + 1]} {many}",
            replace(thing, count=n + 1),
            "wrong_count",
        ),
        ("count wrong", f"the two {many}", replace(thing, count=2), "wrong_count"),
        ("tie", f"the {noun}", thing, "tie"),
        (
            "ordinal",
            f"the {words[k]} {noun} from the {start}",
            replace(thing, ordinal=(k + 1, start)),
            only(ids[k]),
        ),
        (
            "ordinal",
            f"the {words[k]} {noun} from the {end}",
            replace(thing, ordinal=(k + 1, end)),
            only(ids[n - 1 - k]),
        ),
        ("ordinal", f"the {words[k]} {noun}", replace(thing, ordinal=(k + 1, None)), only(ids[k])),
        ("ordinal", f"the last {noun}", replace(thing, ordinal=(-1, None)), only(ids[n - 1])),
        (
            "ordinal",
            f"the seventh {noun} from the {start}",
            replace(thing, ordinal=(7, start)),
            "wrong_count",
        ),
        ("superlative", f"the {most} {noun}", replace(thing, superlative=most), only(ids[n - 1])),
        (
            "superlative",
            f"the two {least} {many}",
            replace(thing, superlative=least, count=2),
            only(ids[0], ids[1]),
        ),
    ):
        yield scene, Query(kind, text, selector, truth)
    if n % 2:
        middle = replace(thing, region="center")
        yield scene, Query("place", f"the middle {noun}", middle, only(ids[n // 2]))


def sizes(rng: Draw) -> Iterator[tuple[Scene, Query]]:
    """Things of one name and of different sizes; and two that are alike."""
    noun = pick(rng)
    many = plural(noun)
    scene = Scene()
    sides = [14.0, 22.0, 34.0, 52.0]
    places = rng.permutation(4)
    ids = {}
    for rank, place in enumerate(places):
        at = 50 + 86 * place + rng.uniform(-8, 8), rng.uniform(70, 170)
        ids[rank] = scene.draw(noun, around(*at, sides[rank], sides[rank]), pick(rng, *COLORS))
    thing = Selector(noun)
    for kind, text, selector, truth in (
        ("superlative", f"the largest {noun}", replace(thing, superlative="largest"), only(ids[3])),
        (
            "superlative",
            f"the smallest {noun}",
            replace(thing, superlative="smallest"),
            only(ids[0]),
        ),
        ("superlative", f"the tallest {noun}", replace(thing, superlative="tallest"), only(ids[3])),
        ("superlative", f"the shortest {noun}", replace(thing, attrs=("shortest",)), only(ids[0])),
        ("superlative", f"the widest {noun}", replace(thing, attrs=("widest",)), only(ids[3])),
        (
            "superlative",
            f"the second largest {noun}",
            replace(thing, superlative="largest", ordinal=(2, None)),
            only(ids[2]),
        ),
        (
            "superlative",
            f"the two biggest {many}",
            replace(thing, superlative="largest", count=2),
            only(ids[3], ids[2]),
        ),
        ("size", f"the small {noun}", replace(thing, attrs=("small",)), only(ids[0])),
        ("size", f"the big {noun}", replace(thing, attrs=("big",)), only(ids[3])),
        (
            "size",
            f"the two small {many}",
            replace(thing, attrs=("small",), count=2),
            only(ids[0], ids[1]),
        ),
    ):
        yield scene, Query(kind, text, selector, truth)
    pair = Scene()
    one = pair.draw(noun, around(90, 120, 40, 40), "red")
    other = pair.draw(noun, around(250, 120, 40, 40), "blue")
    small = pair.draw(noun, around(170, 60, 20, 20), "green")
    for kind, text, selector, truth in (
        ("superlative tie", f"the largest {noun}", replace(thing, superlative="largest"), "tie"),
        ("superlative tie", f"the big {noun}", replace(thing, attrs=("big",)), "tie"),
        (
            "superlative",
            f"the smallest {noun}",
            replace(thing, superlative="smallest"),
            only(small),
        ),
        (
            "size",
            f"the big {many}",
            replace(thing, attrs=("big",), count="all"),
            only(one, other),
        ),
        (
            "superlative",
            f"the two largest {many}",
            replace(thing, superlative="largest", count=2),
            only(one, other),
        ),
    ):
        yield pair, Query(kind, text, selector, truth)


def colors(rng: Draw) -> Iterator[tuple[Scene, Query]]:
    """Things of one name and of different colours, shades and sizes."""
    noun = pick(rng)
    many = plural(noun)
    scene = Scene()
    hues = [str(hue) for hue in rng.permutation(["red", "green", "blue", "yellow", "purple"])]
    first, second, third, fourth, absent = hues
    at = [(45 + 90 * k + rng.uniform(-10, 10), rng.uniform(60, 180)) for k in range(4)]
    a = scene.draw(noun, around(*at[0], 24, 24), first)
    b = scene.draw(noun, around(*at[1], 46, 46), first)
    c = scene.draw(noun, around(*at[2], 30, 30), second)
    d = scene.draw(noun, around(*at[3], 30, 30), third)
    stranger = next(name for name in THINGS if name != noun)
    e = scene.draw(stranger, around(180, 215, 24, 24), fourth)
    thing, small = Selector(noun), Selector(noun, attrs=("small", first))
    for kind, text, selector, truth in (
        ("colour", f"the {second} {noun}", replace(thing, attrs=(second,)), only(c)),
        ("colour", f"the {third} {noun}", replace(thing, attrs=(third,)), only(d)),
        (
            "colour",
            f"the {first} {many}",
            replace(thing, attrs=(first,), count="all"),
            only(a, b),
        ),
        (
            "colour",
            f"both {first} {many}",
            replace(thing, attrs=(first,), count=2),
            only(a, b),
        ),
        ("colour", f"the {fourth} thing", Selector("thing", attrs=(fourth,)), only(e)),
        ("tie", f"the {first} {noun}", replace(thing, attrs=(first,)), "tie"),
        ("absent", f"the {absent} {noun}", replace(thing, attrs=(absent,)), "not_found"),
        ("absent", f"the {fourth} {noun}", replace(thing, attrs=(fourth,)), "not_found"),
        ("absent", f"the {first} {stranger}", Selector(stranger, attrs=(first,)), "not_found"),
        ("colour", f"the small {first} {noun}", small, only(a)),
        (
            "colour",
            f"the largest {first} {noun}",
            replace(thing, attrs=(first,), superlative="largest"),
            only(b),
        ),
        (
            "except",
            f"all the {many} except the {second} one",
            replace(thing, count="all", exclude=replace(thing, attrs=(second,))),
            only(a, b, d),
        ),
    ):
        yield scene, Query(kind, text, selector, truth)
    shades, hue = Scene(), pick(rng, "red", "green", "blue", "purple")
    base = np.array(COLORS[hue], float)
    dark = tuple(int(v) for v in base * 0.45)
    light = tuple(int(v) for v in base + 0.5 * (255 - base))
    places = rng.permutation(3)
    at = [(70 + 110 * k, rng.uniform(70, 170)) for k in places]
    one = shades.draw(noun, around(*at[0], 40, 40), (dark[0], dark[1], dark[2]))
    two_ = shades.draw(noun, around(*at[1], 40, 40), (light[0], light[1], light[2]))
    shades.draw(noun, around(*at[2], 40, 40), "yellow" if hue != "yellow" else "blue")
    for text, selector, truth in (
        (f"the dark {hue} {noun}", replace(thing, attrs=("dark", hue)), only(one)),
        (f"the light {hue} {noun}", replace(thing, attrs=("light", hue)), only(two_)),
        (f"the darkest {noun}", replace(thing, attrs=("darkest",)), only(one)),
    ):
        yield shades, Query("shade", text, selector, truth)


def places(rng: Draw) -> Iterator[tuple[Scene, Query]]:
    """Things in corners and at sides, before and behind, and parts of the frame."""
    noun = pick(rng)
    many = plural(noun)
    corners = {
        "top-left": (50, 40),
        "top-right": (310, 40),
        "bottom-left": (50, 200),
        "bottom-right": (310, 200),
    }
    names = [str(name) for name in rng.permutation(list(corners))]
    scene, ids = Scene(), {}
    for name in names[:3]:
        x, y = corners[name]
        box = around(x + rng.uniform(-15, 15), y + rng.uniform(-10, 10), 30, 30)
        ids[name] = scene.draw(noun, box, pick(rng, *COLORS))
    thing = Selector(noun)
    empty, alone = names[3], names[0]
    side = next(s for s in ("left", "right") if sum(s in name for name in names[:3]) == 1)
    one = next(name for name in names[:3] if side in name)
    level = next(s for s in ("top", "bottom") if sum(s in name for name in names[:3]) == 2)
    both = only(*(ids[name] for name in names[:3] if level in name))
    for kind, text, selector, truth in (
        (
            "place",
            f"the {noun} in the {alone.replace('-', ' ')} corner",
            replace(thing, region=alone),
            only(ids[alone]),
        ),
        ("place", f"the {noun} on the {side}", replace(thing, region=side), only(ids[one])),
        (
            "place",
            f"the {many} at the {level}",
            replace(thing, region=level, count="all"),
            both,
        ),
        ("tie", f"the {noun} at the {level}", replace(thing, region=level), "tie"),
        (
            "absent",
            f"the {noun} in the {empty.replace('-', ' ')} corner",
            replace(thing, region=empty),
            "not_found",
        ),
    ):
        yield scene, Query(kind, text, selector, truth)
    pair, (left, right) = Scene(), sorted(rng.uniform(40, 320, 2))
    right = max(right, left + 50)
    ids2 = [pair.draw(noun, around(x, rng.uniform(80, 160), 28, 28)) for x in (left, right)]
    for text, region, k in ((f"the left {noun}", "left", 0), (f"the right {noun}", "right", 1)):
        yield pair, Query("place", text, replace(thing, region=region), only(ids2[k]))
    deep = Scene()
    far = deep.draw("tree", around(rng.uniform(60, 140), 90, 26, 50), "green", shape="tip")
    near = deep.draw("tree", around(rng.uniform(220, 300), 165, 60, 120), "green", shape="tip")
    tree = Selector("tree")
    for text, selector, k in (
        ("the tree in the background", replace(tree, region="background"), far),
        ("the tree in the foreground", replace(tree, region="foreground"), near),
        ("the nearest tree", replace(tree, superlative="nearest"), near),
        ("the farthest tree", replace(tree, superlative="farthest"), far),
    ):
        yield deep, Query("depth", text, selector, only(k))
    sky = Scene()
    sky.draw("sky", (0, 0, WIDTH, 120), (120, 170, 235))
    x, y = round(rng.uniform(10, 180)), round(rng.uniform(125, 135))
    sky.draw("crate", (x, y, x + 160, y + 100), "red")
    crate = Selector("crate")
    for text, selector, box in (
        ("the upper half of the picture", Selector("@image", region="top"), (0, 0, WIDTH, 120)),
        (
            "the right half of the picture",
            Selector("@image", region="right"),
            (180, 0, WIDTH, HEIGHT),
        ),
        (
            "the bottom third of the picture",
            Selector("third", region="bottom"),
            (0, 160, WIDTH, HEIGHT),
        ),
        (
            "the upper half of the sky",
            Selector("half", region="top", part_of=Selector("sky")),
            (0, 0, WIDTH, 60),
        ),
        (
            "the crate's left half",
            Selector("half", region="left", part_of=crate),
            (x, y, x + 80, y + 100),
        ),
        (
            "the top right corner of the crate",
            Selector("corner", region="top-right", part_of=crate),
            (x + 80, y, x + 160, y + 50),
        ),
    ):
        yield sky, Query("portion", text, selector, box)
