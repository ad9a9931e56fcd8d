"""Scenes for grounding.py: things that lie, stand, wear, hold and belong to each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from grounding_scenes import COLORS, THINGS, Draw, Query, Scene, around, only, pick, plural, two

from editanything.command.types import Relation, Selector


def beside(rng: Draw) -> Iterator[tuple[Scene, Query]]:
    """Things around another one."""
    noun, anchor = two(rng)
    plural(noun)
    scene = Scene()
    scene.draw(anchor, around(180, 120, 60, 50), "brown")
    spots = {"left_of": (60, 120), "right_of": (300, 120), "above": (180, 35), "below": (180, 210)}
    rels = [str(rel) for rel in rng.permutation(list(spots))]
    ids = {}
    for rel in rels[:3]:
        x, y = spots[rel]
        box = around(x + rng.uniform(-12, 12), y + rng.uniform(-6, 6), 26, 26)
        ids[rel] = scene.draw(noun, box, pick(rng, *COLORS))
    words = {
        "left_of": "to the left of",
        "right_of": "to the right of",
        "above": "above",
        "below": "below",
    }
    for rel in rels:
        selector = Selector(noun, relation=Relation(rel, (Selector(anchor),)))
        truth = only(ids[rel]) if rel in ids else "not_found"
        kind = "relation side" if rel in ids else "absent"
        yield scene, Query(kind, f"the {noun} {words[rel]} the {anchor}", selector, truth)
    missing = next(name for name in THINGS if name not in (noun, anchor))
    selector = Selector(noun, relation=Relation("left_of", (Selector(missing),)))
    text = f"the {noun} to the left of the {missing}"
    yield scene, Query("absent", text, selector, "not_found")
    yield from between(rng)
    close = Scene()
    close.draw(anchor, around(90, 120, 50, 50), "brown")
    near = close.draw(noun, around(140, rng.uniform(105, 135), 26, 26), "red")
    close.draw(noun, around(310, 60, 26, 26), "blue")
    selector = Selector(noun, relation=Relation("next_to", (Selector(anchor),)))
    yield close, Query("relation near", f"the {noun} next to the {anchor}", selector, only(near))


def between(rng: Draw) -> Iterator[tuple[Scene, Query]]:
    """A thing between two others, of one name or of two."""
    noun, anchor, other = (str(name) for name in rng.choice(THINGS, 3, replace=False))
    plural(noun)
    y = rng.uniform(80, 160)
    for end, text, anchors in (
        (anchor, f"between the two {plural(anchor)}", (Selector(anchor, count=2),)),
        (other, f"between the {anchor} and the {other}", (Selector(anchor), Selector(other))),
    ):
        scene = Scene()
        scene.draw(anchor, around(90, y, 36, 40), "brown")
        scene.draw(end, around(250, y + rng.uniform(-10, 10), 36, 40), "brown")
        middle = scene.draw(noun, around(rng.uniform(150, 190), y, 24, 24), "red")
        scene.draw(noun, around(330, y, 24, 24), "blue")
        scene.draw(noun, around(30, y, 24, 24), "green")
        selector = Selector(noun, relation=Relation("between", anchors))
        yield scene, Query("relation between", f"the {noun} {text}", selector, only(middle))


def resting(rng: Draw) -> Iterator[tuple[Scene, Query]]:
    """On a table, under it, in a basket, behind and in front of a box."""
    noun = pick(rng, "ball", "cup", "book", "clock", "vase")
    many = plural(noun)
    scene = Scene()
    scene.draw("table", (110, 110, 250, 122), "brown")
    on = scene.draw(noun, (150, 86, 174, 110), "red", shape="box")
    scene.draw(noun, around(310, 180, 24, 24), "blue")
    under = scene.draw(noun, (190, 150, 214, 174), "green")
    anchor = (Selector("table"),)
    for rel, text, truth in (("on", "on", only(on)), ("under", "under", only(under))):
        selector = Selector(noun, relation=Relation(rel, anchor))
        yield scene, Query(f"relation {rel}", f"the {noun} {text} the table", selector, truth)
    inside = Scene()
    inside.draw("basket", (60, 120, 160, 190), "brown", shape="box")
    within = inside.draw(noun, around(rng.uniform(90, 130), 155, 24, 24), "red", part=True)
    out = inside.draw(noun, around(260, 175, 24, 24), "red")
    selector = Selector(noun, relation=Relation("in", (Selector("basket"),)))
    yield inside, Query("relation in", f"the {noun} in the basket", selector, only(within))
    selector = Selector(noun, count="all", exclude=selector)
    yield (
        inside,
        Query("except", f"all the {many} except the one in the basket", selector, only(out)),
    )
    depth = Scene()
    behind = depth.draw("tree", (70, 40, 120, 150), "green", shape="tip")
    depth.draw("house", (80, 90, 200, 180), "white")
    front = depth.draw("tree", (150, 120, 200, 215), "green", shape="tip")
    depth.draw("tree", (290, 60, 340, 170), "green", shape="tip")
    for rel, text, k in (("behind", "behind", behind), ("in_front_of", "in front of", front)):
        selector = Selector("tree", relation=Relation(rel, (Selector("house"),)))
        yield depth, Query(f"relation {rel}", f"the tree {text} the house", selector, only(k))
    bare = Scene()
    bare.draw("table", (110, 110, 250, 122), "brown")
    bare.draw(noun, around(60, 180, 24, 24), "red")
    selector = Selector(noun, relation=Relation("on", anchor))
    yield bare, Query("absent", f"the {noun} on the table", selector, "not_found")


def people(rng: Draw) -> Iterator[tuple[Scene, Query]]:
    """Who wears a hat, who holds an umbrella, whose bag it is; and a hat that nobody wears."""
    who = pick(rng, "man", "woman", "boy", "girl", "person")
    scene = Scene()
    order = [int(k) for k in rng.permutation(3)]
    x = [60 + 115 * k + rng.uniform(-8, 8) for k in range(3)]
    ids = {
        k: scene.draw(who, around(x[k], 140, 34, 120), pick(rng, *COLORS), shape="round")
        for k in order
    }
    wears, holds, _ = order
    hat = scene.draw("hat", around(x[wears], 80, 40, 16), "black")
    umbrella = scene.draw("umbrella", around(x[holds] + 28, 110, 30, 60), "red")
    for kind, text, selector, truth in (
        (
            "worn",
            f"the {who} wearing the hat",
            Selector(who, relation=Relation("wearing", (Selector("hat"),))),
            only(ids[wears]),
        ),
        (
            "worn",
            f"the {who} with the hat",
            Selector(who, relation=Relation("with", (Selector("hat"),))),
            only(ids[wears]),
        ),
        (
            "held",
            f"the {who} holding the umbrella",
            Selector(who, relation=Relation("holding", (Selector("umbrella"),))),
            only(ids[holds]),
        ),
        (
            "held",
            f"the {who} with the umbrella",
            Selector(who, relation=Relation("with", (Selector("umbrella"),))),
            only(ids[holds]),
        ),
        ("owned", f"the {who}'s hat", Selector("hat", part_of=Selector(who)), only(hat)),
        (
            "owned",
            f"the umbrella of the {who}",
            Selector("umbrella", part_of=Selector(who)),
            only(umbrella),
        ),
        (
            "absent",
            f"the {who} holding the hat of the dog",
            Selector(
                who, relation=Relation("holding", (Selector("hat", part_of=Selector("dog")),))
            ),
            "not_found",
        ),
    ):
        yield scene, Query(kind, text, selector, truth)
    lying = Scene()
    for k in range(2):
        lying.draw(who, around(80 + 120 * k, 130, 34, 120), "blue", shape="round")
    lying.draw("hat", around(320, 220, 36, 14), "black")
    selector = Selector(who, relation=Relation("wearing", (Selector("hat"),)))
    yield lying, Query("absent", f"the {who} wearing the hat", selector, "not_found")
    selector = Selector("hat", part_of=Selector(who))
    yield lying, Query("absent", f"the {who}'s hat", selector, "not_found")


def parts(rng: Draw) -> Iterator[tuple[Scene, Query]]:
    """The eyes of one cat and of two; a hat on one of two dogs."""
    animal = pick(rng, "cat", "dog", "horse", "bear")
    x = rng.uniform(70, 290)
    one = Scene()
    one.draw(animal, around(x, 120, 110, 90), "brown", shape="round")
    left = one.draw("eye", around(x - 20, 105, 14, 12), "green", shape="round", part=True)
    right = one.draw("eye", around(x + 20, 105, 14, 12), "green", shape="round", part=True)
    eye, owner = Selector("eye"), Selector(animal)
    for kind, text, selector, truth in (
        (
            "part",
            f"the {animal}'s left eye",
            replace(eye, region="left", part_of=owner),
            only(left),
        ),
        (
            "part",
            f"the right eye of the {animal}",
            replace(eye, region="right", part_of=owner),
            only(right),
        ),
        (
            "part",
            f"the {animal}'s eyes",
            replace(eye, count="all", part_of=owner),
            only(left, right),
        ),
        ("tie", f"the {animal}'s eye", replace(eye, part_of=owner), "tie"),
        ("absent", f"the {animal}'s tail", Selector("tail", part_of=owner), "not_found"),
    ):
        yield one, Query(kind, text, selector, truth)
    pair = Scene()
    eyes = []
    for k in range(2):
        x = 90 + 180 * k + rng.uniform(-10, 10)
        pair.draw(animal, around(x, 140, 110, 90), "brown", shape="round")
        for side in (-20, 20):
            box = around(x + side, 125, 14, 12)
            eyes.append(pair.draw("eye", box, "green", shape="round", part=True))
    hatted = int(rng.integers(2))
    hat = pair.draw("hat", around(90 + 180 * hatted, 88, 44, 24), "black")
    spare = pair.draw("hat", around(180, 225, 40, 16), "black")
    of_left = replace(owner, region="left")
    for kind, text, selector, truth in (
        (
            "part",
            f"the right eye of the {animal} on the left",
            replace(eye, region="right", part_of=of_left),
            only(eyes[1]),
        ),
        (
            "part",
            f"the eyes of the {animal} on the left",
            replace(eye, count="all", part_of=of_left),
            only(*eyes[:2]),
        ),
        ("tie", f"the left eye of the {animal}", replace(eye, region="left", part_of=owner), "tie"),
        (
            "part",
            f"the hat on the {animal}",
            Selector("hat", relation=Relation("on", (owner,))),
            only(hat),
        ),
        ("tie", "the hat", Selector("hat"), "tie"),
        (
            "except",
            f"all the hats except the one on the {animal}",
            Selector(
                "hat", count="all", exclude=Selector("hat", relation=Relation("on", (owner,)))
            ),
            only(spare),
        ),
    ):
        yield pair, Query(kind, text, selector, truth)


def kinds(rng: Draw) -> Iterator[tuple[Scene, Query]]:
    """Words that are not the region's own name; things that are not there."""
    groups = {
        "animal": ("cat", "dog", "horse", "owl", "fish"),
        "vehicle": ("car", "bus", "truck", "train"),
        "fruit": ("apple", "banana", "orange", "pear"),
        "person": ("man", "woman", "boy", "astronaut"),
        "bird": ("owl", "parrot", "eagle", "duck"),
        "flower": ("rose", "tulip", "daisy"),
    }
    synonyms = {
        "sofa": "couch",
        "cup": "mug",
        "car": "automobile",
        "bike": "bicycle",
        "child": "kid",
        "plane": "airplane",
        "rug": "carpet",
        "rabbit": "bunny",
    }
    group, other = two(rng, ("animal", "vehicle", "fruit", "person"))
    scene = Scene()
    members = [str(name) for name in rng.choice(groups[group], 2, replace=False)]
    alien = str(rng.choice(groups[other]))
    a = scene.draw(members[0], around(60, 120, 40, 40), "red")
    b = scene.draw(alien, around(180, 120, 40, 40), "green")
    c = scene.draw(members[1], around(300, 120, 40, 40), "blue")
    many = "people" if group == "person" else f"{group}s"
    gone = next(name for name in groups if name not in (group, other))
    for kind, text, selector, truth in (
        ("kind", f"all the {many}", Selector(group, count="all"), only(a, c)),
        ("kind", f"the {other}", Selector(other), only(b)),
        ("kind", f"the {group} on the left", Selector(group, region="left"), only(a)),
        ("tie", f"the {group}", Selector(group), "tie"),
        (
            "absent",
            f"the {gone}",
            Selector(gone),
            "not_found"
            if not set(groups[gone]) & {*members, alien}
            else only(
                *(
                    i
                    for i, name in ((a, members[0]), (b, alien), (c, members[1]))
                    if name in groups[gone]
                )
            ),
        ),
        ("absent", "the elephant", Selector("elephant"), "not_found"),
        ("absent", "the two penguins", Selector("penguin", count=2), "not_found"),
        (
            "absent",
            f"the elephant next to the {members[0]}",
            Selector("elephant", relation=Relation("next_to", (Selector(members[0]),))),
            "not_found",
        ),
        ("absent", "the largest zebra", Selector("zebra", superlative="largest"), "not_found"),
    ):
        yield scene, Query(kind, text, selector, truth)
    label = pick(rng, *synonyms)
    alone = Scene()
    k = alone.draw(label, around(180, 120, 60, 60), "red")
    alone.draw("clock", around(60, 120, 40, 40), "blue")
    asked = synonyms[label]
    yield alone, Query("kind", f"the {asked}", Selector(asked), only(k))
    compound = Selector(f"{pick(rng, 'wall', 'alarm')} clock")
    yield alone, Query("kind", f"the {compound.noun}", compound, only(2))


def mixed(rng: Draw) -> Iterator[tuple[Scene, Query]]:
    """Several conditions at once, on a table and off it."""
    noun = pick(rng, "cup", "ball", "box", "book")
    many = plural(noun)
    one, other = (str(c) for c in rng.choice(["red", "blue", "green", "yellow"], 2, replace=False))
    scene = Scene()
    scene.draw("table", (40, 120, 240, 134), "brown")
    xs = sorted(rng.choice([60, 95, 130, 165, 200], 3, replace=False))
    small = scene.draw(noun, (xs[0], 102, xs[0] + 18, 120), one)
    large = scene.draw(noun, (xs[1], 94, xs[1] + 26, 120), one)
    third = scene.draw(noun, (xs[2], 102, xs[2] + 18, 120), other)
    scene.draw(noun, around(310, 200, 40, 40), one)
    on_table = Relation("on", (Selector("table"),))
    thing = Selector(noun)
    for text, selector, truth in (
        (
            f"the {many} on the table",
            replace(thing, count="all", relation=on_table),
            only(small, large, third),
        ),
        (
            f"the largest {noun} on the table",
            replace(thing, superlative="largest", relation=on_table),
            only(large),
        ),
        (
            f"the {other} {noun} on the table",
            replace(thing, attrs=(other,), relation=on_table),
            only(third),
        ),
        (
            f"the {one} {many} on the table",
            replace(thing, attrs=(one,), count="all", relation=on_table),
            only(small, large),
        ),
        (
            f"the leftmost {one} {noun}",
            replace(thing, attrs=(one,), superlative="leftmost"),
            only(small),
        ),
        (f"the second {noun} from the left", replace(thing, ordinal=(2, "left")), only(large)),
    ):
        yield scene, Query("mixed", text, selector, truth)
