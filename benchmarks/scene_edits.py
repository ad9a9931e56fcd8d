"""Things of held-out scenes, removed and replaced by a sentence: is the old gone, the new there?

    python benchmarks/scene_edits.py STICKERS [--count N] [--masks named|words|both] [--sheet PNG]

Scenes have seeds that nothing was trained on, on grounds of colours, textures and photographs, with
shadows and mirror images. "named": the things' masks and names are given, as for a picture that was
segmented before. "words": nothing is given; the preset's segmenter and the encoder's grounder find
the thing, or ask back (that counts as a miss). A judge that was trained apart looks at the place:

    gone    the old name is not among its five likeliest
    there   the new name is among its five likeliest ("first": it is the likeliest); what differs
            from the picture with the old thing removed is shown on white, as the judge learned it,
            so far as it lies in the old thing's box ("there_wide": anywhere, so with the mirror
            image that the floor gives it, which is no part of what the judge knows)
    rest    outside `result.mask` every pixel is what it was
    others  of each other thing, all but 2 % is what it was
    spared  the same, but for pixels that the old thing's own rim was mixed into (by the scene's
            true alpha), and where the new thing lies over what the old one lay before
    left    of the difference that the thing, its shadow and its mirror image made, squared, over
            the plate without them (removals; the median)

The judge is not at home in scenes: "before" tells how often it names the old thing there,
untouched, "before_cut" on white by its true mask. Things are painted and turned. Prints a line for
each case, a table, then one JSON line.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from editanything import Editor
from editanything.editor import Looked
from editanything.errors import InputError, Refusal
from editanything.image import Picture
from editanything.recipe import Edit
from editanything.types import Mask, Region
from mdt.data import SceneSource
from mdt.data.stickers.scenes import Scene, Thing
from mdt.features.judge import Judge, open_judge
from mdt.pipeline_folder import find_folder

SIZE, SEED = 256, 88_001
SHARES = (
    "before", "before_cut", "remove_gone", "remove_rest", "remove_others", "remove_spared",
    "remove_asked_back", "there", "there_wide", "first", "replace_gone", "replace_rest",
    "replace_others", "replace_spared", "replace_asked_back", "replaced", "replaced_wide",
)  # fmt: skip
MIXED = 0.02  # of a pixel
WHOLE = 0.7  # of a thing that is asked for, at least this share is seen


@dataclass(frozen=True)
class Case:
    """A scene, the thing that is asked for, and what shall stand in its place."""

    scene: Scene
    thing: Thing
    new: str


def cases(stickers: Path, count: int, names: list[str], first: int = 0) -> list[Case]:
    """`count` scenes with a thing that only one of them is called, and a name for another."""
    source = SceneSource(stickers, size=SIZE, seed=SEED, split="train", styles=["fluent"])
    found: list[Case] = []
    for number in range(first, first + 20 * count):
        scene = source.scene(number)
        rng = np.random.default_rng([SEED, number])
        present = [thing.name for thing in scene.things]
        single = [
            thing
            for thing in scene.things
            if present.count(thing.name) == 1
            and thing.name in names
            and thing.mask.sum() >= WHOLE * thing.amodal.sum()
        ]
        if single:
            thing = single[rng.integers(len(single))]
            new = str(rng.choice([name for name in names if name not in present]))
            found.append(Case(scene, thing, new))
        if len(found) == count:
            break
    return found


def looked_at(editor: Editor, case: Case, *, named: bool) -> Looked:
    """The scene as the editor holds it; its regions known by name, or not."""
    things = case.scene.things if named else ()
    known = tuple(Region(i + 1, Mask.of(t.mask), t.name.lower()) for i, t in enumerate(things))
    picture = Picture.open(case.scene.image)
    return Looked(picture, editor.segmenter.look(case.scene.image, known=known))


def around(image: np.ndarray, thing: Thing) -> np.ndarray:
    """The square around a thing, a sixth of its side wider on each side."""
    x0, y0, x1, y1 = thing.box
    side = round(max(x1 - x0, y1 - y0) * 4 / 3)
    left, top = round((x0 + x1 - side) / 2), round((y0 + y1 - side) / 2)
    pad = side
    wide = np.pad(image, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    return wide[top + pad : top + pad + side, left + pad : left + pad + side]


def rank(judge: Judge, picture: np.ndarray, name: str) -> int:
    """How many names the judge finds likelier."""
    told = judge.probabilities([picture])[0]
    return int((told > told[judge.names.index(name)]).sum())


def new_solid(replaced: np.ndarray, bare: np.ndarray) -> np.ndarray:
    """(H, W) where two results differ, holes closed; cast shadows, darker of the same hue, go."""
    after, before = replaced.astype(np.float32), bare.astype(np.float32)
    ratio = (after + 4) / (before + 4)
    shaded = (ratio.max(2) < 1.02) & (ratio.max(2) - ratio.min(2) < 0.15) & (ratio.min(2) > 0.45)
    differs = (np.abs(after - before).max(2) > 14) & ~shaded
    return ndimage.binary_fill_holes(ndimage.binary_closing(differs, iterations=2))


def in_box(thing: Thing) -> np.ndarray:
    """(H, W) the box that a thing is seen in, and a pixel more."""
    x0, y0, x1, y1 = thing.box
    out = np.zeros(thing.mask.shape, bool)
    out[max(0, y0 - 1) : y1 + 1, max(0, x0 - 1) : x1 + 1] = True
    return out


def alone(replaced: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """The large parts of `solid`, on white."""
    parts, count = ndimage.label(solid)
    if not count:
        return np.full_like(replaced, 255)
    sizes = np.bincount(parts.ravel())[1:]
    solid = np.isin(parts, 1 + np.flatnonzero(sizes > 0.1 * sizes.max()))
    y0, y1 = np.flatnonzero(solid.any(1))[[0, -1]]
    x0, x1 = np.flatnonzero(solid.any(0))[[0, -1]]
    cut = np.where(solid[..., None], replaced, 255).astype(np.uint8)
    return square(cut[y0 : y1 + 1, x0 : x1 + 1], 1.2)


def square(cut: np.ndarray, wider: float) -> np.ndarray:
    """A picture in the middle of a white square, `wider` times its longer side."""
    side = round(max(cut.shape[:2]) * wider)
    out = np.full((side, side, 3), 255, np.uint8)
    top, left = (side - cut.shape[0]) // 2, (side - cut.shape[1]) // 2
    out[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
    return out


def old_alone(case: Case) -> np.ndarray:
    """The thing by its true mask, on white."""
    x0, y0, x1, y1 = case.thing.box
    cut = np.where(case.thing.mask[..., None], case.scene.image, 255).astype(np.uint8)
    return square(cut[y0:y1, x0:x1], 1.2)


def kept(
    case: Case, image: np.ndarray, mask: np.ndarray, over: np.ndarray | None = None
) -> dict[str, bool]:
    """Whether nothing outside of the mask differs, and hardly anything of other things.

    `over` (H, W): where a new thing lies, which may hide what the old one lay before.
    """
    differs = (image != case.scene.image).any(2)
    things, thing = case.scene.things, case.thing
    own = next(i for i, other in enumerate(things) if other is thing)  # the farthest comes first
    touched, taken = [0.0], [0.0]
    for i, other in enumerate(things):
        if i == own:
            continue
        lawful = (thing.alpha > MIXED) & (True if i < own else other.alpha < 1 - MIXED)
        if over is not None and i < own:
            lawful |= over & in_box(thing)
        area = max(other.mask.sum(), 1)
        touched.append((differs & other.mask).sum() / area)
        taken.append((differs & other.mask & ~lawful).sum() / area)
    return {
        "rest": not bool((differs & ~mask).any()),
        "others": bool(max(touched) <= 0.02),
        "spared": bool(max(taken) <= 0.02),
    }


def left(case: Case, image: np.ndarray) -> float:
    """Of the squared difference that the thing made, the share that is still there."""
    others = np.any([t.amodal for t in case.scene.things if t is not case.thing] or [False], axis=0)
    thing = case.thing
    its = (thing.alpha > 0) | (thing.shadow > 0.02) | (thing.reflection > 0.02)
    its &= ~others
    plate = case.scene.background.astype(float)
    before = ((case.scene.image - plate) ** 2)[its].sum()
    return float((((image - plate) ** 2)[its]).sum() / max(before, 1.0))


def edit(editor: Editor, case: Case, text: str, *, named: bool) -> tuple[np.ndarray, Any] | None:
    """The edited picture and its mask; None where the editor asks back."""
    looked = looked_at(editor, case, named=named)
    try:
        result = editor.plan_edit(looked, Edit(text=text, seed=3)).apply()
    except (InputError, Refusal) as error:
        print(f"{text}: {error}")
        return None
    return np.asarray(result.image), result.mask


def measure(
    editor: Editor, judge: Judge, chosen: list[Case], *, named: bool, shown: list[np.ndarray]
) -> dict[str, float]:
    """Shares of all cases."""
    rows: list[dict[str, float]] = []
    for case in chosen:
        thing, row = case.thing, dict[str, float]()
        old = thing.name
        row["before_cut"] = rank(judge, old_alone(case), old) < 5
        row["before"] = rank(judge, around(case.scene.image, thing), old) < 5
        bare = edit(editor, case, f"remove the {old.lower()}", named=named)
        begin = time.perf_counter()
        other = edit(editor, case, f"replace the {old.lower()} with a {case.new}", named=named)
        row["seconds"] = time.perf_counter() - begin
        row["remove_asked_back"], row["replace_asked_back"] = bare is None, other is None
        if bare is not None:
            row["remove_gone"] = rank(judge, around(bare[0], thing), old) >= 5
            row |= {f"remove_{key}": value for key, value in kept(case, *bare).items()}
            row["left"] = left(case, bare[0])
        if other is not None and bare is not None:
            solid = new_solid(other[0], bare[0])
            place = rank(judge, alone(other[0], solid & in_box(thing)), case.new)
            wide = rank(judge, alone(other[0], solid), case.new)
            row |= {"there": place < 5, "there_wide": wide < 5, "first": place == 0}
            row["replace_gone"] = rank(judge, around(other[0], thing), old) >= 5
            row |= {f"replace_{key}": value for key, value in kept(case, *other, solid).items()}
            well = bool(row["replace_gone"] and row["replace_rest"])
            row["replaced"], row["replaced_wide"] = (
                row["there"] and well,
                row["there_wide"] and well,
            )
        rows.append(row)
        print(f"{old} -> {case.new}:", json.dumps({k: round(float(v), 3) for k, v in row.items()}))
        pictures = [case.scene.image, *(p[0] if p else case.scene.image for p in (bare, other))]
        shown.append(np.concatenate(pictures, axis=1))
    told = {key: float(np.mean([row.get(key, 0) for row in rows])) for key in SHARES}
    told["left"] = float(np.median([row["left"] for row in rows if "left" in row] or [1.0]))
    told["seconds"] = float(np.median([row["seconds"] for row in rows]))
    return told


def main() -> None:
    """Print the tables and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stickers", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--first", type=int, default=0, help="number of the first scene")
    parser.add_argument("--masks", choices=("named", "words", "both"), default="both")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    names = list(json.loads((find_folder("default") / "names.json").read_text(encoding="utf-8")))
    judge = open_judge()
    names = [name for name in names if name in judge.names]
    chosen = cases(arguments.stickers, arguments.count, names, arguments.first)
    told: dict[str, Any] = {"cases": len(chosen)}
    shown: list[np.ndarray] = []
    for how in ("named", "words") if arguments.masks == "both" else (arguments.masks,):
        overrides = {} if how == "named" else {"grounder.names": "encoder"}
        editor = Editor.from_preset(arguments.preset, **overrides)
        told[how] = measure(editor, judge, chosen, named=how == "named", shown=shown)
        for key, value in told[how].items():
            print(f"{how:8} {key:20} {value:.3f}")
    if arguments.sheet:
        rows = [np.concatenate(shown[i : i + 2], axis=1) for i in range(0, len(shown) // 2 * 2, 2)]
        Image.fromarray(np.concatenate(rows[:12])).save(arguments.sheet)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
