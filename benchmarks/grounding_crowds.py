"""Scenes for grounding.py that lie near the limits: crowds, near misses, things anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

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
    two,
)

from editanything.command.types import Relation, Selector


def nearly(rng: Draw) -> Iterator[tuple[Scene, Query]]:
    """Nearest of two near things, two equally near; the middle one beside the middle."""
    noun, anchor = two(rng)
    plural(noun)
    thing = Selector(noun, relation=Relation("next_to", (Selector(anchor),)))
    text = f"the {noun} next to the {anchor}"
    y = rng.uniform(90, 150)
    near = Scene()
    near.draw(anchor, around(180, y, 60, 60))
    nearest = near.draw(noun, around(180 - 30 - 4 - 12, y, 24, 24), "red")
    near.draw(noun, around(180 + 30 + 34 + 12, y, 24, 24), "blue")
    yield near, Query("relation near", text, thing, only(nearest))
    equal = Scene()
    equal.draw(anchor, around(180, y, 60, 60))
    for side in (-1, 1):
        equal.draw(noun, around(180 + side * (30 + 12 + 12), y, 24, 24), "red")
    yield equal, Query("tie", text, thing, "tie")
    line, start = Scene(), rng.uniform(95, 120)
    ids = [line.draw(noun, around(start + 50 * k, y, 22, 22), pick(rng, *COLORS)) for k in range(3)]
    middle = Selector(noun, region="center")
    yield line, Query("place", f"the middle {noun}", middle, only(ids[1]))


def crowd(rng: Draw) -> Iterator[tuple[Scene, Query]]:
    """People close together: whose hat it is, and a hat at somebody's feet that nobody wears."""
    who = pick(rng, "man", "woman", "boy", "girl")
    wearing = Selector(who, relation=Relation("wearing", (Selector("hat"),)))
    text = f"the {who} wearing the hat"
    tight = Scene()
    first, second = rng.permutation([0, 1])
    x = rng.uniform(120, 160)
    at = {int(first): x, int(second): x + 38}
    wearer = tight.draw(who, around(at[0], 150, 34, 110), "blue", shape="round")
    tight.draw(who, around(at[1], 140, 34, 130), "red", shape="round")
    tight.draw("hat", around(at[0], 92, 36, 16), "black")
    yield tight, Query("worn", text, wearing, only(wearer))
    dropped = Scene()
    dropped.draw(who, around(x, 120, 34, 120), "blue")
    dropped.draw(who, around(x + 110, 120, 34, 120), "red")
    dropped.draw("hat", around(x, 185, 40, 12), "black")
    yield dropped, Query("absent", text, wearing, "not_found")
    carried = Scene()
    carrier = carried.draw(who, around(x, 120, 34, 120), "blue")
    carried.draw(who, around(x + 130, 120, 34, 120), "red")
    carried.draw("hat", around(x + 17 + 15, 140, 30, 14), "black")
    yield carried, Query("absent", text, wearing, "not_found")
    holding = Selector(who, relation=Relation("holding", (Selector("hat"),)))
    yield carried, Query("held", f"the {who} holding the hat", holding, only(carrier))


def field(rng: Draw) -> Iterator[tuple[Scene, Query]]:
    """Things of two names anywhere, in any size and colour; asked where the answer is clear."""
    noun, other = two(rng)
    many = plural(noun)
    scene, made = Scene(), []
    cells = rng.permutation(24)[: int(rng.integers(6, 10))]
    for k, cell in enumerate(cells):
        x = 30 + 60 * (cell % 6) + rng.uniform(-9, 9)
        y = 30 + 60 * (cell // 6) + rng.uniform(-9, 9)
        wide, high = rng.uniform(12, 36, 2)
        color = pick(rng, "red", "green", "blue", "yellow")
        name = noun if k % 3 else other
        ident = scene.draw(name, around(x, y, wide, high), color, shape=pick(rng, "box", "round"))
        mask = scene.known[-1].mask
        made.append((ident, name, color, (x, y), mask.area, mask.box[3] - mask.box[1]))
    ours = [one for one in made if one[1] == noun]
    thing = Selector(noun)
    yield (
        scene,
        Query("field", f"all the {many}", replace(thing, count="all"), only(*(o[0] for o in ours))),
    )
    rankings = {
        "leftmost": ([(-o[3][0], o[0]) for o in ours], 0.03 * WIDTH),
        "bottommost": ([(o[3][1], o[0]) for o in ours], 0.03 * HEIGHT),
        "largest": ([(o[4], o[0]) for o in ours], 0.2),
        "tallest": ([(o[5], o[0]) for o in ours], 0.15),
    }
    for name, (values, margin) in rankings.items():
        ranked = sorted(values, reverse=True)
        (most, best), (next_, _) = ranked[:2]
        apart = most - next_ if name in {"leftmost", "bottommost"} else most / next_ - 1
        if apart > margin:
            selector = replace(thing, superlative=name)
            yield scene, Query("field", f"the {name} {noun}", selector, only(best))
    xs = sorted((o[3][0], o[0]) for o in ours)
    if len(xs) > 2 and all(b[0] - a[0] > 0.03 * WIDTH for a, b in pairwise(xs[:3])):
        second = replace(thing, ordinal=(2, "left"))
        yield scene, Query("field", f"the second {noun} from the left", second, only(xs[1][1]))
    for color in ("red", "green", "blue", "yellow"):
        same = [o[0] for o in ours if o[2] == color]
        single = replace(thing, attrs=(color,))
        truth = only(*same) if len(same) == 1 else "tie" if same else "not_found"
        kind = "field" if same else "absent"
        yield scene, Query(kind, f"the {color} {noun}", single, truth)
    absent = next(name for name in THINGS if name not in (noun, other))
    yield scene, Query("absent", f"the {absent}", Selector(absent), "not_found")
